"""The cells of custom resources: what the printer columns of their definition point at."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from fluvial.cluster.http.cell_texts import age_of, name_of
from fluvial.cluster.http.durations import age
from fluvial.cluster.http.jsonpath import PathError, find
from fluvial.cluster.objects import Object
from fluvial.render import yaml

__all__ = ["custom_cells"]

_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339 as Go reads it


def custom_cells(columns: Sequence[Object], obj: Object, now: dt.datetime) -> list[Any]:
    """Return a row's cells: the name, then those of the columns, or the age without columns.

    Of several values at a column's path the first counts; what is of another type than the
    column's, or cannot be found, is null.
    """
    if not columns:
        return [name_of(obj), age_of(obj, now)]
    return [name_of(obj), *(_cell(column, obj, now) for column in columns)]


def _cell(column: Object, obj: Object, now: dt.datetime) -> Any:
    try:
        values = find(obj, column["jsonPath"])
    except PathError:
        return None
    if not values:
        return None
    value, kind = values[0], column["type"]
    if kind == "string":
        return _text(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "date":
        return _date(value, now) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else value


def _date(value: str, now: dt.datetime) -> str:
    if value in ("", "null"):
        return age(None, now)
    return age(value, now) if _TIME.fullmatch(value) else "<invalid>"


def _text(value: Any) -> str:
    """Print a value as Go does: lists and maps as JSON, null as no value."""
    if value is None:
        return "<no value>"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return yaml.dump(value).rstrip()  # Go's %v, as its YAML has it too
    text = msgspec.json.encode(value, order="sorted").decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
