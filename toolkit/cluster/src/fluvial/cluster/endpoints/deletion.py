"""delete: preconditions, grace, propagation, finalizers, and the end of an object."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.definitions import CLEANUP
from fluvial.cluster.endpoints import lifecycle
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import Cause, conflict, invalid
from fluvial.cluster.objects import Object, rfc3339

__all__ = ["Deleter"]

DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions"
POLICIES = ("Foreground", "Background", "Orphan")
JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set "
    "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress "
    "this warning"
)


class Deleter:
    """Deletes objects and ends those whose last finalizer went."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def delete(
        self,
        target: Target,
        body: Object,
        options: WriteOptions,
        *,
        missing_ok: bool = False,
        named: bool = True,
    ) -> Object:
        """Delete by a `DeleteOptions`; returns the object or a Status, as the kind wants.

        `named` is False for one of a collection: then admission is not told the name.
        """
        chain = self._access.endpoints.admission
        while True:
            await self._access.loaded(target)
            old = self._prepare(target, body, missing_ok=missing_ok)
            if old is None:
                return {}
            if chain.idle:
                break
            asked = Attributes.of(target, "DELETE", None, self._access.copy(old), options)
            await chain.review(asked if named else asked.unnamed())
            entry = self._access.store.get(target.resource.prefix, target.key)
            if entry is not None and str(entry.revision) == old["metadata"]["resourceVersion"]:
                break  # else another write came in while webhooks were asked
        own = self._access.as_stored(target)
        if own is target:
            return self._delete(target, old, body, options)
        # Only metadata changes: the object is written in the version that it is stored in.
        old = self._access.own(own.resource, self._access.find(own))
        return await self._access.shown(target.resource, self._delete(own, old, body, options))

    def delete_unasked(
        self, target: Target, body: Object, options: WriteOptions, *, missing_ok: bool = True
    ) -> Object:
        """Delete what the server itself removes, which no webhook is asked about."""
        old = self._prepare(target, body, missing_ok=missing_ok)
        return {} if old is None else self._delete(target, old, body, options)

    def _prepare(self, target: Target, body: Object, *, missing_ok: bool) -> Object | None:
        """Return the object that is to be deleted, after the checks that come first."""
        self._check(body)
        resource = target.resource
        if missing_ok and self._access.store.get(resource.prefix, target.key) is None:
            return None
        lifecycle.deleting(target)
        old = self._access.own(resource, self._access.find(target))
        self._check_preconditions(target, body.get("preconditions") or {}, old["metadata"])
        return old

    def _delete(self, target: Target, old: Object, body: Object, options: WriteOptions) -> Object:
        resource = target.resource
        strategy = self._access.strategy(resource)
        if resource.prefix == "/namespaces" and self._terminate_namespace(old):
            return self._write(target, old, options, changed=True)
        if resource.prefix == DEFINITIONS:
            meta = old["metadata"]
            if meta.get("deletionTimestamp") is None:
                meta["deletionTimestamp"] = self._access.now()
                meta["finalizers"] = [*(meta.get("finalizers") or []), CLEANUP]
                self._announce(old)
            return self._write(target, old, options, changed=True)
        if resource.prefix == "batch/jobs" and not self._explicit(body):
            options.warnings.append(JOB_WARNING)
        meta = old["metadata"]
        finalizers = self._finalizers(
            meta.get("finalizers") or [], body, strategy.collection_policy
        )
        generation = strategy.generation and strategy.deletion_generation
        grace = strategy.grace(old, body.get("gracePeriodSeconds"))
        if resource.prefix == "/namespaces":
            finalizers = meta.get("finalizers") or []
        if not finalizers and grace == 0:
            if resource.prefix == "/pods":
                self._mark(old, 0, generation)
            return self.finish(target, old, options, answered=True)
        was = (meta.get("finalizers") or [], meta.get("deletionGracePeriodSeconds"))
        if meta.get("deletionTimestamp") is None:
            self._mark(old, grace, generation)
        elif grace < (meta.get("deletionGracePeriodSeconds") or 0):
            self._shorten(meta, grace)
        meta.pop("finalizers", None)
        if finalizers:
            meta["finalizers"] = finalizers
        changed = was != (finalizers, meta.get("deletionGracePeriodSeconds"))
        return self._write(target, old, options, changed=changed)

    def is_finished(self, target: Target, obj: Object, old: Object) -> bool:
        """Tell whether an update of a terminating object is its end."""
        meta = obj["metadata"]
        if not old["metadata"].get("deletionTimestamp") or meta.get("finalizers"):
            return False
        if target.resource.prefix == "/namespaces":
            return not (obj.get("spec") or {}).get("finalizers")
        return not meta.get("deletionGracePeriodSeconds")

    def finish(
        self, target: Target, last: Object, options: WriteOptions, *, answered: bool = False
    ) -> Object:
        """Remove an object; returns it as it was last, or the Status of a plain delete."""
        resource = target.resource
        strategy = self._access.strategy(resource)
        if not options.dry_run:
            stored = self._access.to_storage(resource, self._access.copy(last))
            entry = self._access.store.remove(resource.prefix, target.key, stored)
            last = self._access.own(resource, entry)
            strategy.deleted(last)
            if resource.custom is not None and self._access.endpoints.on_removed is not None:
                self._access.endpoints.on_removed()
        if answered and not strategy.returns_deleted:
            return self._success(target, last)
        return last

    @staticmethod
    def _success(target: Target, last: Object) -> Object:
        resource = target.resource
        details = {"name": target.name, "group": resource.group, "kind": resource.plural}
        details["uid"] = last["metadata"]["uid"]
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {key: value for key, value in details.items() if value},
        }

    def _write(
        self, target: Target, obj: Object, options: WriteOptions, *, changed: bool
    ) -> Object:
        if options.dry_run or not changed:
            return obj
        entry = self._access.store.get(target.resource.prefix, target.key)
        stored = self._access.to_storage(target.resource, self._access.copy(obj))
        if entry is not None and entry.object == stored:
            return obj
        return self._access.put(target, obj, None)

    def _mark(self, obj: Object, grace: int, generation: bool) -> None:
        meta = obj["metadata"]
        if meta.get("deletionTimestamp") is not None:
            meta["deletionGracePeriodSeconds"] = grace
            return
        when = self._access.endpoints.clock() + dt.timedelta(seconds=grace)
        meta["deletionTimestamp"] = rfc3339(when)
        meta["deletionGracePeriodSeconds"] = grace
        if generation and meta.get("generation"):
            meta["generation"] += 1

    def _shorten(self, meta: Object, grace: int) -> None:
        when = self._access.endpoints.clock() + dt.timedelta(seconds=grace)
        meta["deletionTimestamp"] = rfc3339(when)
        meta["deletionGracePeriodSeconds"] = grace

    def _terminate_namespace(self, obj: Object) -> bool:
        """Mark a namespace as terminating; false when it may go at once."""
        if not (obj.get("spec") or {}).get("finalizers"):
            return bool(obj["metadata"].get("finalizers"))
        meta = obj["metadata"]
        meta.setdefault("deletionTimestamp", self._access.now())
        obj.setdefault("status", {})["phase"] = "Terminating"
        return True

    def _announce(self, definition: Object) -> None:
        """Say in a definition's status that its objects will be deleted."""
        status = definition.setdefault("status", {})
        status["conditions"] = [
            *(status.get("conditions") or []),
            {
                "type": "Terminating",
                "status": "True",
                "lastTransitionTime": self._access.now(),
                "reason": "InstanceDeletionPending",
                "message": "CustomResourceDefinition marked for deletion; CustomResource deletion "
                "will begin soon",
            },
        ]

    @staticmethod
    def _explicit(body: Object) -> bool:
        return body.get("propagationPolicy") is not None or body.get("orphanDependents") is not None

    def _finalizers(self, present: list[str], body: Object, default: str) -> list[str]:
        if not default:
            return present
        policy = body.get("propagationPolicy")
        if policy is None and body.get("orphanDependents") is not None:
            policy = "Orphan" if body["orphanDependents"] else "Background"
        if policy is None:
            if "orphan" in present or "foregroundDeletion" in present:
                return present
            policy = "Orphan" if default == "orphan" else "Background"
        kept = [name for name in present if name not in ("orphan", "foregroundDeletion")]
        added = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}.get(policy)
        if added is None:
            return kept
        return present if added in present and len(present) == len(kept) + 1 else [*kept, added]

    @staticmethod
    def _check_preconditions(target: Target, wanted: dict[str, Any], meta: Object) -> None:
        resource = target.resource
        uid, version = wanted.get("uid"), wanted.get("resourceVersion")
        if uid is not None and uid != meta["uid"]:
            why = (
                f"the UID in the precondition ({uid}) does not match the UID in record "
                f"({meta['uid']}). The object might have been deleted and then recreated"
            )
            raise conflict(resource.group, resource.kind, target.name, why)
        if version is not None and version != meta["resourceVersion"]:
            why = (
                f"the ResourceVersion in the precondition ({version}) does not match the "
                f"ResourceVersion in record ({meta['resourceVersion']}). The object might have "
                "been modified"
            )
            raise conflict(resource.group, resource.kind, target.name, why)

    @staticmethod
    def _check(body: Object) -> None:
        causes: list[Cause] = []
        policy = body.get("propagationPolicy")
        if policy is not None and body.get("orphanDependents") is not None:
            text = "orphanDependents and deletionPropagation cannot be both set"
            causes.append(fielderrors.invalid("propagationPolicy", policy, text))
        if policy is not None and policy not in POLICIES:
            shown = ", ".join(f'"{name}"' for name in (*POLICIES, "nil"))
            causes.append(
                {
                    "reason": "FieldValueNotSupported",
                    "message": f'Unsupported value: "{policy}": supported values: {shown}',
                    "field": "propagationPolicy",
                }
            )
        dry = body.get("dryRun") or []
        if any(name != "All" for name in dry):
            causes.append(fielderrors.not_supported("dryRun", dry, ["All"]))
        if causes:
            raise invalid("meta.k8s.io", "DeleteOptions", "", causes)
