"""The frozen schema of Kubernetes 1.21, or one's own, reduced to what merging needs.

`merge_keys.json` is written by tools/extract_merge_keys.py: which kinds are cluster-scoped, and
for each type the fields that are lists with merge keys or lead to one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

__all__ = [
    "Choice",
    "Field",
    "Schema",
    "choice",
    "choosing",
    "fields_of",
    "is_cluster_scoped",
    "root_type",
]


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


class Schema(NamedTuple):
    """The types by kind (`group/version/Kind`), and their fields by type."""

    kinds: dict[str, str]
    types: dict[str, dict[str, Field]]


class Choice:
    """Which schema a build merges by: the built-in one until another is chosen, which stays."""

    def __init__(self) -> None:
        self.schema: Schema | None = None
        self.made = False

    def make(self, schema: Schema | None) -> None:
        """Choose a schema, None for the built-in one; only the first choice counts."""
        if not self.made:
            self.made, self.schema = True, schema


_CHOICE: ContextVar[Choice | None] = ContextVar("schema", default=None)


@contextmanager
def choosing() -> Iterator[Choice]:
    """Give a build a choice of its own, so that no other build sees its schema."""
    made = Choice()
    token = _CHOICE.set(made)
    try:
        yield made
    finally:
        _CHOICE.reset(token)


def choice() -> Choice:
    """Return the choice of the build that runs; outside of one, a choice of nothing."""
    return _CHOICE.get() or Choice()


def root_type(api_version: str, kind: str) -> str:
    """Return the schema type of a kind; empty for kinds that the schema does not know."""
    schema = choice().schema
    kinds = _table()[1] if schema is None else schema.kinds
    return kinds.get(f"{api_version}/{kind}", "")


def fields_of(type_name: str) -> dict[str, Field]:
    """Return the fields of a type that matter to merging."""
    schema = choice().schema
    return (_table()[2] if schema is None else schema.types).get(type_name, {})
