"""A small API server on loopback: the wire is real, only the server behind it is small.

It knows server-side apply with field ownership by leaf (lists are atomic), JSON patches, deletion
with preconditions and finalizers, lists and watches. Tests that need more than this belong to
tests/e2e/apply, against the embedded control plane.
"""

import asyncio
import copy
import itertools
import json
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Endpoint:
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True


BUILTIN = [
    Endpoint("", "v1", "namespaces", "Namespace", namespaced=False),
    Endpoint("", "v1", "configmaps", "ConfigMap"),
    Endpoint("", "v1", "secrets", "Secret"),
    Endpoint("", "v1", "services", "Service"),
    Endpoint("", "v1", "pods", "Pod"),
    Endpoint("apps", "v1", "deployments", "Deployment"),
    Endpoint("apps", "v1", "statefulsets", "StatefulSet"),
    Endpoint("batch", "v1", "jobs", "Job"),
    Endpoint("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Endpoint("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False),
    Endpoint(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
    ),
]


@dataclass
class Refusal:
    """An answer given in place of the real one, to requests that match."""

    method: str
    path: str
    status: int
    reason: str
    message: str
    causes: list = field(default_factory=list)
    dry_run: bool | None = None
    times: int = 1 << 30


def fields_of(value):
    """FieldsV1 of a map, with everything but maps as leaves."""
    return {
        f"f:{key}": fields_of(below) if isinstance(below, dict) and below else {}
        for key, below in value.items()
    }


def applied_fields(obj):
    metadata = {
        key: obj["metadata"][key] for key in ("labels", "annotations") if key in obj["metadata"]
    }
    rest = {
        key: value
        for key, value in obj.items()
        if key not in {"apiVersion", "kind", "metadata", "status"}
    }
    return fields_of({**rest, **({"metadata": metadata} if metadata else {})})


def leaves(fields, path=()):
    for key, below in fields.items():
        if below:
            yield from leaves(below, (*path, key[2:]))
        else:
            yield (*path, key[2:])


def get_at(obj, path):
    for step in path:
        if not isinstance(obj, dict) or step not in obj:
            return None
        obj = obj[step]
    return obj


def drop_at(obj, path):
    chain = [obj]
    for step in path[:-1]:
        if step not in chain[-1]:
            return
        chain.append(chain[-1][step])
    chain[-1].pop(path[-1], None)
    for step, (holder, below) in zip(
        reversed(path[:-1]), reversed(list(itertools.pairwise(chain))), strict=False
    ):
        if not below:
            holder.pop(step)


def drop_field(fields, path):
    """Remove a leaf from FieldsV1, and the maps that it leaves empty."""
    key = f"f:{path[0]}"
    if key not in fields:
        return
    if len(path) > 1:
        drop_field(fields[key], path[1:])
    if len(path) == 1 or not fields[key]:
        del fields[key]


def merge(into, patch):
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


