"""`.Chart`: the metadata, as the map that it is since Helm 4, or as the struct that it was."""

from typing import Any

from fluvial.render.gotemplate import StringMap, Strings
from fluvial.render.gotemplate._values import NilList, NilMap, NilStrings
from fluvial.render.helm._model import Chart
from fluvial.render.helm._structs import Struct
from fluvial.render.helm._versions import HelmVersion

__all__ = ["chart_object"]

Table = dict[str, Any]
Fields = tuple[tuple[str, str], ...]
_FIELDS = (
    ("Name", "name"), ("Home", "home"), ("Sources", "sources"), ("Version", "version"),
    ("Description", "description"), ("Keywords", "keywords"), ("Maintainers", "maintainers"),
    ("Icon", "icon"), ("APIVersion", "apiVersion"), ("Condition", "condition"), ("Tags", "tags"),
    ("AppVersion", "appVersion"), ("Deprecated", "deprecated"), ("Annotations", "annotations"),
    ("KubeVersion", "kubeVersion"), ("Dependencies", "dependencies"), ("Type", "type"),
)  # fmt: skip
_DEPENDENCY = (
    ("Name", "name"), ("Version", "version"), ("Repository", "repository"),
    ("Condition", "condition"), ("Tags", "tags"), ("Enabled", "enabled"),
    ("ImportValues", "import-values"), ("Alias", "alias"),
)  # fmt: skip
_MAINTAINER = (("Name", "name"), ("Email", "email"), ("URL", "url"))
_LISTS = {"tags", "import-values"}


def chart_object(chart: Chart, helm_version: HelmVersion) -> Table | Struct:
    """Return `.Chart`: every field of the metadata under its Go name, empty ones included."""
    if helm_version.chart_is_struct:
        return _struct(chart)
    meta = chart.metadata
    return {
        **{name: meta.get(key, "") for name, key in _FIELDS},
        "Sources": list(meta.get("sources", [])),
        "Keywords": list(meta.get("keywords", [])),
        "Maintainers": [_taken(one, _MAINTAINER) for one in meta.get("maintainers", [])],
        "Deprecated": meta.get("deprecated", False),
        "Annotations": _annotations(meta),
        "Dependencies": [_taken(one, _DEPENDENCY) for one in meta.get("dependencies", [])],
        "IsRoot": chart.parent is None,
    }


def _taken(one: Table, fields: Fields) -> Table:
    """Return the fields of a maintainer or dependency under their Go names."""
    empty: Table = {"enabled": False}
    return {
        name: list(one.get(key, [])) if key in _LISTS and fields is _DEPENDENCY
        else one.get(key, empty.get(key, ""))
        for name, key in fields
    }  # fmt: skip


def _annotations(meta: Table) -> Table:
    return StringMap(meta["annotations"]) if meta.get("annotations") else NilMap()


def _struct(chart: Chart) -> Struct:
    """Return the struct: its fields are those of the metadata in it, and whether it is the root."""
    meta = chart.metadata
    fields: Table = {name: meta.get(key, "") for name, key in _FIELDS}
    fields |= {
        "Sources": _strings(meta, "sources"),
        "Keywords": _strings(meta, "keywords"),
        "Maintainers": _structs(meta, "maintainers", "*chart.Maintainer", _MAINTAINER),
        "Deprecated": meta.get("deprecated", False),
        "Annotations": _annotations(meta),
        "Dependencies": _structs(meta, "dependencies", "*chart.Dependency", _DEPENDENCY),
    }
    shown = {key: _shown(key, meta[key]) for _, key in _FIELDS if key in meta}
    root = chart.parent is None
    return Struct(
        "struct { chart.Metadata; IsRoot bool }",
        {"Metadata": Struct("chart.Metadata", fields, shown), "IsRoot": root},
        {**shown, "IsRoot": root},
        promoted=fields,
    )


def _shown(key: str, value: Any) -> Any:
    """Return what JSON functions print of a field, its keys in the order of the struct."""
    fields = {"maintainers": _MAINTAINER, "dependencies": _DEPENDENCY}.get(key)
    return value if fields is None else [_ordered(one, fields) for one in value]


def _ordered(one: Table, fields: Fields) -> Table:
    return {key: one[key] for _, key in fields if key in one}


def _strings(meta: Table, key: str) -> Strings:
    return Strings(meta[key]) if meta.get(key) else NilStrings()


def _structs(meta: Table, key: str, go_type: str, fields: Fields) -> list[Any]:
    if not meta.get(key):
        return NilList()
    return [Struct(go_type, _taken(one, fields), _ordered(one, fields)) for one in meta[key]]
