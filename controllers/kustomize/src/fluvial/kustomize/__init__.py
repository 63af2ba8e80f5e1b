"""kustomize-controller: applies artifacts to a cluster."""
