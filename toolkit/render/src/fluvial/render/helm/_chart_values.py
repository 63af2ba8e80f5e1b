"""`.Values` and the root of templates: maps of a type of their own, with methods."""

from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate import FunctionError, PlainMap
from fluvial.render.gotemplate._quote import quote
from fluvial.render.helm._encode import must_to_yaml

__all__ = ["ChartValues"]


class ChartValues(PlainMap):
    """Go's common.Values: a map whose entries come before its methods."""

    go_type = "common.Values"

    @property
    def go_methods(self) -> dict[str, Callable[..., Any]]:
        """Return what templates may call."""
        return {
            "AsMap": self._as_map,
            "PathValue": self._path_value,
            "Table": self._table,
            "YAML": self._yaml,
        }

    def _as_map(self) -> dict[str, Any]:
        return dict(self)

    def _yaml(self) -> str:
        return f"{must_to_yaml(dict(self))}\n"

    def _table(self, name: str) -> "ChartValues":
        found: dict[str, Any] = self
        for part in name.split("."):
            below = found.get(part)
            if not isinstance(below, dict):
                raise FunctionError(f"{quote(part)} is not a table")
            found = below
        return ChartValues(found)

    def _path_value(self, path: str) -> Any:
        if not path:
            raise FunctionError("YAML path cannot be empty")
        above, _, key = path.rpartition(".")
        missing = FunctionError(f"{quote(key)} is not a value")
        try:
            holder = self._table(above) if above else self
        except FunctionError:
            raise missing from None
        if key not in holder or isinstance(holder[key], dict):
            raise missing
        return holder[key]
