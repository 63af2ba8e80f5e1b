"""Manifests as teams write them, made from a name and a few choices."""

from typing import Any

from fluvial.render.yaml import dump

__all__ = ["config", "deployment", "documents", "rbac", "service"]

Manifest = dict[str, Any]


def documents(*manifests: Manifest) -> str:
    """Write several manifests into one file."""
    return "---\n".join(dump(item, sort_keys=False) for item in manifests)


def deployment(name: str, *, config: str = "", image: str = "", port: int = 8080) -> Manifest:
    """Return a Deployment that reads a ConfigMap and runs as its own account."""
    config = config or name
    container = {
        "name": "main",
        "image": image or f"registry.example.com/shop/{name}:1.4.0",
        "ports": [{"name": "http", "containerPort": port}],
        "envFrom": [{"configMapRef": {"name": config}}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {
                "name": "PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": f"{name}-db", "key": "password"}},
            },
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
    }
    spec = {
        "serviceAccountName": name,
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": config}}],
    }
    labels = {"app.kubernetes.io/name": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": spec},
        },
    }


def service(name: str) -> Manifest:
    """Return the Service of a Deployment."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "selector": {"app.kubernetes.io/name": name},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def config(name: str, number: int = 0) -> Manifest:
    """Return a ConfigMap with texts of several kinds."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {
            "application.yaml": f"server:\n  port: 80{number % 100:02}\n  name: {name}\n",
            "feature.enabled": "true",
            "ratio": "0.75",
            "motto": "a text that is long enough for a writer to fold it at the end of a line, "
            "twice even if it must be so, as it is in the descriptions that people write",
        },
    }


def rbac(name: str, namespace: str = "default") -> list[Manifest]:
    """Return an account with the role that it needs."""
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": {"name": f"{name}-reader"},
            "rules": [{**rule, "resourceNames": [name]}],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"{name}-reader"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": f"{name}-reader"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    ]
