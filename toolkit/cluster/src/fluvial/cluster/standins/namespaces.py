"""The end of a namespace: its contents are deleted, then its finalizer is taken off."""

from __future__ import annotations

import collections
import copy
import datetime as dt
from collections.abc import Sequence

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata, name_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting, uid_of
from fluvial.cluster.standins.resources import NAMESPACES
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Namespaces", "remaining_conditions"]

_FINALIZER = "kubernetes"
_AGAIN = 0.25


def remaining_conditions(
    found: list[Object],
    left: dict[str, int],
    finalizers: dict[str, int],
    *,
    now: dt.datetime,
    failures: Sequence[str] = (),
) -> list[Object]:
    """Return a terminating namespace's conditions.

    `left` counts objects by resource (`pods.`, `deployments.apps`), `finalizers` those that a
    finalizer holds; `failures` says why resources could not be emptied.
    """
    values = {
        "NamespaceDeletionDiscoveryFailure": (
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "False",
            "ContentRemoved",
            "All content successfully removed",
        ),
        "NamespaceFinalizersRemaining": (
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    }
    if failures:
        text = f"{len(failures)} remaining: {', '.join(sorted(failures))}"
        values["NamespaceDeletionContentFailure"] = (
            "True",
            "ContentDeletionFailed",
            f"Failed to delete all resource types, {text}",
        )
    if left:
        text = ", ".join(f"{name} has {count} resource instances" for name, count in left.items())
        values["NamespaceContentRemaining"] = (
            "True",
            "SomeResourcesRemain",
            f"Some resources are remaining: {text}",
        )
    if finalizers:
        text = ", ".join(f"{name} in {n} resource instances" for name, n in finalizers.items())
        values["NamespaceFinalizersRemaining"] = (
            "True",
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {text}",
        )
    for type_, value in values.items():
        found = conditions.put(found, type_, *value, now=now)
    return found


class Namespaces:
    """The namespace controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("namespace", self._reconcile, timer)
        view.follow(NAMESPACES, self.controller.add_object)

    async def _reconcile(self, key: Key) -> float | None:
        namespace = self._view.get(NAMESPACES, "", key[1])
        if namespace is None or not is_deleting(namespace):
            return None
        if _FINALIZER not in (namespace["spec"].get("finalizers") or []):
            return None
        left, finalizers, failures = await self._empty(name_of(namespace))
        found = list((namespace.get("status") or {}).get("conditions") or [])
        found = remaining_conditions(
            found, left, finalizers, now=self._timer.now(), failures=failures
        )
        status = {"phase": "Terminating", "conditions": found}
        namespace = await self._view.set_status(NAMESPACES, namespace, status)
        if left or failures:
            return _AGAIN
        await self._finalize(namespace)
        return None

    async def _empty(self, namespace: str) -> tuple[dict[str, int], dict[str, int], list[str]]:
        """Delete everything in a namespace.

        Returns what is left, by resource and by finalizer, and why resources could not be emptied:
        one that fails keeps none of the others.
        """
        left: dict[str, int] = {}
        failures: list[str] = []
        finalizers: collections.Counter[str] = collections.Counter()
        seen: set[str] = set()
        for resource in self._view.api.resources():
            usable = resource.namespaced and {"list", "delete"} <= set(resource.verbs)
            if not usable or resource.prefix in seen:
                continue
            seen.add(resource.prefix)
            try:
                rest = await self._emptied(str(resource.gvr), namespace)
            except StatusError as error:
                failures.append(error.message)
                continue
            if rest:
                left[f"{resource.plural}.{resource.group}"] = len(rest)
            for obj in rest:
                finalizers.update(metadata(obj).get("finalizers") or [])
        return left, dict(finalizers), failures

    async def _emptied(self, resource: str, namespace: str) -> list[Object]:
        """Delete all objects of a resource; returns those that are left. Raises `StatusError`."""
        for obj in await self._view.api.list(resource, namespace):
            if not is_deleting(obj):
                await self._delete(resource, namespace, obj)
        return await self._view.api.list(resource, namespace)

    async def _delete(self, resource: str, namespace: str, obj: Object) -> None:
        try:
            await self._view.api.delete(
                resource, namespace, name_of(obj), "Background", uid=uid_of(obj)
            )
        except StatusError as error:
            if error.code not in {404, 409}:
                raise

    async def _finalize(self, namespace: Object) -> None:
        """Take off the finalizer, through the subresource that is made for it."""
        last = copy.deepcopy(namespace)
        last["spec"]["finalizers"] = [
            each for each in last["spec"]["finalizers"] if each != _FINALIZER
        ]
        try:
            await self._view.api.update(last, "finalize")
        except StatusError as error:
            if error.code != 404:
                raise
