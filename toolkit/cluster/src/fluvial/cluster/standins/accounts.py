"""What every namespace has from its first moment: a ServiceAccount and the cluster's CA."""

from __future__ import annotations

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting
from fluvial.cluster.standins.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Accounts"]

_CA = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class Accounts:
    """Keeps the `default` ServiceAccount and the ConfigMap `kube-root-ca.crt` in all namespaces.

    `certificate` is the CA in PEM; without one no ConfigMap is kept.
    """

    def __init__(self, view: View, timer: Timer, certificate: str) -> None:
        self._view = view
        self._certificate = certificate
        self.controller = Controller("accounts", self._reconcile, timer)
        view.follow(NAMESPACES, self.controller.add_object)
        view.follow(SERVICE_ACCOUNTS, self._content_changed)
        view.follow(CONFIG_MAPS, self._content_changed)

    def _content_changed(self, obj: Object) -> None:
        if obj["metadata"]["name"] in {"default", _CA}:
            self.controller.add(("", namespace_of(obj)))

    async def _reconcile(self, key: Key) -> float | None:
        namespace = self._view.get(NAMESPACES, "", key[1])
        if namespace is None or is_deleting(namespace):
            return None
        if self._view.get(SERVICE_ACCOUNTS, key[1], "default") is None:
            await self._create(SERVICE_ACCOUNTS, "ServiceAccount", "default", key[1], {})
        if not self._certificate:
            return None
        data = {"ca.crt": self._certificate}
        live = self._view.get(CONFIG_MAPS, key[1], _CA)
        if live is None:
            await self._create(CONFIG_MAPS, "ConfigMap", _CA, key[1], {"data": data})
        elif live.get("data") != data:
            await self._view.patch(CONFIG_MAPS, live, {"data": data})
        return None

    async def _create(
        self, resource: str, kind: str, name: str, namespace: str, rest: Object
    ) -> None:
        annotations = {"annotations": {"kubernetes.io/description": _DESCRIPTION}}
        meta = {
            "name": name,
            "namespace": namespace,
            **(annotations if kind == "ConfigMap" else {}),
        }
        try:
            made = {"apiVersion": "v1", "kind": kind, "metadata": meta, **rest}
            await self._view.create(resource, made)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
