"""Tables: what kubectl prints, cell by cell.

Columns of built-in resources come from `data/columns.json`; `cells` has the functions that fill
them, and every resource without one gets name and age.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.endpoints.watching import INITIAL_EVENTS_END
from fluvial.cluster.errors import bad_request
from fluvial.cluster.http import cells
from fluvial.cluster.http.custom_cells import custom_cells
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource, read_data

__all__ = ["Table", "check_include"]

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


_SCALE_COLUMNS = (
    ("Name", "string", _NAME_TEXT),
    ("Desired", "integer", "replicas is the desired number of instances for the scaled object."),
    (
        "Available",
        "integer",
        "replicas is the actual number of observed instances of the scaled object.",
    ),
    ("Age", "string", _AGE_TEXT),
)


def check_include(include: str) -> None:
    """Refuse an `includeObject` that is none of the known ones."""
    if include not in ("", "Metadata", "Object", "None"):
        wrong = fielderrors.invalid(
            "includeObject", include, "must be 'Metadata', 'Object', 'None', or empty"
        )
        where = f"{wrong['field']}: {wrong['message']}"
        raise bad_request(f"Unable to convert to Table as requested: {where}")


class Table:
    """Makes Tables of one resource's objects; `include` is the includeObject option.

    `kind` is what the objects are when they are no objects of the resource: only `Scale` has
    columns. `version` is that of the Table. Raises 400 for an unknown `include`.
    """

    def __init__(
        self,
        resource: Resource,
        now: dt.datetime,
        include: str = "",
        kind: str = "",
        *,
        version: str = "v1",
    ) -> None:
        check_include(include)
        self._resource = resource
        self._now = now
        self._include = include or "Metadata"
        self._scale = kind == "Scale"
        self._version = f"meta.k8s.io/{version}"

    def definitions(self) -> list[Object]:
        """Return the columnDefinitions."""
        if self._resource.custom is not None:
            return self._custom_definitions()
        if self._scale:
            return [
                {"name": name, "type": kind, "format": "", "description": text, "priority": 0}
                for name, kind, text in _SCALE_COLUMNS
            ]
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

    def _custom_columns(self) -> list[Object]:
        """Return the printer columns of a custom resource, or those of its scale."""
        custom = self._resource.custom
        assert custom is not None
        if not self._scale:
            return custom.columns
        paths = custom.scale or {}
        counts = [
            {"name": name, "type": "integer", "description": f"Number of {what} replicas",
             "jsonPath": f".{part}.replicas"}
            for name, what, part in (("Desired", "desired", "spec"),
                                     ("Available", "actual", "status"))
            if paths.get(f"{part}ReplicasPath")
        ]  # fmt: skip
        age = {"name": "Age", "type": "date", "description": _AGE_TEXT,
               "jsonPath": ".metadata.creationTimestamp"}  # fmt: skip
        return [*counts, age]

    def _custom_definitions(self) -> list[Object]:
        named = {
            "name": "Name", "type": "string", "format": "name", "description": _NAME_TEXT,
            "priority": 0,
        }  # fmt: skip
        columns = self._custom_columns()
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
        conditions = [] if self._scale else cells.row_conditions(self._resource, obj)
        if conditions:
            row["conditions"] = conditions
        notes = obj["metadata"].get("annotations") or {}
        if self._include == "Metadata" or (self._include == "None" and INITIAL_EVENTS_END in notes):
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": self._version,
                "metadata": obj["metadata"],
            }
        elif self._include == "Object":
            row["object"] = obj
        else:
            row["object"] = None
        return row

    def _cells(self, obj: Object) -> list[Any]:
        if self._resource.custom is not None:
            return custom_cells(self._custom_columns(), obj, self._now)
        name = f"{self._resource.group}/{self._resource.plural}"
        maker = cells.MAKERS.get("autoscaling/scale" if self._scale else name)
        if maker is None:
            columns = [column["name"] for column in self.definitions()]
            return cells.fallback(obj, self._now, columns)
        return maker(self._as_printed(obj), self._now)

    def _as_printed(self, obj: Object) -> Object:
        """Return an object in the version that its maker of cells reads."""
        if self._scale:
            return obj
        printed = {"events.k8s.io/v1": "v1", "autoscaling/v1": "autoscaling/v2"}
        version = printed.get(self._resource.api_version)
        return obj if version is None else convert(dict(obj), version)

    def table(self, objects: Iterable[Object], metadata: Object, *, columns: bool = True) -> Object:
        """Return a Table of objects."""
        return {
            "kind": "Table",
            "apiVersion": self._version,
            "metadata": metadata,
            "columnDefinitions": self.definitions() if columns else None,
            "rows": [self.row(obj) for obj in objects],
        }
