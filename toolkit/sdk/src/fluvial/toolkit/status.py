"""Writing to objects that others write too: status and finalizers, one small merge patch each."""

import random
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec

from fluvial.apis.decoding import decode
from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Condition
from fluvial.apis.meta import Resource as Model
from fluvial.toolkit.client import Client, Conflict, NotFound, resource_of_kind
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.conditions import keep_times, merge

__all__ = ["Patcher", "merge_patch"]

M = TypeVar("M", bound=Model)

_TRIES = 5
_BACKOFF = 0.1


def merge_patch(before: Any, after: Any) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that turns `before` into `after`; empty if equal.

    Both are objects. Keys that only `before` has become null; lists are replaced whole.
    """
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before[key], dict):
            if inner := merge_patch(before[key], value):
                patch[key] = inner
        elif before[key] != value or type(before[key]) is not type(value):
            patch[key] = value
    return patch


class Patcher(Generic[M]):
    """Writes what a reconcile changed, and nothing else.

    Patches carry `metadata.resourceVersion`, so that a list (the conditions) is never replaced on
    top of a state that was not seen. On a conflict the object is read again, our own conditions
    (`owned` types) are merged into what is there, and it is tried again, at most five times.
    Fields that the model does not know are never mentioned, and so survive. `written` is told
    every object that a write returned.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind[M],
        *,
        field_manager: str,
        owned: Iterable[str],
        clock: Clock,
        written: Callable[[Unstructured], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._resource = resource_of_kind(kind)
        self._manager = field_manager
        self._owned = frozenset(owned)
        self._clock = clock
        self._written = written

    async def status(self, raw: Unstructured, obj: M) -> Unstructured:
        """Write how `obj.status` differs from that of `raw`; returns the object as it is now.

        Without a difference nothing is sent and `raw` comes back. Raises NotFound when the object
        is gone (or another one has its name), and Conflict after the last try.
        """
        last = decode(self._kind, raw)
        keep_times(_conditions(obj), _conditions(last))
        before, after = _status_of(last), _status_of(obj)
        live = raw
        for attempt in range(_TRIES):
            patch = merge_patch(before, after)
            if not patch:
                return live
            try:
                return await self._patch(live, {"status": patch}, subresource="status")
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
            await self._pause(attempt)
            live = await self._read_again(raw)
            latest = _status_of(decode(self._kind, live))
            after = self._rebase(before, after, latest)
            before = latest
        raise AssertionError("the last try returns or raises")

    async def finalizer(self, raw: Unstructured, name: str, *, present: bool) -> Unstructured:
        """Add or remove a finalizer; returns the object as it is now, without a write if it fits.

        Raises NotFound when the object is gone, and Conflict after the last try.
        """
        live = raw
        for attempt in range(_TRIES):
            finalizers = list(live["metadata"].get("finalizers") or ())
            if (name in finalizers) == present:
                return live
            wanted = [*finalizers, name] if present else [f for f in finalizers if f != name]
            try:
                return await self._patch(live, {"metadata": {"finalizers": wanted}})
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
            await self._pause(attempt)
            live = await self._read_again(raw)
        raise AssertionError("the last try returns or raises")

    def _rebase(
        self, before: dict[str, Any], after: dict[str, Any], latest: dict[str, Any]
    ) -> dict[str, Any]:
        """Move our change onto what another writer left: our keys and our conditions win."""
        rebased = _apply(latest, merge_patch(before, after))
        if "conditions" in after or "conditions" in latest:
            merged = merge(
                msgspec.convert(latest.get("conditions", []), list[Condition]),
                msgspec.convert(after.get("conditions", []), list[Condition]),
                self._owned,
            )
            rebased["conditions"] = msgspec.to_builtins(merged)
        return rebased

    async def _patch(
        self, live: Unstructured, patch: dict[str, Any], *, subresource: str | None = None
    ) -> Unstructured:
        metadata = live["metadata"]
        body = {
            **patch,
            "metadata": {
                **patch.get("metadata", {}),
                "resourceVersion": metadata["resourceVersion"],
            },
        }
        result = await self._client.patch(
            self._resource,
            metadata["name"],
            body,
            metadata.get("namespace"),
            field_manager=self._manager,
            subresource=subresource,
        )
        self._written(result)
        return result

    async def _read_again(self, raw: Unstructured) -> Unstructured:
        metadata = raw["metadata"]
        live = await self._client.get(self._resource, metadata["name"], metadata.get("namespace"))
        if live["metadata"].get("uid") != metadata.get("uid"):
            raise NotFound(
                f"{self._kind.kind} {metadata['name']} was deleted and created anew", code=404
            )
        return live

    async def _pause(self, attempt: int) -> None:
        await self._clock.sleep(random.uniform(0, _BACKOFF * 2**attempt))  # noqa: S311


def _status_of(obj: Model) -> dict[str, Any]:
    encoded: dict[str, Any] = msgspec.to_builtins(getattr(obj, "status"))  # noqa: B009 - per kind
    return encoded


def _conditions(obj: Model) -> list[Condition]:
    found: list[Condition] = getattr(getattr(obj, "status"), "conditions", [])  # noqa: B009 - per kind
    return found


def _apply(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _apply(result[key], value)
        else:
            result[key] = value
    return result
