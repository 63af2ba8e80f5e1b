"""The stand-ins over the real API server core: its defaulting, validation, watches, deletion."""

import asyncio
import json

import pytest

from fluvial.cluster.api import Api
from fluvial.cluster.endpoints import Endpoints
from fluvial.cluster.resources import Catalog, builtin_resources
from fluvial.cluster.standins.manager import Options, Standins
from fluvial.cluster.storage import MemoryStore

DEPLOYMENTS = "apps/v1/deployments"
PODS = "v1/pods"
ENDPOINTS = "v1/endpoints"
DEADLINE = 30


class Plane:
    """A control plane without HTTP, and what tests wait for on it."""

    def __init__(self, directory):
        self.endpoints = Endpoints(MemoryStore(), Catalog(builtin_resources()))
        self.api = Api(self.endpoints)
        self.standins = Standins(self.api, Options(directory=directory, certificate="CA"))

    async def create(self, api_version, kind, name, namespace="default", **rest):
        meta = {"name": name, "namespace": namespace}
        return await self.api.create(
            {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}
        )

    async def until(self, resource, condition):
        """Wait until a condition holds for the list of a resource; returns the list."""
        async with asyncio.timeout(DEADLINE):
            async for _ in self.api.watch(resource):
                found = await self.api.list(resource, "default")
                if condition(found):
                    return found
        return None

    async def gone(self, resource):
        """Wait until there is nothing of a resource any more."""
        async with asyncio.timeout(DEADLINE):
            if not await self.api.list(resource, "default"):
                return
            async for type_, _ in self.api.watch(resource):
                if type_ == "DELETED" and not await self.api.list(resource, "default"):
                    return


@pytest.fixture
async def plane(tmp_path):
    held = Plane(tmp_path / "node")
    await held.api.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    )
    task = asyncio.create_task(held.standins.run())
    async with asyncio.timeout(DEADLINE):
        await held.standins.ready.wait()
    try:
        yield held
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()


def template(version):
    container = {
        "name": "web",
        "image": f"fluvial.dev/sample/webapp:{version}",
        "ports": [{"name": "http", "containerPort": 9898}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    }
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5},
    }


def deployment(replicas=2, version="1"):
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": template(version),
    }


def rolled_out(replicas):
    """Return the condition by which `kubectl rollout status` says successfully rolled out."""

    def condition(found):
        (obj,) = found
        status = obj.get("status") or {}
        counts = [status.get(key) or 0 for key in ("updatedReplicas", "replicas")]
        return (
            status.get("observedGeneration") == obj["metadata"]["generation"]
            and counts == [replicas, replicas]
            and (status.get("availableReplicas") or 0) == replicas
            and any(each["reason"] == "NewReplicaSetAvailable" for each in status["conditions"])
        )

    return condition


async def version_at(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0]
        return json.loads(body)["version"]
    finally:
        writer.close()
        await writer.wait_closed()


def addresses(found):
    return [
        (address["ip"], subset["ports"][0]["port"])
        for each in found
        for subset in each.get("subsets") or []
        for address in subset.get("addresses") or []
    ]


async def test_a_release_from_first_pod_to_last(plane):
    """Available, updated while serving, scaled to zero, scaled back, deleted."""
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    await plane.create("v1", "Service", "web", spec=service)
    await plane.create("apps/v1", "Deployment", "web", spec=deployment())
    await plane.until(DEPLOYMENTS, rolled_out(2))
    await plane.until(ENDPOINTS, lambda found: len(addresses(found)) == 2)

    change = {"spec": {"template": template("2")}}
    await plane.api.patch_merge(DEPLOYMENTS, "default", "web", change)
    seen = []

    async def use():
        while len(seen) < 8 or set(seen[-8:]) != {"2"}:
            found = addresses(await plane.api.list(ENDPOINTS, "default"))
            seen.append(await version_at(*found[len(seen) % len(found)]))

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(use(), plane.until(DEPLOYMENTS, rolled_out(2)))
    assert seen[0] == "1"

    nothing = {"spec": {"replicas": 0}}
    await plane.api.patch_merge(DEPLOYMENTS, "default", "web", nothing)
    await plane.until(DEPLOYMENTS, rolled_out(0))
    await plane.gone(PODS)
    assert list((plane.standins.directory / "pods").iterdir()) == []
    await plane.api.patch_merge(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 1}})
    await plane.until(DEPLOYMENTS, rolled_out(1))

    await plane.api.delete(DEPLOYMENTS, "default", "web", "Foreground")
    await plane.gone(DEPLOYMENTS)
    await plane.gone("apps/v1/replicasets")
    await plane.gone(PODS)


async def test_nothing_is_written_when_nothing_happens(plane):
    spec = deployment()
    spec["template"]["spec"]["containers"][0]["image"] = "example.com/any"
    await plane.create("apps/v1", "Deployment", "web", spec=spec)
    await plane.until(DEPLOYMENTS, rolled_out(2))
    before = plane.endpoints.store.revision
    for _ in range(200):
        await asyncio.sleep(0)
    settled = plane.endpoints.store.revision
    for _ in range(200):
        await asyncio.sleep(0)
    assert plane.endpoints.store.revision == settled >= before


async def test_all_kinds_of_workloads(plane):
    labels = {"matchLabels": {"app": "a"}}
    plain = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "example.com/any"}]},
    }
    once = {"spec": {**plain["spec"], "restartPolicy": "Never"}}
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    stateful = {
        "replicas": 2,
        "serviceName": "s",
        "selector": labels,
        "template": plain,
        "volumeClaimTemplates": [claim],
    }
    await plane.create("apps/v1", "StatefulSet", "s", spec=stateful)
    await plane.create("apps/v1", "DaemonSet", "d", spec={"selector": labels, "template": plain})
    await plane.create("batch/v1", "Job", "j", spec={"template": once})

    def status(member, value):
        return lambda found: (found[0].get("status") or {}).get(member) == value

    await plane.until("apps/v1/statefulsets", status("readyReplicas", 2))
    await plane.until("apps/v1/daemonsets", status("numberAvailable", 1))
    await plane.until("batch/v1/jobs", status("succeeded", 1))
    bound = await plane.api.list("v1/persistentvolumeclaims", "default")
    assert {each["status"]["phase"] for each in bound} == {"Bound"}


async def test_a_namespace_goes_with_its_running_pods(plane):
    await plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    await plane.create("apps/v1", "Deployment", "web", "shop", spec=deployment())
    async with asyncio.timeout(DEADLINE):
        async for _, obj in plane.api.watch(DEPLOYMENTS, "shop"):
            if (obj.get("status") or {}).get("availableReplicas") == 2:
                break
    await plane.api.delete("v1/namespaces", None, "shop")
    async with asyncio.timeout(DEADLINE):
        async for type_, obj in plane.api.watch("v1/namespaces"):
            if type_ == "DELETED" and obj["metadata"]["name"] == "shop":
                break
    assert await plane.api.list(PODS, "shop") == []
