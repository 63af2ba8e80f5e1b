"""A control plane that comes up while a webhook that it has stored answers nobody."""

import asyncio

from fluvial.cluster.plane import ControlPlane, Options

WITHIN = 30.0
DEAD = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "dead"},
    "webhooks": [
        {
            "name": "dead.example.com",
            "clientConfig": {"url": "https://127.0.0.1:1/"},
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["*"],
                    "resources": ["nodes", "nodes/status", "events"],
                }
            ],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 1,
        }
    ],
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "example.com/app"}]},
}


async def until(api, resource, namespace, name, holds):
    """Wait until an object is as it should be."""
    async with asyncio.timeout(WITHIN):
        async for _, obj in api.watch(resource, namespace):
            if obj["metadata"]["name"] == name and holds(obj):
                return


def is_ready(obj):
    found = (obj.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


async def test_pods_run_though_the_node_cannot_report(tmp_path):
    options = Options(database=tmp_path / "objects.db", standins=True)
    async with ControlPlane(options) as plane:
        await until(plane.api, "v1/nodes", None, "fluvial", is_ready)
        await plane.api.create(DEAD)
    async with ControlPlane(options) as plane:
        await plane.api.create(POD)
        await until(plane.api, "v1/pods", "default", "p", is_ready)
        assert not plane.broken.is_set()
