"""Handing over: what one Kustomization drops, another of the same source may be about to apply.

A commit that moves an object from one to the other wakes both. Whoever pruned before the new owner
applied would delete what should live. So a prune waits until the others have been through with the
revision, but not for ever: one may be waiting for this one, or for something that never comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.kustomize import Kustomization
from fluvial.kustomize.attempt import Attempt
from fluvial.kustomize.references import source_of, source_reference
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.store import Key, key_of

__all__ = ["Handovers", "is_behind"]

_GRACE: Final = 60.0
"""Seconds that a prune waits for others at most."""

_FIRST: Final = 1.0
"""Seconds until the second look; each further one takes twice as long."""


@dataclass(slots=True)
class _Wait:
    revision: str
    generation: int
    began: float
    looks: int = 0


class Handovers:
    """Which Kustomizations wait with their prune, and since when; of the whole process."""

    def __init__(self, namespace: str | None) -> None:
        self._namespace = namespace
        self._waits: dict[Key, _Wait] = {}

    async def delay(self, it: Attempt) -> float | None:
        """Return the seconds after which to look again, or None when pruning is safe."""
        now, key = it.ctx.clock.monotonic(), it.ctx.key
        wait = self._waits.get(key)
        revision, generation = it.artifact.revision, it.obj.metadata.generation
        if wait is None or (wait.revision, wait.generation) != (revision, generation):
            wait = self._waits[key] = _Wait(revision, generation, now)
        left = wait.began + _GRACE - now
        if left > 0:
            found = await it.ctx.client.list(resource_of_kind(KUSTOMIZATION), self._namespace)
            late = [str(key_of(one)) for one in found.items if is_behind(one, it.obj, revision)]
            if late:
                delay = min(_FIRST * float(2**wait.looks), left)
                wait.looks += 1
                it.ctx.log.info("the prune waits for others of the source", others=late[:5])
                return delay
            del self._waits[key]
        return None

    def forget(self, key: Key) -> None:
        """Forget a Kustomization that is gone."""
        self._waits.pop(key, None)


def is_behind(other: Unstructured, obj: Kustomization, revision: str) -> bool:
    """Whether `other` may yet apply what `obj` no longer does.

    It has the same source and cluster, is at work, and has not yet ended an attempt, good or bad,
    at this revision with its present spec.
    """
    if key_of(other) == Key(obj.metadata.namespace, obj.metadata.name):
        return False
    spec: Mapping[str, Any] = other.get("spec") or {}
    if spec.get("suspend") or other["metadata"].get("deletionTimestamp"):
        return False
    if source_reference(obj) not in source_of(other):
        return False
    if bool(spec.get("kubeConfig")) != (obj.spec.kube_config is not None):
        return False
    status = other.get("status") or {}
    if status.get("lastAttemptedRevision") != revision:
        return True
    generation = other["metadata"].get("generation")
    return not any(
        one.get("status") in {"True", "False"} and one.get("observedGeneration") == generation
        for one in status.get("conditions") or ()
        if one.get("type") == "Ready"
    )
