"""The file of targets (`file_sd_configs`, JSON), as scrapes need it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from fluvial.cluster.metrics.errors import TargetsError
from fluvial.cluster.metrics.series import Labels, labels_of

__all__ = ["Target", "read_targets"]


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One address to scrape; `labels` go to each of its series, `instance` and `job` included."""

    url: str
    labels: Labels


class _Group(msgspec.Struct):
    targets: list[str]
    labels: dict[str, str] = {}


def read_targets(path: Path) -> list[Target]:
    """Read the file; no targets when there is none. Raises `TargetsError`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        groups = msgspec.json.decode(content, type=list[_Group])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TargetsError(f"{path}: {error}") from None
    return [_target(address, group.labels) for group in groups for address in group.targets]


def _target(address: str, labels: dict[str, str]) -> Target:
    found: dict[str, Any] = {"__scheme__": "http", "__metrics_path__": "/metrics", **labels}
    kept = {name: value for name, value in labels.items() if not name.startswith("__")}
    kept = {"instance": address, "job": "fluvial", **kept}
    return Target(f"{found['__scheme__']}://{address}{found['__metrics_path__']}", labels_of(kept))
