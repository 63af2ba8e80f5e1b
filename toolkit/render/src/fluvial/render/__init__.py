"""The kustomize and Helm engines: pure functions, no Kubernetes, no network."""
