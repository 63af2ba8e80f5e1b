"""Endpoints without HTTP, with what every cluster begins with; good objects to spoil."""

import copy
import json

import pytest

from fluvial.cluster.api import StatusError
from fluvial.cluster.auth.rbac import Authorizer

TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
WORKLOAD = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
ONCE = {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
HOOK = {
    "name": "a.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
    "clientConfig": {"url": "https://a.example.com"},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
               "operations": ["CREATE"]}],
}  # fmt: skip
GOOD = {
    "Pod": ("v1", {"spec": TEMPLATE["spec"]}),
    "Deployment": ("apps/v1", {"spec": WORKLOAD}),
    "StatefulSet": ("apps/v1", {"spec": {**WORKLOAD, "serviceName": "s"}}),
    "DaemonSet": ("apps/v1", {"spec": WORKLOAD}),
    "ReplicationController": ("v1", {"spec": {"template": TEMPLATE}}),
    "Job": ("batch/v1", {"spec": ONCE}),
    "CronJob": ("batch/v1", {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": ONCE}}}),
    "Service": ("v1", {"spec": {"ports": [{"port": 80}]}}),
    "Endpoints": ("v1", {"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}),
    "EndpointSlice": (
        "discovery.k8s.io/v1",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]},
    ),
    "Ingress": (
        "networking.k8s.io/v1",
        {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    ),
    "IngressClass": ("networking.k8s.io/v1", {"spec": {"controller": "example.com/a"}}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"spec": {"podSelector": {}}}),
    "PodDisruptionBudget": ("policy/v1", {"spec": {"minAvailable": 1}}),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {"spec": {"maxReplicas": 2,
                  "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}},
    ),
    "Role": ("rbac.authorization.k8s.io/v1", {}),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", {}),
    "RoleBinding": (
        "rbac.authorization.k8s.io/v1", {"roleRef": {"kind": "Role", "name": "r"}},
    ),
    "ClusterRoleBinding": (
        "rbac.authorization.k8s.io/v1", {"roleRef": {"kind": "ClusterRole", "name": "r"}},
    ),
    "PersistentVolumeClaim": (
        "v1",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    ),
    "PersistentVolume": (
        "v1",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                  "hostPath": {"path": "/x"}}},
    ),
    "StorageClass": ("storage.k8s.io/v1", {"provisioner": "example.com/p"}),
    "PriorityClass": ("scheduling.k8s.io/v1", {"value": 1}),
    "ResourceQuota": ("v1", {"spec": {"hard": {"pods": "1"}}}),
    "LimitRange": ("v1", {"spec": {"limits": [{"type": "Container"}]}}),
    "Node": ("v1", {"spec": {}}),
    "ControllerRevision": ("apps/v1", {"data": {}, "revision": 1}),
    "Secret": ("v1", {}),
    "ConfigMap": ("v1", {}),
    "Event": ("v1", {"involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}}),
    "Lease": ("coordination.k8s.io/v1", {"spec": {}}),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", {"webhooks": [HOOK]}),
}  # fmt: skip
CLUSTER = {
    "ClusterRole", "ClusterRoleBinding", "PersistentVolume", "StorageClass", "PriorityClass",
    "IngressClass", "Node", "ValidatingWebhookConfiguration",
}  # fmt: skip


def _changed(kind, place, value):
    """Return a good object of a kind with one place changed; no place adds to the object."""
    api_version, parts = GOOD[kind]
    meta = {"name": "x"} if kind in CLUSTER else {"name": "x", "namespace": "default"}
    obj = {"apiVersion": api_version, "kind": kind, "metadata": meta, **copy.deepcopy(parts)}
    if not place:
        return {**obj, **value}
    holder = obj
    *steps, last = place.replace("[0]", ".0").split(".")
    for step in steps:
        holder = holder[int(step)] if step == "0" else holder.setdefault(step, {})
    holder[last] = copy.deepcopy(value)
    return obj


@pytest.fixture
def authorizer(endpoints):
    made = Authorizer(endpoints)
    endpoints.guard_roles = made.guard
    return made


@pytest.fixture(params=GOOD)
def good(request):
    """Give a good object of every kind in turn."""
    return _changed(request.param, "", {})


@pytest.fixture
def refused(api):
    """Give what creates a good object with one place changed, and compares the causes."""

    async def check(kind, place, value, causes):
        with pytest.raises(StatusError) as error:
            await api.create(_changed(kind, place, value))
        given = error.value.details["causes"]
        found = [f"{cause['field']}: {cause['message']}" for cause in given]
        shown = json.dumps(found, indent=1)
        assert len(found) == len(causes), shown
        for one, expected in zip(found, causes, strict=True):
            assert one.startswith(expected), shown

    return check
