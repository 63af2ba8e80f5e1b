"""The namespaces, roles and bindings that a cluster begins with.

The user-facing roles (cluster-admin, admin, edit, view) and the ones that discovery and
self-review need, with upstream's names and labels; roles of components that do not run here are
left out.
"""

from __future__ import annotations

from typing import Any

from fluvial.cluster.objects import Object

__all__ = ["NAMESPACES", "objects"]

GROUP = "rbac.authorization.k8s.io"
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
DEFAULTS = "kubernetes.io/bootstrapping"

_VIEWED = {
    "": [
        "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status",
        "pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts",
        "services", "services/status", "bindings", "events", "limitranges", "namespaces/status",
        "pods/log", "pods/status", "replicationcontrollers/status", "resourcequotas",
        "resourcequotas/status", "namespaces",
    ],
    "discovery.k8s.io": ["endpointslices"],
    "apps": [
        "controllerrevisions", "daemonsets", "daemonsets/status", "deployments",
        "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
        "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status",
    ],
    "autoscaling": ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
    "batch": ["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
    "policy": ["poddisruptionbudgets", "poddisruptionbudgets/status"],
    "networking.k8s.io": ["ingresses", "ingresses/status", "networkpolicies"],
}  # fmt: skip
_EDITED = {
    "": [
        "configmaps", "events", "persistentvolumeclaims", "pods", "replicationcontrollers",
        "replicationcontrollers/scale", "secrets", "serviceaccounts", "services",
    ],
    "apps": [
        "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
        "replicasets/scale", "statefulsets", "statefulsets/scale",
    ],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "policy": ["poddisruptionbudgets"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "coordination.k8s.io": ["leases"],
}  # fmt: skip


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _view() -> list[dict[str, Any]]:
    return [_rule([group], names, READ) for group, names in _VIEWED.items()]


def _edit() -> list[dict[str, Any]]:
    sensitive = ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets",
                 "services/proxy"]  # fmt: skip
    rules = [
        _rule([""], sensitive, READ),
        _rule([""], ["serviceaccounts"], ["impersonate"]),
        _rule([""], ["serviceaccounts/token"], ["create"]),
        _rule([""], ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], WRITE),
        _rule([""], ["pods/eviction"], ["create"]),
        _rule(["coordination.k8s.io"], ["leases"], READ),
    ]
    rules += [_rule([group], names, WRITE) for group, names in _EDITED.items()]
    return rules + _view()


def _admin() -> list[dict[str, Any]]:
    return [
        *_edit(),
        _rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
        _rule([GROUP], ["rolebindings", "roles"], [*WRITE, *READ]),
    ]


_REVIEWS = [
    _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
          ["create"]),
    _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
]  # fmt: skip
_DISCOVERY = [
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
            "/readyz", "/version", "/version/",
        ],
    }
]  # fmt: skip
_PUBLIC = [
    {
        "verbs": ["get"],
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"],
    }
]


def _roles() -> dict[str, list[dict[str, Any]]]:
    everything = [
        _rule(["*"], ["*"], ["*"]),
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    return {
        "cluster-admin": everything,
        "admin": _admin(),
        "edit": _edit(),
        "view": _view(),
        "system:basic-user": _REVIEWS,
        "system:discovery": _DISCOVERY,
        "system:public-info-viewer": _PUBLIC,
        "system:auth-delegator": [
            _rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
            _rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
        ],
    }


_BINDINGS = {
    "cluster-admin": ("cluster-admin", ["system:masters"]),
    "system:basic-user": ("system:basic-user", ["system:authenticated"]),
    "system:discovery": ("system:discovery", ["system:authenticated"]),
    "system:public-info-viewer": (
        "system:public-info-viewer", ["system:authenticated", "system:unauthenticated"],
    ),
}  # fmt: skip


def objects() -> list[Object]:
    """Return everything that is created before the first request, in order."""
    made: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES
    ]
    meta = {
        "labels": {DEFAULTS: "rbac-defaults"},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    }
    for name, rules in _roles().items():
        made.append(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name, **meta},
                "rules": rules,
            }
        )
    for name, (role, groups) in _BINDINGS.items():
        made.append(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name, **meta},
                "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
                "subjects": [
                    {"kind": "Group", "apiGroup": GROUP, "name": group} for group in groups
                ],
            }
        )
    return made + _priorities()


def _priorities() -> list[Object]:
    """Return the classes of pods that the system cannot be without."""
    told = {
        "system-node-critical": (
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        "system-cluster-critical": (
            2_000_000_000,
            (
                "Used for system critical pods that must run in the cluster, but can be moved to "
                "another node if necessary."
            ),
        ),
    }
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": description,
        }
        for name, (value, description) in told.items()
    ]
