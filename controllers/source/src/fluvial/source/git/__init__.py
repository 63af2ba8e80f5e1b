"""Git: references, credentials, the transport into a kept mirror, and trees without a work tree."""
