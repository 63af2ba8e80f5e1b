"""create, update, patch and apply, in the order of steps that upstream has.

Body checks, managedFields, admission, preparation, validation, store. A write that would change
nothing but times in managedFields is not done: resourceVersion stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

from fluvial.cluster import fielderrors, schemas
from fluvial.cluster.builtin.metadata import (
    metadata_errors,
    metadata_update_errors,
)
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.endpoints import lifecycle, plugins, podsecurity, quotas
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.conversion.calls import Forms
from fluvial.cluster.endpoints.deletion import Deleter
from fluvial.cluster.endpoints.preconditions import (
    another_namespace,
    another_uid,
    check_name,
    generated,
    modified,
    place,
)
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import (
    Cause,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    generic,
    invalid,
)
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Gvr, Resource

__all__ = ["Writer", "changed"]

ATTEMPTS = 20
"""How often a write is begun again because another came in while webhooks were asked."""
SERVER_SET = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def changed(new: Object, old: Object) -> bool:
    """Tell whether a write has to be done: anything differs but the times of managers."""

    def bare(obj: Object) -> Object:
        meta = dict(obj.get("metadata") or {})
        fields = meta.pop("managedFields", None) or []
        meta.pop("resourceVersion", None)
        meta["managedFields"] = [
            {key: value for key, value in entry.items() if key != "time"} for entry in fields
        ]
        return {**obj, "metadata": meta}

    return bare(new) != bare(old)


class _MovedError(Exception):
    """Another write came in while admission was asked: begin again with what is there now."""


class Writer:
    """All writes but deletes.

    They run without a pause, unless a webhook of admission or of a conversion is asked. What was
    read before is then looked at again, and the write begins anew when it is no longer there.
    """

    def __init__(self, access: Access, deleter: Deleter) -> None:
        self._access = access
        self._deleter = deleter
        self._chain = access.endpoints.admission

    async def create(self, target: Target, obj: Object, options: WriteOptions) -> Object:
        """Create an object from a decoded body, which is taken over and changed."""
        self._read(target, obj, options)
        meta = obj["metadata"]
        versioned = meta.get("resourceVersion", "").isdigit() and int(meta["resourceVersion"]) > 0
        meta.pop("managedFields", None)
        self._strip(target.resource, obj)
        before = self._without_status(target.resource, obj)
        return await self._create(target, before, obj, options, versioned=versioned)

    async def _create(
        self,
        target: Target,
        owned: Object | None,
        obj: Object,
        options: WriteOptions,
        *,
        versioned: bool = False,
    ) -> Object:
        """Create `obj`; `owned` is what the manager is recorded for (None: obj says so).

        `versioned` tells that the body had a resource version, which only the store may refuse.
        """
        resource, meta = target.resource, obj["metadata"]
        strategy, context = self._access.strategy(resource), self._context(options)
        self._strip(resource, obj)
        if owned is not None:
            schemas.track(resource, None, owned, options, "", self._access.now())
            if owned["metadata"].get("managedFields"):
                meta["managedFields"] = owned["metadata"]["managedFields"]
        named = Target(resource, target.namespace, meta.get("name", ""))
        lifecycle.creating(self._access, named)
        plugins.mutate(self._access, named, obj)
        asked = Attributes.of(named, "CREATE", obj, None, options)
        if not self._chain.idle:
            obj = await self._chain.admit(
                asked, lambda made: plugins.mutate(self._access, named, made)
            )
            meta = obj["metadata"]
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = generated(meta["generateName"])
        named = Target(resource, target.namespace, meta.get("name", ""))
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self._access.now()
        if resource.namespaced:
            meta["namespace"] = target.namespace
        else:
            meta.pop("namespace", None)
        if strategy.generation:
            meta["generation"] = 1
        strategy.prepare_create(obj, context)
        try:
            return await self._finish(named, obj, asked, options, versioned=versioned)
        except StatusError:
            if not options.dry_run:
                strategy.undo_create(obj)
            raise

    async def _finish(
        self,
        named: Target,
        obj: Object,
        asked: Attributes,
        options: WriteOptions,
        *,
        versioned: bool,
    ) -> Object:
        """Validate a prepared object, ask admission for the last time, and store it."""
        resource = named.resource
        strategy, context = self._access.strategy(resource), self._context(options)
        causes = self._metadata_errors(resource, strategy, obj)
        causes += schemas.validate(resource, obj, None)
        causes += strategy.validate(obj, context)
        self._refuse(resource, named.name, causes)
        plugins.validate(self._access, named, obj, None)
        podsecurity.check(self._access, named, obj, options)
        if not self._chain.idle:
            await self._chain.validate(asked.now(obj, named.name))
        forms = await self._access.forms(resource, obj)
        if forms is not None or not self._chain.idle:
            lifecycle.creating(self._access, named)
        charge = quotas.charge(self._access, named, obj, None)
        if versioned and not options.dry_run:
            raise generic(500, "", "resourceVersion should not be set on objects to be created")
        if self._access.store.get(resource.prefix, named.key) is not None:
            raise self._exists(named)
        if self._access.endpoints.guard_roles is not None:
            self._access.endpoints.guard_roles(obj, None, options.user)
        options.warnings += strategy.warnings(obj, None)
        options.status_code = 201
        made = self._store(named, obj, options, forms)
        if not options.dry_run:
            charge.paid()
        return made

    def _strip(self, resource: Resource, obj: Object) -> None:
        """Drop what only the server sets."""
        meta = obj["metadata"]
        for key in (*SERVER_SET, "resourceVersion", "selfLink"):
            meta.pop(key, None)
        if self._access.strategy(resource).generation:
            meta.pop("generation", None)

    async def update(self, target: Target, obj: Object, options: WriteOptions) -> Object:
        """Replace an object (or, with the subresource, its status) by a decoded body."""
        return await self._settled(target, obj, options, self._update)

    async def _settled(
        self,
        target: Target,
        body: Object,
        options: WriteOptions,
        attempt: Callable[[Target, Object, WriteOptions], Awaitable[Object]],
    ) -> Object:
        """Do a write, again if another came in while admission was asked."""
        if self._chain.idle and not target.resource.converts:
            return await attempt(target, body, options)
        before = list(options.warnings)
        for _ in range(ATTEMPTS):
            options.warnings[:] = before
            try:
                return await attempt(target, self._access.copy(body), options)
            except _MovedError:
                continue
        raise modified(target)

    def _read(
        self, target: Target, obj: Object, options: WriteOptions, *, named: bool = False
    ) -> None:
        """Decode a body and see that it is about what its path names."""
        if obj.get("metadata") is None:
            obj["metadata"] = {}
        schemas.decode(target.resource, obj, options, self._access.strategy(target.resource))
        if named:
            check_name(target, obj["metadata"].get("name", ""))
        place(target, obj)

    async def _update(self, target: Target, obj: Object, options: WriteOptions) -> Object:
        self._read(target, obj, options, named=True)
        resource = target.resource
        strategy = self._access.strategy(resource)
        entry = await self._access.loaded(target)
        if entry is None:
            return await self._upsert(target, obj, options, strategy)
        old = self._access.own(resource, entry)
        managed = obj["metadata"].get("managedFields")
        owned = self._access.copy(obj)
        for key in (*SERVER_SET, "selfLink"):
            self._keep(owned["metadata"], old["metadata"], key)
        if strategy.generation:
            self._keep(owned["metadata"], old["metadata"], "generation")
        if managed is None:
            self._keep(owned["metadata"], old["metadata"], "managedFields")
        self._check_uid(target, obj["metadata"], old["metadata"])
        self._require_version(target, strategy, obj["metadata"])
        return await self._replace(target, owned, old, options)

    async def _upsert(
        self, target: Target, obj: Object, options: WriteOptions, strategy: Strategy
    ) -> Object:
        if not strategy.create_on_update or target.subresource:
            raise self._access.missing(target)
        if obj["metadata"].get("uid") or obj["metadata"].get("resourceVersion"):
            raise another_uid(target, obj["metadata"].get("uid", ""), "")
        owned = self._without_status(target.resource, obj)
        return await self._create(target, owned, obj, options)

    async def patch(
        self, target: Target, patch: object, form: str, options: WriteOptions
    ) -> Object:
        """Patch an object: form json, merge or strategic; or apply a configuration."""
        if form == "apply" and not isinstance(patch, dict):
            raise bad_request("the applied configuration is not an object")

        async def attempt(target: Target, body: Object, options: WriteOptions) -> Object:
            if form == "apply":
                return await self._apply(target, body, options)
            return await self._patch(target, body["patch"], form, options)

        body = patch if form == "apply" and isinstance(patch, dict) else {"patch": patch}
        return await self._settled(target, body, options, attempt)

    async def _patch(
        self, target: Target, patch: object, form: str, options: WriteOptions
    ) -> Object:
        resource = target.resource
        entry = await self._access.loaded(target)
        if entry is None:
            raise self._access.missing(target)
        old = self._access.own(resource, entry)
        strategy = self._access.strategy(resource)
        obj = schemas.patched(resource, old, patch, form, options, strategy)
        meta = obj["metadata"]
        try:
            check_name(target, meta.get("name", ""))
        except StatusError as error:
            error.warnings = options.warnings
            raise
        place(target, obj)
        self._own(meta, old["metadata"])
        return await self._replace(target, obj, old, options)

    async def _apply(self, target: Target, patch: Object, options: WriteOptions) -> Object:
        resource = target.resource
        strategy = self._access.strategy(resource)
        entry = await self._access.loaded(target)
        if entry is None and target.subresource:
            raise self._access.missing(target)
        live = None if entry is None else self._access.own(resource, entry)
        body = self._access.copy(patch)
        body.setdefault("metadata", {})
        obj = schemas.applied(resource, live, body, target, options, self._access.now(), strategy)
        self._check_applied_name(target, body["metadata"])
        if live is None:
            uid, version = body["metadata"].get("uid"), body["metadata"].get("resourceVersion")
            if uid:
                why = (
                    f"uid mismatch: the provided object specified uid {uid}, and no existing "
                    "object was found"
                )
                raise conflict(resource.group, resource.plural, target.name, why)
            if version and target.resource.custom is not None:
                raise modified(target)
            return await self._create(target, None, obj, options)
        self._own(obj["metadata"], live["metadata"])
        if not body["metadata"].get("resourceVersion"):
            obj["metadata"].pop("resourceVersion", None)
        return await self._replace(target, obj, live, options, applied=True)

    def _own(self, meta: Object, old: Object) -> None:
        """Put back what only the server sets; another uid or deletion is left to validation."""
        for key in (*SERVER_SET, "selfLink"):
            if key not in ("uid", "deletionTimestamp") or not meta.get(key):
                self._keep(meta, old, key)
        self._keep(meta, old, "generation")

    def _check_applied_name(self, target: Target, meta: Object) -> None:
        """Refuse a configuration of another object, or of none."""
        check_name(target, meta.get("name", ""))
        namespace = meta.get("namespace")
        if namespace and target.resource.namespaced and namespace != target.namespace:
            raise another_namespace()

    async def _replace(
        self,
        target: Target,
        obj: Object,
        old: Object,
        options: WriteOptions,
        *,
        applied: bool = False,
    ) -> Object:
        resource = target.resource
        strategy = self._access.strategy(resource)
        context = self._context(options, target.subresource)
        meta = obj["metadata"]
        self._check_version(target, meta, old["metadata"])
        if resource.namespaced:
            meta["namespace"] = target.namespace
        else:
            meta.pop("namespace", None)
        stable = target.subresource == "status"
        obj = self._writable(target, strategy, obj, old)
        if not applied:
            schemas.track(resource, old, obj, options, target.subresource, self._access.now())
        asked = Attributes.of(target, "UPDATE", obj, old, options)
        if not self._chain.idle:
            obj = self._writable(target, strategy, await self._chain.admit(asked), old)
        meta = obj["metadata"]
        if not stable:
            strategy.prepare_update(obj, old, context)
            if strategy.generation and strategy.changes_generation(obj, old):
                meta["generation"] = old["metadata"].get("generation", 0) + 1
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        causes = [] if stable else self._metadata_errors(resource, strategy, obj)
        moved = metadata_update_errors(obj, old)
        causes += moved if resource.custom is not None else moved * 2
        causes += schemas.validate(resource, obj, old, target.subresource)
        if stable:
            causes += strategy.validate_status(obj, old)
        else:
            causes += strategy.validate(obj, context)
            causes += strategy.validate_update(obj, old, context)
        self._refuse(resource, target.name, causes)
        if not target.subresource:
            plugins.validate(self._access, target, obj, old)
            if resource.prefix != "/pods":
                podsecurity.check(self._access, target, obj, options)
        if not self._chain.idle:
            await self._chain.validate(asked.now(obj, target.name))
        is_new = changed(obj, old)
        forms = await self._access.forms(resource, obj) if is_new else None
        if forms is not None or not self._chain.idle:
            self._check_unmoved(target, old)
        charge = quotas.charge(self._access, target, obj, old)
        if self._access.endpoints.guard_roles is not None:
            self._access.endpoints.guard_roles(obj, old, options.user)
        if not stable:
            options.warnings += strategy.warnings(obj, old)
        if self._deleter.is_finished(target, obj, old):
            self._deleter.finish(target, self._access.copy(obj), options)
            return obj
        if not is_new:
            return old
        made = self._store(target, obj, options, forms)
        if not options.dry_run:
            charge.paid()
        return made

    def _writable(self, target: Target, strategy: Strategy, obj: Object, old: Object) -> Object:
        """Return `obj` with what this endpoint does not write as it was."""
        if target.subresource == "status":
            return self._status_only(target.resource, strategy, obj, old)
        if self._has_status(target.resource):
            self._keep(obj, old, "status")
        if target.subresource:
            return strategy.narrowed(obj, old, target.subresource)
        return obj

    def _check_unmoved(self, target: Target, old: Object) -> None:
        """Make sure that the object is still the one that was read before a pause."""
        entry = self._access.store.get(target.resource.prefix, target.key)
        if entry is None or str(entry.revision) != old["metadata"]["resourceVersion"]:
            raise _MovedError

    def _status_only(
        self, resource: Resource, strategy: Strategy, obj: Object, old: Object
    ) -> Object:
        """Return `old` with the status (and managedFields) of `obj`."""
        result = self._access.copy(old)
        self._keep(result, obj, "status")
        for key in ("managedFields", "uid", "resourceVersion"):
            self._keep(result["metadata"], obj["metadata"], key)
        if resource.custom is None:
            for key in ("labels", "annotations", "finalizers", "ownerReferences"):
                if key not in strategy.status_keeps:
                    self._keep(result["metadata"], obj["metadata"], key)
        strategy.prepare_status(result, old)
        return result

    def _check_uid(self, target: Target, meta: Object, old: Object) -> None:
        if meta.get("uid") and meta["uid"] != old["uid"]:
            raise another_uid(target, meta["uid"], old["uid"])

    @staticmethod
    def _require_version(target: Target, strategy: Strategy, meta: Object) -> None:
        """Refuse a PUT without a resource version for kinds that must have one."""
        if strategy.needs_version and not meta.get("resourceVersion"):
            text = "must be specified for an update"
            cause = fielderrors.invalid("metadata.resourceVersion", 0, text)
            resource = target.resource
            raise invalid(resource.group, resource.plural, target.name, [cause])

    def _check_version(self, target: Target, meta: Object, old: Object) -> None:
        version = meta.get("resourceVersion")
        if version and not version.isdigit():
            raise generic(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if version and version not in ("0", old["resourceVersion"]):
            raise modified(target)

    def _store(
        self, target: Target, obj: Object, options: WriteOptions, forms: Forms | None
    ) -> Object:
        if not options.dry_run:
            return self._access.put(target, obj, forms)
        shown = obj if forms is None else forms.shown
        if options.status_code == 201:
            shown["metadata"].pop("resourceVersion", None)
        return shown

    def _context(self, options: WriteOptions, subresource: str = "") -> Context:
        def find(text: str, namespace: str, name: str) -> Object | None:
            resource = self._access.endpoints.catalog.find(Gvr.parse(text))
            assert resource is not None
            entry = self._access.store.get(resource.prefix, (namespace, name))
            return None if entry is None else self._access.view(resource, entry)

        return Context(find, options.dry_run, options.user.info(), subresource)

    def _metadata_errors(self, resource: Resource, strategy: Strategy, obj: Object) -> list[Cause]:
        return metadata_errors(
            obj,
            namespaced=resource.namespaced,
            name_errors=strategy.name_errors,
            finalizers=None if resource.custom else strategy.finalizer_errors,
        )

    @staticmethod
    def _has_status(resource: Resource) -> bool:
        return resource.subresource("status") is not None

    def _without_status(self, resource: Resource, obj: Object) -> Object:
        owned = self._access.copy(obj)
        if self._has_status(resource):
            owned.pop("status", None)
        return owned

    @staticmethod
    def _keep(new: Object, old: Object, key: str) -> None:
        if key in old:
            new[key] = old[key]
        else:
            new.pop(key, None)

    def _refuse(self, resource: Resource, name: str, causes: list[Cause]) -> None:
        if causes:
            stored = self._access.storage_resource(resource)
            raise invalid(stored.group, stored.kind, name, causes)

    def _exists(self, target: Target) -> StatusError:
        resource = target.resource
        error = already_exists(resource.group, resource.plural, target.name)
        entry = self._access.find(target)
        if entry.object["metadata"].get("deletionTimestamp"):
            error.message = "object is being deleted: " + error.message
        return error
