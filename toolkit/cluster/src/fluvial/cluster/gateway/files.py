"""Envoy's configuration as files: each is replaced whole, by a rename that Envoy watches for."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fluvial.cluster.node.files import private_directory
from fluvial.cluster.objects import Object

__all__ = ["ConfigFiles", "Program", "bootstrap"]

_TYPES = {
    "listeners": "type.googleapis.com/envoy.config.listener.v3.Listener",
    "clusters": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "routes": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "endpoints": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
}


@dataclasses.dataclass(slots=True)
class Program:
    """All that Envoy is to do. Routes and endpoints are by name, one file each."""

    listeners: list[Object] = dataclasses.field(default_factory=list)
    clusters: list[Object] = dataclasses.field(default_factory=list)
    routes: dict[str, Object] = dataclasses.field(default_factory=dict)
    endpoints: dict[str, Object] = dataclasses.field(default_factory=dict)


def bootstrap(directory: Path) -> Object:
    """Return the configuration that Envoy starts with; everything else comes from files."""

    def source(name: str) -> Object:
        path = str(directory / f"{name}.json")
        return {"path_config_source": {"path": path}, "resource_api_version": "V3"}

    return {
        "node": {"id": "fluvial", "cluster": "fluvial"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "lds_config": source("listeners"),
            "cds_config": source("clusters"),
        },
        # Histograms are merged at each flush only: metrics must not be older than a scrape.
        "stats_flush_interval": "0.250s",
    }


class ConfigFiles:
    """Writes what has changed, in the order that keeps every reference valid. Blocking."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._written: dict[Path, bytes] = {}

    def path(self, kind: str, name: str = "") -> Path:
        """Return the file of a kind, or of one resource of it."""
        if not name:
            return self.directory / f"{kind}.json"
        # A digest keeps names apart that a file system, or a change of characters, would not.
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self.directory / kind / f"{re.sub('[^a-zA-Z0-9_-]', '-', name)[:80]}.{digest}.json"

    def prepare(self) -> Path:
        """Write the files that Envoy cannot start without; returns its bootstrap."""
        for kind in ("routes", "endpoints"):
            private_directory(self.directory / kind)
        self.write(Program())
        path = self.directory / "bootstrap.json"
        path.write_bytes(msgspec.json.encode(bootstrap(self.directory)))
        return path

    def write(self, program: Program) -> dict[str, str]:
        """Write what has changed; returns the versions of listeners, clusters and each route.

        Endpoints come before their clusters, clusters before the routes that use them, routes
        before their listeners; what is no longer named is removed last. The versions are by the
        prefix of Envoy's statistics for them.
        """
        versions = {}
        for name, each in program.endpoints.items():
            self._put(self.path("endpoints", name), "endpoints", [each])
        versions["cluster_manager.cds"] = self._put(
            self.path("clusters"), "clusters", program.clusters
        )
        for name, each in program.routes.items():
            version = self._put(self.path("routes", name), "routes", [each])
            versions[f"http.{name}.rds.{name}"] = version
        versions["listener_manager.lds"] = self._put(
            self.path("listeners"), "listeners", program.listeners
        )
        kept = {self.path("endpoints", name) for name in program.endpoints}
        kept |= {self.path("routes", name) for name in program.routes}
        kept |= {self.path("clusters"), self.path("listeners")}
        for path in self._written.keys() - kept:
            path.unlink(missing_ok=True)
            del self._written[path]
        return versions

    def _put(self, path: Path, kind: str, resources: list[Object]) -> str:
        entries: list[Mapping[str, Any]] = [{"@type": _TYPES[kind], **each} for each in resources]
        content = msgspec.json.encode(entries)
        version = hashlib.sha256(content).hexdigest()[:16]
        if self._written.get(path) != content:
            document = {"version_info": version, "resources": entries}
            temporary = path.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(document))
            temporary.replace(path)
            self._written[path] = content
        return version
