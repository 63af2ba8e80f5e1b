"""The embedded control plane: a Kubernetes API on this machine, for try-out, preview and tests."""
