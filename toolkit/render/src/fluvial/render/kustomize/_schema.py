"""The frozen schema of Kubernetes 1.21, reduced to what merging needs.

`merge_keys.json` is written by tools/extract_merge_keys.py: which kinds are cluster-scoped, and
for each type the fields that are lists with merge keys or lead to one.
"""

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

__all__ = ["Field", "fields_of", "is_cluster_scoped", "root_type"]


class Field(NamedTuple):
    """A field's type ("" when nothing mergeable is below) and a list's merge keys.

    `keys` is None for atomic lists and empty for lists that merge as sets of scalars.
    """

    type: str
    keys: tuple[str, ...] | None


class _Table(msgspec.Struct):
    cluster: set[str]
    kinds: dict[str, str]
    types: dict[str, dict[str, tuple[str, tuple[str, ...] | None]]]


@lru_cache(maxsize=1)
def _table() -> tuple[frozenset[str], dict[str, str], dict[str, dict[str, Field]]]:
    raw = files("fluvial.render.kustomize").joinpath("merge_keys.json").read_bytes()
    table = msgspec.json.decode(raw, type=_Table)
    types = {
        name: {field: Field(*entry) for field, entry in entries.items()}
        for name, entries in table.types.items()
    }
    return frozenset(table.cluster), table.kinds, types


def is_cluster_scoped(api_version: str, kind: str) -> bool:
    """Say whether the kind is known to have no namespace; unknown kinds count as namespaced."""
    return f"{api_version}/{kind}" in _table()[0]


def root_type(api_version: str, kind: str) -> str:
    """Return the schema type of a kind; empty for kinds that the schema does not know."""
    return _table()[1].get(f"{api_version}/{kind}", "")


def fields_of(type_name: str) -> dict[str, Field]:
    """Return the fields of a type that matter to merging."""
    return _table()[2].get(type_name, {})
