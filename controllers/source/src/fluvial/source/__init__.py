"""source-controller: Git, Helm, OCI and bucket artifacts."""
