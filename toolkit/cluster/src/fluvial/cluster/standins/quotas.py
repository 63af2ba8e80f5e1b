"""ResourceQuotas: their limits put into force, and what is used counted anew."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fluvial.cluster.builtin.quotausage import Usage, applies, shown, usage_of
from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting
from fluvial.cluster.standins.resources import (
    CLAIMS,
    CONFIG_MAPS,
    PODS,
    QUOTAS,
    SECRETS,
    SERVICES,
)
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Quotas", "kinds_of"]

_RESYNC = 30.0
_PREFIX = "count/"
_OWN = {
    "configmaps": "configmaps",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "pods": "pods",
    "replicationcontrollers": "replicationcontrollers",
    "requests.storage": "persistentvolumeclaims",
    "resourcequotas": "resourcequotas",
    "secrets": "secrets",
    "services": "services",
    "services.loadbalancers": "services",
    "services.nodeports": "services",
}


def kinds_of(hard: Iterable[str]) -> set[tuple[str, str]]:
    """Return group and plural of all that the names of a quota count."""
    found = set()
    for name in hard:
        if name.startswith(_PREFIX):
            plural, _, group = name.removeprefix(_PREFIX).partition(".")
            found.add((group, plural))
        elif ".storageclass.storage.k8s.io/" in name:
            found.add(("", "persistentvolumeclaims"))
        else:
            found.add(("", _OWN.get(name, "pods")))
    return found


class Quotas:
    """The ResourceQuota controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self.controller = Controller("quota", self._reconcile, timer)
        view.follow(QUOTAS, self.controller.add_object)
        for resource in (PODS, SERVICES, CLAIMS, CONFIG_MAPS, SECRETS):
            view.follow(resource, self._content_changed)

    def _content_changed(self, obj: Object) -> None:
        for quota in self._view.all(QUOTAS, namespace_of(obj)):
            self.controller.add_object(quota)

    async def _reconcile(self, key: Key) -> float | None:
        quota = self._view.get(QUOTAS, *key)
        if quota is None or is_deleting(quota):
            return None
        hard = quota["spec"].get("hard") or {}
        used: Usage = {name: Decimal(0) for name in hard}
        for group, plural in sorted(kinds_of(hard)):
            for obj in await self._objects(group, plural, key[0]):
                if not applies(quota, plural, obj):
                    continue
                for name, value in usage_of(group, plural, obj).items():
                    if name in used:
                        used[name] += value
        status = {"hard": hard, "used": {name: shown(name, value) for name, value in used.items()}}
        await self._view.set_status(QUOTAS, quota, status)
        return _RESYNC

    async def _objects(self, group: str, plural: str, namespace: str) -> list[Object]:
        """Return the objects of a resource in a namespace; none when it is not served."""
        for served in self._view.api.resources():
            if (served.gvr.group, served.gvr.plural) == (group, plural):
                try:
                    return await self._view.api.list(str(served.gvr), namespace)
                except StatusError as error:
                    if error.code != 404:
                        raise
                return []
        return []
