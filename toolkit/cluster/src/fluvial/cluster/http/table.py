"""Tables: what kubectl prints, cell by cell.

Columns of built-in resources come from `data/columns.json`; `cells` has the functions that fill
them, and every resource without one gets name and age.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any

from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.http import cells, cluster_cells
from fluvial.cluster.http.jsonpath import find
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource, read_data

__all__ = ["Table", "age"]

_DEFAULT = [("Name", "string", "name", 0), ("Age", "date", "", 0)]
_NAME_TEXT = (
    "Name must be unique within a namespace. Is required when creating resources, although some "
    "resources may allow a client to request the generation of an appropriate name automatically. "
    "Name is primarily intended for creation idempotence and configuration definition. Cannot be "
    "updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_AGE_TEXT = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. "
    "It is not guaranteed to be set in happens-before order across separate operations. Clients "
    "may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the "
    "system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)


@cache
def _columns() -> dict[str, Any]:
    table: dict[str, Any] = read_data("columns.json")
    return table


def age(stamp: str | None, now: dt.datetime) -> str:
    """Return how long ago a time was, as kubectl shows it; `<unknown>` for none."""
    return cells.age(stamp, now)


class Table:
    """Makes Tables of one resource's objects; `include` is the includeObject option."""

    def __init__(self, resource: Resource, now: dt.datetime, include: str = "Metadata") -> None:
        self._resource = resource
        self._now = now
        self._include = include or "Metadata"

    def definitions(self) -> list[Object]:
        """Return the columnDefinitions."""
        if self._resource.custom is not None:
            return self._custom_definitions()
        key = f"{self._resource.api_version}/{self._resource.plural}"
        texts = _columns()["descriptions"]
        found = _columns()["resources"].get(key)
        if found is None:
            found = [["Name", "string", "name", 0, None], ["Created At", "date", "", 0, None]]
        return [
            {
                "name": name,
                "type": kind,
                "format": form,
                "description": _NAME_TEXT if text is None else texts[text],
                "priority": priority,
            }
            for name, kind, form, priority, text in found
        ]

    def _custom_definitions(self) -> list[Object]:
        assert self._resource.custom is not None
        named = {
            "name": "Name", "type": "string", "format": "name", "description": _NAME_TEXT,
            "priority": 0,
        }  # fmt: skip
        columns = self._resource.custom.columns
        if not columns:
            return [
                named,
                {"name": "Age", "type": "date", "format": "", "description": _AGE_TEXT,
                 "priority": 0},
            ]  # fmt: skip
        rest = [
            {
                "name": column["name"],
                "type": column["type"],
                "format": column.get("format", ""),
                "description": column.get("description")
                or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
                "priority": column.get("priority", 0),
            }
            for column in columns
        ]
        return [named, *rest]

    def row(self, obj: Object) -> Object:
        """Return one row."""
        row: Object = {"cells": self._cells(obj)}
        conditions = cells.row_conditions(self._resource, obj)
        if conditions:
            row["conditions"] = conditions
        if self._include == "Metadata":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        elif self._include == "Object":
            row["object"] = obj
        else:
            row["object"] = None
        return row

    def _cells(self, obj: Object) -> list[Any]:
        if self._resource.custom is not None:
            return self._custom_cells(obj)
        maker = cells.MAKERS.get(f"{self._resource.group}/{self._resource.plural}")
        if maker is None:
            columns = [column["name"] for column in self.definitions()]
            return cluster_cells.fallback(obj, self._now, columns)
        return maker(self._as_printed(obj), self._now)

    def _as_printed(self, obj: Object) -> Object:
        """Return an object in the version that its maker of cells reads."""
        printed = {"events.k8s.io/v1": "v1", "autoscaling/v1": "autoscaling/v2"}
        version = printed.get(self._resource.api_version)
        return obj if version is None else convert(dict(obj), version)

    def _custom_cells(self, obj: Object) -> list[Any]:
        assert self._resource.custom is not None
        name = obj["metadata"]["name"]
        columns = self._resource.custom.columns
        if not columns:
            return [name, cells.age(obj["metadata"].get("creationTimestamp"), self._now)]
        return [name, *(self._custom_cell(column, obj) for column in columns)]

    def _custom_cell(self, column: Object, obj: Object) -> Any:
        values = find(obj, column["jsonPath"])
        if not values:
            return "<unknown>" if column["type"] == "date" else None
        value = values[0]
        if column["type"] == "date":
            return cells.age(value, self._now) if isinstance(value, str) else "<unknown>"
        if column["type"] == "string":
            shown = [cells.text(item) for item in values]
            return ",".join(shown)
        if column["type"] == "integer" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if column["type"] == "number" and isinstance(value, int | float):
            return value
        if column["type"] == "boolean" and isinstance(value, bool):
            return value
        return None

    def table(self, objects: Iterable[Object], metadata: Object, *, columns: bool = True) -> Object:
        """Return a Table of objects."""
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": self.definitions() if columns else None,
            "rows": [self.row(obj) for obj in objects],
        }