class ApiServer:
    def __init__(self):
        self.endpoints = list(BUILTIN)
        self.objects = {}
        self.log = []
        self.refusals = []
        self.instant_definitions = True
        self._version = 100
        self._uid = 0
        self._watchers = []

    # What tests do to the cluster behind the client's back.

    def put(self, obj, manager="somebody", operation="Update"):
        """Store an object as another manager's doing."""
        endpoint = self._endpoint(obj)
        obj = copy.deepcopy(obj)
        key = self._key(endpoint, obj["metadata"].get("namespace"), obj["metadata"]["name"])
        entries = obj["metadata"].pop("managedFields", None)
        if entries is None:
            entries = [
                {
                    "manager": manager,
                    "operation": operation,
                    "apiVersion": obj["apiVersion"],
                    "fieldsType": "FieldsV1",
                    "fieldsV1": applied_fields(obj),
                }
            ]
        obj["metadata"]["managedFields"] = entries
        self._store(key, obj)
        return self.objects[key]

    def edit(self, kind, name, change, namespace="default", manager="somebody"):
        """Change a live object as another manager, who then owns what changed."""
        live = self.find(kind, name, namespace)
        after = copy.deepcopy(live)
        change(after)
        for path in leaves(applied_fields(after)):
            if get_at(live, path) != get_at(after, path):
                for entry in after["metadata"]["managedFields"]:
                    drop_field(entry["fieldsV1"], path)
                tree = leaf = {}
                for step in path:
                    leaf[f"f:{step}"] = leaf = {}
                after["metadata"]["managedFields"].append(
                    {
                        "manager": manager,
                        "operation": "Update",
                        "apiVersion": live["apiVersion"],
                        "fieldsType": "FieldsV1",
                        "fieldsV1": tree,
                    }
                )
        self._store(self._key_of(live), after)

    def find(self, kind, name, namespace="default"):
        for obj in self.objects.values():
            metadata = obj["metadata"]
            place = metadata.get("namespace") in {None, namespace}
            if obj["kind"] == kind and metadata["name"] == name and place:
                return obj
        return None

    def finish(self, kind, name, namespace="default"):
        """Let the last finalizer go."""
        obj = self.find(kind, name, namespace)
        self._remove(self._key_of(obj))

    def refuse(self, method, path, status, reason, message, **more):
        self.refusals.append(Refusal(method, path, status, reason, message, **more))

    def writes(self):
        """List the requests that changed something, in order: `PATCH name`."""
        return [
            f"{method} {path.rpartition('/')[2]}"
            for method, path, query in self.log
            if method != "GET" and "dryRun" not in query
        ]

    # The wire.

    async def handle(self, request):
        if "watch" in request.query:
            self.log.append(("WATCH", request.path, dict(request.query)))
        else:
            self.log.append((request.method, request.path, dict(request.query)))
        method = "WATCH" if "watch" in request.query else request.method
        dry_run = "dryRun" in request.query
        for refusal in self.refusals:
            if (
                refusal.method == method
                and refusal.path in request.path
                and refusal.dry_run in {None, dry_run}
                and refusal.times > 0
            ):
                refusal.times -= 1
                return _status(refusal.status, refusal.reason, refusal.message, refusal.causes)
        parts = request.path.strip("/").split("/")
        if parts in (["api"], ["apis"]):
            return web.json_response(self._discovery(core=parts == ["api"]))
        group, version, parts = (
            ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        )
        if not parts:
            known = any((e.group, e.version) == (group, version) for e in self.endpoints)
            return web.json_response({}) if known else _status(404, "NotFound", "no such group")
        namespace = None
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        endpoint = next(
            (
                e
                for e in self.endpoints
                if (e.group, e.version, e.plural) == (group, version, parts[0])
            ),
            None,
        )
        if endpoint is None:
            return web.Response(status=404, text="404 page not found\n")
        if len(parts) == 1:
            return await (self._watch if method == "WATCH" else self._list)(
                request, endpoint, namespace
            )
        key = self._key(endpoint, namespace, parts[1])
        return await getattr(self, f"_{method.lower()}")(request, endpoint, key)

    async def _get(self, _, endpoint, key):
        obj = self.objects.get(key)
        if obj is None:
            return _not_found(endpoint, key)
        return web.json_response(obj)

    async def _list(self, request, endpoint, namespace):
        items = [
            obj
            for key, obj in self.objects.items()
            if key[:2] == (endpoint.group, endpoint.kind) and namespace in {None, key[2]}
        ]
        for term in filter(None, request.query.get("labelSelector", "").split(",")):
            name, _, value = term.partition("=")
            items = [o for o in items if (o["metadata"].get("labels") or {}).get(name) == value]
        return web.json_response(
            {"kind": "List", "metadata": {"resourceVersion": str(self._version)}, "items": items}
        )

    async def _watch(self, request, endpoint, namespace):
        name = request.query["fieldSelector"].removeprefix("metadata.name=")
        since = int(request.query.get("resourceVersion", "0"))
        key = self._key(endpoint, namespace, name)
        events = asyncio.Queue()
        obj = self.objects.get(key)
        if obj is not None and int(obj["metadata"]["resourceVersion"]) > since:
            events.put_nowait(("ADDED", obj))
        self._watchers.append((key, events))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while True:
                kind, obj = await events.get()
                line = json.dumps({"type": kind, "object": obj}) + "\n"
                await response.write(line.encode())
        finally:
            self._watchers.remove((key, events))

    async def _patch(self, request, endpoint, key):
        live = self.objects.get(key)
        body = json.loads(await request.text())
        if "json-patch" in request.content_type:
            return self._json_patch(live, body, key)
        obj = copy.deepcopy(live) if live else {"metadata": {}}
        metadata = obj["metadata"]
        frozen = live and endpoint.kind == "ConfigMap" and live.get("immutable")
        if frozen and body.get("data") != live.get("data"):
            message = "Forbidden: field is immutable when `immutable` is set"
            cause = {"reason": "FieldValueForbidden", "message": message, "field": "data"}
            return _status(422, "Invalid", f"ConfigMap is invalid: data: {message}", [cause])
        manager = request.query["fieldManager"]
        fields = applied_fields(body)
        wanted = set(leaves(fields))
        for entry in metadata.get("managedFields", []):
            if entry["manager"] == manager and entry["operation"] == "Apply":
                for path in leaves(entry["fieldsV1"]):
                    others = (e for e in metadata["managedFields"] if e is not entry)
                    if path not in wanted and not any(
                        path in set(leaves(e["fieldsV1"])) for e in others
                    ):
                        drop_at(obj, path)
        for path in wanted:
            if get_at(obj, path) != get_at(body, path):
                for entry in metadata.get("managedFields", []):
                    drop_field(entry["fieldsV1"], path)
        merge(obj, body)
        kept = [
            entry
            for entry in metadata.get("managedFields", [])
            if entry["fieldsV1"] and (entry["manager"], entry["operation"]) != (manager, "Apply")
        ]
        ours = {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": body["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        metadata["managedFields"] = [*kept, ours]
        if "dryRun" in request.query:
            if live is None:
                obj["metadata"].pop("resourceVersion", None)
            return web.json_response(obj)
        self._store(key, obj)
        return web.json_response(self.objects[key])

    def _json_patch(self, live, operations, key):
        obj = copy.deepcopy(live)
        for operation in operations:
            *path, last = (
                step.replace("~1", "/").replace("~0", "~")
                for step in operation["path"].split("/")[1:]
            )
            holder = obj
            for step in path:
                holder = holder[step]
            if operation["op"] == "remove":
                del holder[last]
            else:
                holder[last] = operation["value"]
        if obj["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified")
        self._store(key, obj)
        return web.json_response(self.objects[key])

    async def _delete(self, request, endpoint, key):
        obj = self.objects.get(key)
        if obj is None:
            return _not_found(endpoint, key)
        wanted = (await request.json()).get("preconditions") or {}
        for name in ("uid", "resourceVersion"):
            if wanted.get(name, obj["metadata"][name]) != obj["metadata"][name]:
                return _status(409, "Conflict", f"precondition failed: {name}")
        if obj["metadata"].get("finalizers"):
            obj = copy.deepcopy(obj)
            obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self._store(key, obj)
            return web.json_response(self.objects[key])
        self._remove(key)
        return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _discovery(self, *, core):
        groups = {}
        for endpoint in self.endpoints:
            if (endpoint.group == "") is core:
                groups.setdefault(endpoint.group, {}).setdefault(endpoint.version, []).append(
                    endpoint
                )
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "items": [
                {
                    "metadata": {"name": group},
                    "versions": [
                        {
                            "version": version,
                            "resources": [
                                {
                                    "resource": e.plural,
                                    "responseKind": {"kind": e.kind},
                                    "scope": "Namespaced" if e.namespaced else "Cluster",
                                    "verbs": ["get", "list", "watch", "patch", "delete"],
                                }
                                for e in endpoints
                            ],
                        }
                        for version, endpoints in versions.items()
                    ],
                }
                for group, versions in groups.items()
            ],
        }

    def _endpoint(self, obj):
        group, _, version = obj["apiVersion"].rpartition("/")
        return next(
            e
            for e in self.endpoints
            if (e.group, e.version, e.kind) == (group, version, obj["kind"])
        )

    def _key(self, endpoint, namespace, name):
        return (endpoint.group, endpoint.kind, namespace if endpoint.namespaced else None, name)

    def _key_of(self, obj):
        metadata = obj["metadata"]
        return self._key(self._endpoint(obj), metadata.get("namespace"), metadata["name"])

    def _store(self, key, obj):
        live = self.objects.get(key)
        metadata = obj["metadata"]
        if key[2] is not None:
            metadata["namespace"] = key[2]
        if live == obj:
            return
        self._version += 1
        metadata["resourceVersion"] = str(self._version)
        if live is None:
            self._uid += 1
            metadata["uid"] = f"uid-{self._uid}"
            metadata["generation"] = 1
        elif live.get("spec") != obj.get("spec"):
            metadata["generation"] += 1
        if key[1] == "CustomResourceDefinition" and self.instant_definitions:
            self.establish(obj)
        self.objects[key] = obj
        self._tell(key, "ADDED" if live is None else "MODIFIED", obj)

    def establish(self, definition):
        definition["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
        spec = definition["spec"]
        endpoint = Endpoint(
            spec["group"],
            spec["versions"][0]["name"],
            spec["names"]["plural"],
            spec["names"]["kind"],
            spec["scope"] == "Namespaced",
        )
        if endpoint not in self.endpoints:
            self.endpoints.append(endpoint)

    def touch(self, kind, name, change, namespace="default"):
        """Change a live object, status included, with nobody owning the change."""
        live = self.find(kind, name, namespace)
        after = copy.deepcopy(live)
        change(after)
        self._store(self._key_of(live), after)

    def _remove(self, key):
        obj = self.objects.pop(key)
        self._version += 1
        self._tell(key, "DELETED", obj)

    def _tell(self, key, kind, obj):
        for watched, events in self._watchers:
            if watched == key:
                events.put_nowait((kind, copy.deepcopy(obj)))

    @property
    def watched(self):
        """Names of the objects that someone watches now."""
        return {key[3] for key, _ in self._watchers}


def _status(code, reason, message, causes=()):
    return web.json_response(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            "details": {"causes": list(causes)},
        },
        status=code,
    )


def _not_found(endpoint, key):
    return _status(404, "NotFound", f'{endpoint.plural} "{key[3]}" not found')
