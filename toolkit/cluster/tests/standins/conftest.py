"""A small API in memory and a clock that tests hold, for the stand-ins."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import dataclasses
import datetime as dt
import heapq
import itertools
import uuid

import pytest

from fluvial.cluster.errors import StatusError, already_exists, conflict, not_found
from fluvial.cluster.node.container import Backoff
from fluvial.cluster.objects import rfc3339
from fluvial.cluster.resources import Gvr
from fluvial.cluster.standins.manager import Options, Standins
from fluvial.cluster.standins.timer import SystemTimer

RESOURCES = {
    "admissionregistration.k8s.io/v1/validatingadmissionpolicies": "ValidatingAdmissionPolicy",
    "apiregistration.k8s.io/v1/apiservices": "APIService",
    "apps/v1/controllerrevisions": "ControllerRevision",
    "apps/v1/daemonsets": "DaemonSet",
    "apps/v1/deployments": "Deployment",
    "apps/v1/replicasets": "ReplicaSet",
    "apps/v1/statefulsets": "StatefulSet",
    "autoscaling/v2/horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "batch/v1/cronjobs": "CronJob",
    "batch/v1/jobs": "Job",
    "discovery.k8s.io/v1/endpointslices": "EndpointSlice",
    "policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "v1/configmaps": "ConfigMap",
    "v1/endpoints": "Endpoints",
    "v1/events": "Event",
    "v1/namespaces": "Namespace",
    "v1/nodes": "Node",
    "v1/persistentvolumeclaims": "PersistentVolumeClaim",
    "v1/persistentvolumes": "PersistentVolume",
    "v1/pods": "Pod",
    "v1/resourcequotas": "ResourceQuota",
    "v1/secrets": "Secret",
    "v1/serviceaccounts": "ServiceAccount",
    "v1/services": "Service",
    "apiextensions.k8s.io/v1/customresourcedefinitions": "CustomResourceDefinition",
}
CLUSTER_SCOPED = {"v1/namespaces", "v1/nodes", "v1/persistentvolumes"}
CLUSTER_SCOPED |= {
    "apiextensions.k8s.io/v1/customresourcedefinitions",
    "apiregistration.k8s.io/v1/apiservices",
}
DEADLINE = 20.0


class HeldTimer:
    """Time that stands still until a test lets it pass."""

    def __init__(self):
        self.moment = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.UTC)
        self._alarms = []
        self._order = itertools.count()

    def now(self):
        return self.moment

    def call_later(self, seconds, callback):
        due = self.moment + dt.timedelta(seconds=seconds)
        alarm = Alarm(callback)
        if seconds <= 0:
            asyncio.get_running_loop().call_soon(alarm.ring)
        else:
            heapq.heappush(self._alarms, (due, next(self._order), alarm))
        return alarm

    async def sleep(self, seconds):
        woken = asyncio.Event()
        alarm = self.call_later(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            alarm.cancel()

    def advance(self, seconds):
        """Let time pass, ringing what becomes due in order."""
        end = self.moment + dt.timedelta(seconds=seconds)
        while self._alarms and self._alarms[0][0] <= end:
            self.moment, _, alarm = heapq.heappop(self._alarms)
            alarm.ring()
        self.moment = end


class Alarm:
    def __init__(self, callback):
        self._callback = callback

    def ring(self):
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self):
        self._callback = None


@dataclasses.dataclass(frozen=True)
class Served:
    """What `Api.resources` says of a resource."""

    gvr: Gvr
    kind: str
    namespaced: bool
    verbs: tuple = ("create", "delete", "get", "list", "patch", "update", "watch")

    @property
    def prefix(self):
        return f"{self.gvr.group}/{self.gvr.plural}"

    @property
    def group(self):
        return self.gvr.group

    @property
    def plural(self):
        return self.gvr.plural


class MemoryApi:
    """The calls of `fluvial.cluster.api.Api`, with the few rules that controllers rely on."""

    def __init__(self, timer):
        self._timer = timer
        self._objects = {resource: {} for resource in RESOURCES}
        self._version = 0
        self._queues = {resource: set() for resource in RESOURCES}
        self.changed = asyncio.Condition()
        self.writes = []
        self.refuse = {}

    def acting(self, user, manager):  # noqa: ARG002 - whoever acts is let
        return self

    def resources(self):
        return [
            Served(Gvr.parse(name), kind, name not in CLUSTER_SCOPED)
            for name, kind in RESOURCES.items()
        ]

    def resource_of(self, api_version, kind):
        for name, known in RESOURCES.items():
            if known == kind and name.rpartition("/")[0] == api_version:
                return Gvr.parse(name)
        return None

    def _key(self, namespace, name):
        return (namespace or "", name)

    def _missing(self, resource, name):
        gvr = Gvr.parse(resource)
        return not_found(gvr.group, gvr.plural, name)

    def _emit(self, resource, type_, obj):
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        for queue in self._queues[resource]:
            queue.put_nowait((type_, copy.deepcopy(obj)))

    async def _tell(self):
        async with self.changed:
            self.changed.notify_all()

    def peek(self, resource, namespace, name):
        return self._objects[resource].get(self._key(namespace, name))

    def every(self, resource, namespace=None):
        found = self._objects[resource].items()
        return [obj for key, obj in sorted(found) if namespace in (None, key[0])]

    async def get(self, resource, namespace, name):
        found = self.peek(resource, namespace, name)
        if found is None:
            raise self._missing(resource, name)
        return copy.deepcopy(found)

    async def list(self, resource, namespace=None):
        return copy.deepcopy(self.every(resource, namespace))

    async def watch(self, resource):
        queue = asyncio.Queue()
        for obj in self._objects[resource].values():
            queue.put_nowait(("ADDED", copy.deepcopy(obj)))
        self._queues[resource].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues[resource].discard(queue)

    async def _bind(self, pod, node):
        if pod["spec"].get("nodeName"):
            raise conflict("", "pods/binding", pod["metadata"]["name"], "it is bound already")
        bound = copy.deepcopy(pod)
        bound["spec"]["nodeName"] = node
        scheduled = {"type": "PodScheduled", "status": "True"}
        bound["status"] = {"phase": "Pending", "conditions": [scheduled]}
        return await self._store("v1/pods", pod, bound, pod["metadata"]["name"])

    async def create(self, obj, subresource=""):
        obj = copy.deepcopy(obj)
        if subresource == "binding":
            pod = self.peek("v1/pods", obj["metadata"]["namespace"], obj["metadata"]["name"])
            return await self._bind(pod, obj["target"]["name"])
        resource = str(self.resource_of(obj["apiVersion"], obj["kind"]))
        if (error := self.refuse.get(resource)) is not None:
            raise error
        meta = obj["metadata"]
        if not meta.get("name"):
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        key = self._key(meta.get("namespace"), meta["name"])
        if key in self._objects[resource]:
            gvr = Gvr.parse(resource)
            raise already_exists(gvr.group, gvr.plural, meta["name"])
        meta |= {
            "uid": str(uuid.uuid4()),
            "creationTimestamp": rfc3339(self._timer.now()),
            "generation": 1,
        }
        obj.pop("status", None)
        if resource == "v1/namespaces":
            obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
        self._objects[resource][key] = obj
        self._emit(resource, "ADDED", obj)
        self.writes.append(("create", resource, meta["name"]))
        await self._tell()
        return copy.deepcopy(obj)

    async def patch_merge(self, resource, namespace, name, patch, subresource=""):
        old = self.peek(resource, namespace, name)
        if old is None:
            raise self._missing(resource, name)
        self._check(resource, old, patch.get("metadata") or {})
        if subresource == "status":
            patch = {"status": patch.get("status")}
        elif "status" in old and "status" in patch:
            patch = {key: value for key, value in patch.items() if key != "status"}
        return await self._store(resource, old, merged(copy.deepcopy(old), patch), name)

    async def update(self, obj, _subresource=""):
        resource = str(self.resource_of(obj["apiVersion"], obj["kind"]))
        meta = obj["metadata"]
        old = self.peek(resource, meta.get("namespace"), meta["name"])
        if old is None:
            raise self._missing(resource, meta["name"])
        self._check(resource, old, meta)
        return await self._store(resource, old, copy.deepcopy(obj), meta["name"])

    def _check(self, resource, old, meta):
        version = meta.get("resourceVersion", old["metadata"]["resourceVersion"])
        uid = meta.get("uid", old["metadata"]["uid"])
        if (version, uid) != (old["metadata"]["resourceVersion"], old["metadata"]["uid"]):
            gvr = Gvr.parse(resource)
            raise conflict(gvr.group, gvr.plural, old["metadata"]["name"], "it was modified")

    async def _store(self, resource, old, new, name):
        if new == old:
            return copy.deepcopy(old)
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        key = self._key(new["metadata"].get("namespace"), name)
        meta = new["metadata"]
        finalizers = meta.get("finalizers") or (new.get("spec") or {}).get("finalizers")
        if (
            meta.get("deletionTimestamp")
            and not finalizers
            and not meta.get("deletionGracePeriodSeconds")
        ):
            del self._objects[resource][key]
            self._emit(resource, "DELETED", new)
        else:
            self._objects[resource][key] = new
            self._emit(resource, "MODIFIED", new)
        self.writes.append(("write", resource, name))
        await self._tell()
        return copy.deepcopy(new)

    async def delete(self, resource, namespace, name, propagation=None, *, grace=None, uid=None):
        old = self.peek(resource, namespace, name)
        if old is None:
            raise self._missing(resource, name)
        if uid is not None:
            self._check(resource, old, {"uid": uid})
        meta = old["metadata"]
        finalizers = [
            each
            for each in meta.get("finalizers") or []
            if each not in {"orphan", "foregroundDeletion"}
        ]
        finalizers += {"Orphan": ["orphan"], "Foreground": ["foregroundDeletion"]}.get(
            propagation, []
        )
        if grace is None:
            grace = 0
            if resource == "v1/pods" and old["spec"].get("nodeName"):
                grace = old["spec"].get("terminationGracePeriodSeconds", 30)
        self.writes.append(("delete", resource, name))
        if finalizers or grace or (old.get("spec") or {}).get("finalizers"):
            meta["deletionTimestamp"] = rfc3339(self._timer.now())
            meta["deletionGracePeriodSeconds"] = grace
            if finalizers:
                meta["finalizers"] = finalizers
            self._emit(resource, "MODIFIED", old)
        else:
            del self._objects[resource][self._key(namespace, name)]
            self._emit(resource, "DELETED", old)
        await self._tell()
        return {}


def merged(target, patch):
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            nested = target.get(key)
            target[key] = merged(nested if isinstance(nested, dict) else {}, value)
        else:
            target[key] = copy.deepcopy(value)
    return target


class Cluster:
    """The stand-ins over a `MemoryApi`, as tests use them."""

    def __init__(self, api, timer, standins):
        self.api = api
        self.timer = timer
        self.standins = standins

    async def create(self, kind, name, spec=None, namespace="default", api="apps/v1", **rest):
        annotations = rest.pop("annotations", None)
        meta = {"name": name, "namespace": namespace}
        if annotations:
            meta["annotations"] = annotations
        if (labels := rest.pop("labels", None)) is not None:
            meta["labels"] = labels
        obj = {"apiVersion": api, "kind": kind, "metadata": meta, **rest}
        if spec is not None:
            obj["spec"] = spec
        return await self.api.create(obj)

    def peek(self, resource, name, namespace="default"):
        return self.api.peek(resource, namespace, name)

    async def patch(self, resource, name, patch, namespace="default"):
        return await self.api.patch_merge(resource, namespace, name, patch)

    async def until(self, condition):
        """Wait for a condition on what is stored; returns its first true value."""
        async with asyncio.timeout(DEADLINE), self.api.changed:
            while not (found := condition()):
                await self.api.changed.wait()
            return found

    async def settled(self):
        """Wait until nobody writes any more (a hundred turns of the loop without a write)."""
        quiet, seen = 0, len(self.api.writes)
        while quiet < 100:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self.api.writes) == seen else 0
            seen = len(self.api.writes)

    async def advance(self, seconds):
        self.timer.advance(seconds)
        await self.settled()


@pytest.fixture
def timer():
    return HeldTimer()


@contextlib.asynccontextmanager
async def running(directory, timer):
    """Run the stand-ins over a fresh `MemoryApi`."""
    api = MemoryApi(timer)
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    options = Options(directory=directory, certificate="CA", timer=timer, backoff=Backoff())
    standins = Standins(api, options)
    task = asyncio.create_task(standins.run())
    async with asyncio.timeout(DEADLINE):
        await standins.ready.wait()
    held = Cluster(api, timer, standins)
    await held.settled()
    try:
        yield held
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()


@pytest.fixture
async def cluster(tmp_path, timer):
    """Run the stand-ins under a held clock, with simulated pods."""
    async with running(tmp_path / "node", timer) as held:
        yield held


@pytest.fixture
async def real_cluster(tmp_path):
    """Run the stand-ins in real time, for pods that are real processes."""
    async with running(tmp_path / "node", SystemTimer()) as held:
        yield held


@pytest.fixture
def forbidden():
    """Return an error as admission gives it."""
    return StatusError(403, "Forbidden", "pods is forbidden: exceeded quota")
