"""Field ownership of the scale subresource.

`spec.replicas` of a Scale is a field of the object that is scaled. What managers own there is
carried over before a write of the Scale, and back after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluvial.cluster.fields.managed import Entry, Managers
from fluvial.cluster.fields.paths import FieldSet, Path
from fluvial.cluster.fields.values import copied

__all__ = ["parent_managed_fields", "scale_managed_fields"]

_SCALE_VERSION = "autoscaling/v1"
_SCALE_REPLICAS: Path = ("f:spec", "f:replicas")


def scale_managed_fields(parent: Any, replicas: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return the managedFields of a Scale: those entries of its parent that own the replicas.

    `replicas` gives the path of the replicas by the apiVersion of the parent.
    """
    found: dict[Any, Entry] = {}
    for key, entry in Managers.decode(parent).entries.items():
        path = replicas.get(entry.version)
        if path is not None and path in entry.fields:
            found[key] = Entry(_SCALE_VERSION, frozenset({_SCALE_REPLICAS}), entry.time)
    return copied(Managers(found).encode())


def parent_managed_fields(
    parent: Any, scale: Any, replicas: Mapping[str, Path], version: str
) -> list[dict[str, Any]]:
    """Return the parent's managedFields after a write of its Scale.

    `version` is the parent's apiVersion. Entries of unknown versions are dropped, and a manager
    that is new to the parent has no time, as upstream.
    """
    wanted = {_identity(key): key for key in Managers.decode(scale).entries}
    after: dict[Any, Entry] = {}
    for key, entry in Managers.decode(parent).entries.items():
        if entry.version not in replicas:
            continue
        path = replicas[entry.version]
        if path not in entry.fields:
            after[key] = entry
        elif _identity(key) in wanted:
            after[key] = entry
            del wanted[_identity(key)]
        else:
            after[key] = entry.without(frozenset({path}))
    own: FieldSet = frozenset({replicas[version]})
    for key in wanted.values():
        after[key] = Entry(version, own)
    return copied(Managers(after).encode())


def _identity(key: Any) -> tuple[str, str, str]:
    return key.manager, key.operation, key.subresource
