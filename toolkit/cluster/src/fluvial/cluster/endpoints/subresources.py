"""Subresources with a kind of their own: scale, token, eviction, binding, finalize, approval."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors, fields, schemas
from fluvial.cluster.builtin.strategy import Strategy
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.bindings import Bindings
from fluvial.cluster.endpoints.deletion import Deleter
from fluvial.cluster.endpoints.eviction import Evictions
from fluvial.cluster.endpoints.preconditions import another_namespace, check_name, modified, place
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.endpoints.tokenrequests import TokenRequests
from fluvial.cluster.endpoints.writes import Writer, changed
from fluvial.cluster.errors import (
    bad_request,
    conflict,
    forbidden,
    internal,
    invalid,
    method_not_allowed,
    not_implemented,
)
from fluvial.cluster.fields.scale import parent_managed_fields, scale_managed_fields
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Gvr, Resource

__all__ = ["Subresources"]

_SCALE = Resource("autoscaling", "v1", "scales", "scale", "Scale", "ScaleList", namespaced=True)
_PLAIN = Strategy()
_SPEC_ONLY = ("ephemeralcontainers", "resize")
_CREATED = {
    "binding": Resource("", "v1", "bindings", "binding", "Binding", "", namespaced=True),
    "eviction": Resource("policy", "v1", "evictions", "eviction", "Eviction", "", namespaced=True),
    "token": Resource(
        "authentication.k8s.io", "v1", "tokenrequests", "tokenrequest", "TokenRequest", "",
        namespaced=True,
    ),
}  # fmt: skip
"""The kinds of subresources that are created."""


class Subresources:
    """The verbs of subresources other than status."""

    def __init__(self, access: Access, writer: Writer, deleter: Deleter) -> None:
        self._access = access
        self._writer = writer
        self._evictions = Evictions(access, deleter)
        self._chain = access.endpoints.admission
        self._bindings = Bindings(access)
        self.tokens = TokenRequests(access)

    def get(self, target: Target) -> Object:
        """Read a subresource."""
        if target.subresource == "scale":
            return _shown(self._scale(target, self._live(target)))
        if target.subresource in (*_SPEC_ONLY, "approval"):
            return self._live(target)
        raise not_implemented(f"{target.resource.plural}/{target.subresource}")

    async def create(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Use a subresource that is created."""
        options.status_code = 201
        kind = _CREATED.get(target.subresource)
        if kind is None:
            raise not_implemented(f"{target.resource.plural}/{target.subresource}")
        if body.get("metadata") is None:
            body["metadata"] = {}
        schemas.decode(kind, body, options, _PLAIN)
        place(Target(kind, target.namespace), body)
        plain = Target(target.resource, target.namespace, target.name)
        if target.subresource == "token":
            self.tokens.check_names(plain, body)
            self._access.find(plain)
            body = await self._admitted(target, body, options)
            return self.tokens.answer(plain, body, options)
        body = await self._admitted(target, body, options)
        if target.subresource == "eviction":
            return self._evictions.evict(plain, body, options)
        return self._bindings.bind(plain, body, options)

    async def bind(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Use the old endpoint of bindings, where only the body names the pod."""
        pods = self._access.endpoints.catalog.find(Gvr("", "v1", "pods"))
        assert pods is not None
        meta = body.get("metadata")
        name = meta.get("name") if isinstance(meta, dict) else None
        named = Target(pods, target.namespace, name if isinstance(name, str) else "", "binding")
        return await self.create(named, body, options)

    async def update(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Replace a subresource."""
        if target.subresource == "scale":
            await self._access.loaded(target)
            schemas.decode(_SCALE, body, options, _PLAIN)
            self._check_named(target, body)
            return await self._rescale(target, body, options)
        if target.subresource == "finalize":
            return await self._finalize(target, body, options)
        if target.subresource in _SPEC_ONLY:
            return await self._writer.update(target, body, options)
        if target.subresource == "approval":
            return await self._approve(target, body, options)
        raise method_not_allowed()

    async def patch(self, target: Target, patch: Any, form: str, options: WriteOptions) -> Object:
        """Patch a subresource."""
        if target.subresource != "scale":
            place = target.subresource if target.subresource in _SPEC_ONLY else ""
            place = "status" if target.subresource == "approval" else place
            plain = Target(target.resource, target.namespace, target.name, place)
            return await self._writer.patch(plain, patch, form, options)
        await self._access.loaded(target)
        scale = self._scale(target, self._live(target))
        if form == "apply":
            schema = fields.schema_for_builtin("autoscaling", "v1", "Scale")
            now = self._access.now()
            try:
                result = fields.apply(
                    scale, patch, manager=options.manager, subresource="scale", schema=schema,
                    force=options.force, now=now, version="autoscaling/v1",
                )  # fmt: skip
            except fields.ApplyConflict as error:
                causes = [
                    {"reason": "FieldManagerConflict", "message": c.message, "field": c.field}
                    for c in error.causes
                ]
                found = conflict("", "", "", "")
                found.message, found.details = str(error), {"causes": causes}
                raise found from None
            return await self._rescale(target, result, options, tracked=True)
        result = schemas.patched(_SCALE, scale, patch, form, options, _PLAIN)
        self._check_named(target, result)
        if result["metadata"].get("resourceVersion") == scale["metadata"]["resourceVersion"]:
            result["metadata"].pop("resourceVersion")
        return await self._rescale(target, result, options)

    @staticmethod
    def _check_named(target: Target, body: Object) -> None:
        """Refuse the body of another object."""
        meta = body.get("metadata") or {}
        check_name(target, meta.get("name", ""))
        if meta.get("namespace") not in (None, target.namespace):
            raise another_namespace()

    async def _admitted(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Return the body of a created subresource as admission lets it pass."""
        if self._chain.idle:
            return body
        asked = Attributes.of(target, "CREATE", body, None, options)
        body = await self._chain.admit(asked)
        await self._chain.validate(asked.now(body, target.name))
        return body

    def _check_unmoved(self, target: Target, live: Object) -> None:
        """Refuse to overwrite what came in while admission was asked."""
        entry = self._access.find(target)
        if str(entry.revision) != live["metadata"]["resourceVersion"]:
            raise modified(target)

    def _live(self, target: Target) -> Object:
        return self._access.own(target.resource, self._access.find(target))

    def _paths(self, target: Target) -> dict[str, str]:
        custom = target.resource.custom
        if custom is not None and custom.scale is not None:
            return custom.scale
        return {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": "",
        }

    def _scale(self, target: Target, live: Object) -> Object:
        paths, meta = self._paths(target), live["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        scale_meta = {key: meta[key] for key in kept if key in meta}
        replicas = _read(live, paths["specReplicasPath"])
        if replicas is None and target.resource.custom is not None:
            name = f'"{paths["specReplicasPath"]}"'
            raise internal(f"the spec replicas field {name} does not exist")
        status: Object = {"replicas": _read(live, paths["statusReplicasPath"]) or 0}
        selector = self._selector_text(target, live, paths)
        if selector:
            status["selector"] = selector
        spec: Object = {"replicas": replicas} if replicas else {}
        managed = scale_managed_fields(meta.get("managedFields"), self._replica_paths(target))
        if managed:
            scale_meta["managedFields"] = managed
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": scale_meta,
            "spec": spec,
            "status": status,
        }

    def _replica_paths(self, target: Target) -> dict[str, tuple[str, ...]]:
        path = self._paths(target)["specReplicasPath"]
        fields_path = tuple(f"f:{part}" for part in path.split(".") if part)
        prefix = target.resource.prefix
        versions = self._access.endpoints.catalog.stored_as(prefix)
        return {resource.api_version: fields_path for resource in versions}

    @staticmethod
    def _selector_text(target: Target, live: Object, paths: dict[str, str]) -> str:
        if target.resource.custom is not None:
            path = paths.get("labelSelectorPath")
            return str(_read(live, path) or "") if path else ""
        selector = live["spec"].get("selector") or {}
        if "matchLabels" not in selector and "matchExpressions" not in selector:
            labels: Object = selector
            expressions: list[Object] = []
        else:
            labels = selector.get("matchLabels") or {}
            expressions = selector.get("matchExpressions") or []
        terms = [(key, f"{key}={value}") for key, value in labels.items()]
        for term in expressions:
            key, values = term["key"], ",".join(sorted(term.get("values") or []))
            text = {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[term["operator"]]
            terms.append((key, text))
        return ",".join(text for _, text in sorted(terms))

    async def _rescale(
        self, target: Target, scale: Object, options: WriteOptions, *, tracked: bool = False
    ) -> Object:
        live = self._live(target)
        meta = scale.get("metadata") or {}
        resource = target.resource
        uid, version = meta.get("uid"), meta.get("resourceVersion")
        if uid and uid != live["metadata"]["uid"] and resource.custom is None:
            why = (
                f"Precondition failed. UID in precondition: {uid}, UID in object meta: "
                f"{live['metadata']['uid']}"
            )
            raise conflict(resource.group, f"{resource.plural}/scale", target.name, why)
        if version and version != live["metadata"]["resourceVersion"]:
            raise modified(target)
        asked = Attributes.of(target, "UPDATE", scale, self._scale(target, live), options)
        if not self._chain.idle:
            scale = await self._chain.admit(asked)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise bad_request(
                'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
                "string into Go struct field ScaleSpec.spec.replicas of type int32"
            )
        if replicas < 0 and resource.custom is None:
            text = "must be greater than or equal to 0"
            cause = fielderrors.invalid("spec.replicas", replicas, text)
            raise invalid("autoscaling", "Scale", target.name, [cause])
        if not self._chain.idle:
            await self._chain.validate(asked.now(scale, target.name))
            self._check_unmoved(target, live)
        new = self._access.copy(live)
        _write(new, self._paths(target)["specReplicasPath"], replicas)
        self._check_custom(target, new, live, replicas)
        if not tracked:
            before = self._scale(target, live)
            after = {**self._access.copy(before), "spec": {"replicas": replicas}}
            scale = fields.track_update(
                before, after, manager=options.manager, subresource="scale",
                schema=fields.schema_for_builtin("autoscaling", "v1", "Scale"),
                now=self._access.now(), version="autoscaling/v1",
            )  # fmt: skip
        managed = parent_managed_fields(
            live["metadata"].get("managedFields"),
            scale["metadata"].get("managedFields"),
            self._replica_paths(target),
            resource.api_version,
        )
        if managed:
            new["metadata"]["managedFields"] = managed
        if changed(new, live):
            if new.get("spec") != live.get("spec"):
                new["metadata"]["generation"] = live["metadata"].get("generation", 0) + 1
            forms = await self._access.forms(resource, new)
            if forms is not None:
                self._check_unmoved(target, live)
            if not options.dry_run:
                new = self._access.put(target, new, forms)
        return _shown(self._scale(target, new))

    async def _approve(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Set the conditions of a signing request, which only this subresource may do."""
        live = self._live(target)
        conditions = (body.get("status") or {}).get("conditions")
        status = {**(live.get("status") or {}), "conditions": conditions}
        whole = Target(target.resource, target.namespace, target.name, "status")
        return await self._writer.update(
            whole, {**body, "spec": live["spec"], "status": status}, options
        )

    def _check_custom(self, target: Target, new: Object, old: Object, replicas: int) -> None:
        """Refuse a scale that the schema of the custom resource behind it does not allow."""
        resource = target.resource
        if resource.custom is None:
            return
        path = self._paths(target)["specReplicasPath"]
        causes = schemas.validate(resource, new, old)
        if replicas < 0:
            text = "should be a non-negative integer"
            causes.insert(0, fielderrors.invalid(path, replicas, text))
        if causes:
            raise invalid(resource.group, resource.kind, target.name, causes)

    async def _finalize(self, target: Target, body: Object, options: WriteOptions) -> Object:
        if not self._chain.idle:
            asked = Attributes.of(target, "UPDATE", body, self._live(target), options)
            body = await self._chain.admit(asked)
            await self._chain.validate(asked.now(body, target.name))
        live = self._live(target)
        if target.resource.prefix != "/namespaces":
            raise forbidden("", target.resource.plural, target.name, "finalize is for namespaces")
        version = (body.get("metadata") or {}).get("resourceVersion")
        if version and version != live["metadata"]["resourceVersion"]:
            raise modified(target)
        finalizers = (body.get("spec") or {}).get("finalizers") or []
        if finalizers:
            live["spec"]["finalizers"] = finalizers
        else:
            live["spec"].pop("finalizers", None)
        gone = live["metadata"].get("deletionTimestamp") and not finalizers
        if gone and not live["metadata"].get("finalizers"):
            if not options.dry_run:
                self._access.store.remove(
                    target.resource.prefix, target.key, self._access.copy(live)
                )
            return live
        if not options.dry_run:
            entry = self._access.store.put(target.resource.prefix, target.key, live)
            return self._access.copy(entry.object)
        return live


def _read(obj: Any, path: str) -> Any:
    for part in path.split("."):
        if part:
            obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _write(obj: Object, path: str, value: Any) -> None:
    parts = [part for part in path.split(".") if part]
    for part in parts[:-1]:
        obj = obj.setdefault(part, {})
    obj[parts[-1]] = value


def _shown(scale: Object) -> Object:
    """Return a Scale as it is answered: without managedFields."""
    scale["metadata"].pop("managedFields", None)
    return scale
