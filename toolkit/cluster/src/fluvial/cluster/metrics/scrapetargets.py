"""The stand-in that tells a Prometheus what to scrape: a file of `file_sd_configs` in JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import annotations_of, is_deleting, labels_of
from fluvial.cluster.standins.pods import is_finished
from fluvial.cluster.standins.resources import PODS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["ScrapeTargets", "target_of"]

_ALL: Key = ("", "all")


def target_of(pod: Object) -> Object | None:
    """Return the entry of a pod, None when it is not to be scraped.

    A pod asks for it by the annotation `prometheus.io/scrape: "true"`. `prometheus.io/port` is by
    default the first port of its containers, `prometheus.io/path` is `/metrics`,
    `prometheus.io/scheme` is `http`. Labels: `kubernetes_namespace`, `kubernetes_pod_name`, `app`.
    """
    asked = annotations_of(pod)
    address = (pod.get("status") or {}).get("podIP")
    if asked.get("prometheus.io/scrape") != "true" or not address:
        return None
    if is_finished(pod) or is_deleting(pod):
        return None
    ports = [
        str(port["containerPort"])
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
    ]
    number = asked.get("prometheus.io/port") or (ports[0] if ports else "")
    if not number.isdigit():
        return None
    path = asked.get("prometheus.io/path") or "/metrics"
    labels = {
        "__metrics_path__": path if path.startswith("/") else f"/{path}",
        "__scheme__": asked.get("prometheus.io/scheme") or "http",
        "job": "kubernetes-pods",
        "kubernetes_namespace": namespace_of(pod),
        "kubernetes_pod_name": name_of(pod),
    }
    if app := labels_of(pod).get("app"):
        labels["app"] = app
    return {"targets": [f"{address}:{number}"], "labels": labels}


class ScrapeTargets:
    """Keeps the file up to date; `gateway` returns the admin address of Envoy, if there is one."""

    def __init__(self, view: View, timer: Timer, path: Path, gateway: Callable[[], str]) -> None:
        self._view = view
        self._path = path
        self._gateway = gateway
        self._content = b""
        self.controller = Controller("scrape-targets", self._reconcile, timer)
        view.follow(PODS, lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Have the file written soon, if it would change."""
        self.controller.add(_ALL)

    async def _reconcile(self, _: Key) -> float | None:
        found = [entry for pod in self._view.all(PODS) if (entry := target_of(pod)) is not None]
        found.sort(key=lambda entry: (entry["targets"], entry["labels"]["kubernetes_pod_name"]))
        if admin := self._gateway():
            labels = {"__metrics_path__": "/stats/prometheus", "job": "envoy", "app": "envoy"}
            found.append({"targets": [admin], "labels": labels})
        content = msgspec.json.encode(found)
        if content != self._content:
            await asyncio.to_thread(_replace, self._path, content)
            self._content = content
        return None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
