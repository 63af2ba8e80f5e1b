"""ResourceQuota: writes that would use more than a namespace may, and the count of what is used.

A quota limits what its status says; the stand-in for its controller fills that in. So without
stand-ins nothing is limited, as on an API server without controllers.
"""

from __future__ import annotations

from decimal import Decimal

from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.builtin.quotausage import Usage, applies, missing, shown, usage_of
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, forbidden
from fluvial.cluster.objects import Object

__all__ = ["Charge", "charge"]

_QUOTAS = "/resourcequotas"
_FREE = frozenset({"/events", "/bindings"})


class Charge:
    """What a write uses of the quotas of its namespace: to be `paid` once it is done."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._changed: list[tuple[tuple[str, str], Object]] = []

    def add(self, quota: Object, used: dict[str, str]) -> None:
        """Note what a quota's status will say."""
        meta = quota["metadata"]
        changed = self._access.copy(quota)
        changed["status"]["used"] = used
        self._changed.append(((meta["namespace"], meta["name"]), changed))

    def paid(self) -> None:
        """Store the counts."""
        for key, quota in self._changed:
            self._access.store.put(_QUOTAS, key, quota)


def charge(access: Access, target: Target, obj: Object, old: Object | None) -> Charge:
    """Return what a write uses; raises 403 when a quota has no room for it."""
    found = Charge(access)
    resource = target.resource
    if not resource.namespaced or resource.prefix in _FREE:
        return found
    quotas = access.store.entries(_QUOTAS, target.namespace)
    if not quotas:
        return found
    usage = usage_of(resource.group, resource.plural, obj)
    before = {} if old is None else usage_of(resource.group, resource.plural, old)
    more = {name: value - before.get(name, Decimal(0)) for name, value in usage.items()}
    more = {name: value for name, value in more.items() if value > 0}
    if not more:
        return found
    for entry in quotas:
        _charge_one(entry.object, more, found, target, obj)
    return found


def _charge_one(quota: Object, more: Usage, found: Charge, target: Target, obj: Object) -> None:
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    plural = target.resource.plural
    if not applies(quota, plural, obj):
        return
    name = quota["metadata"]["name"]
    if plural == "pods":
        lacking = missing(list(hard), obj)
        if lacking:
            raise _refused(target, obj, f"failed quota: {name}: {lacking}")
    counted = sorted(set(more).intersection(hard))
    unknown = [each for each in counted if each not in used]
    if unknown:
        text = f"status unknown for quota: {name}, resources: {','.join(unknown)}"
        raise _refused(target, obj, text)
    after = {each: amount(used[each]) + more[each] for each in counted}
    over = [each for each in counted if after[each] > amount(hard[each])]
    if over:
        parts = (
            ",".join(f"{each}={shown(each, more[each])}" for each in over),
            ",".join(f"{each}={used[each]}" for each in over),
            ",".join(f"{each}={hard[each]}" for each in over),
        )
        text = f"exceeded quota: {name}, requested: {parts[0]}, used: {parts[1]}"
        raise _refused(target, obj, f"{text}, limited: {parts[2]}")
    if counted:
        now = {each: shown(each, value) for each, value in after.items()}
        found.add(quota, {**used, **now})


def _refused(target: Target, obj: Object, why: str) -> StatusError:
    meta, resource = obj["metadata"], target.resource
    name = meta.get("name") or meta.get("generateName") or "Unknown"
    return forbidden(resource.group, resource.plural, name, why)
