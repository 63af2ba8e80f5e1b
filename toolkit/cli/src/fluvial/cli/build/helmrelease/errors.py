"""What ends `fluvial build helmrelease`."""

__all__ = ["ReleaseRefused"]


class ReleaseRefused(Exception):  # noqa: N818  (what the command does)
    """A release that cannot be built from what is given; the message names the way out."""
