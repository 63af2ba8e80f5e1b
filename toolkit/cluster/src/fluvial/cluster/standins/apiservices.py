"""APIServices: whether what they name is served. A Service behind one never is, here."""

from __future__ import annotations

from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting
from fluvial.cluster.standins.resources import API_SERVICES
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["ApiServices"]

_LOCAL = ("True", "Local", "Local APIServices are always available")
_REMOTE = (
    "False",
    "NotImplemented",
    "aggregated APIs are not served by the embedded control plane",
)


class ApiServices:
    """Keeps the condition Available."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("apiservice", self._reconcile, timer)
        view.follow(API_SERVICES, self.controller.add_object)

    async def _reconcile(self, key: Key) -> float | None:
        service = self._view.get(API_SERVICES, *key)
        if service is None or is_deleting(service):
            return None
        found = (service.get("status") or {}).get("conditions") or []
        said = _LOCAL if service["spec"].get("service") is None else _REMOTE
        wanted = conditions.put(found, "Available", *said, now=self._timer.now())
        await self._view.set_status(API_SERVICES, service, {"conditions": wanted})
        return None
