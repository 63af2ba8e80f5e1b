"""Dependencies: which subcharts are there, under which name, and what values they hand up."""

from collections.abc import Callable
from typing import Any

from fluvial.render.helm._model import Chart
from fluvial.render.helm._values import coalesce, merge_tables, merge_values, table
from fluvial.render.helm._versions import HELM_4_3, HelmVersion

__all__ = ["imports_of", "process_dependencies"]

Table = dict[str, Any]
InRange = Callable[[str, str], bool]


def process_dependencies(
    chart: Chart, values: Table, in_range: InRange, helm_version: HelmVersion = HELM_4_3
) -> None:
    """Apply aliases, conditions, tags and import-values to `chart`, in place.

    A declared subchart that is not in `charts/` is passed over; one that is not declared stays, and
    comes first. `in_range(constraint, version)` compares versions.
    """
    _enable(chart, values, "", in_range, helm_version)
    _import_values(chart)


def _enable(
    chart: Chart, values: Table, path: str, in_range: InRange, helm_version: HelmVersion
) -> None:
    """Keep the enabled subcharts of `chart`, whose conditions start at `path`; then go down."""
    declared: list[Table] | None = chart.metadata.get("dependencies")
    if declared is None:
        return
    found = [
        sub for sub in chart.subcharts if not any(_matches(sub, one, in_range) for one in declared)
    ]
    for one in declared:
        for sub in chart.subcharts:
            if _matches(sub, one, in_range):
                found.append(_aliased(sub, one))
                break
        one["name"] = one.get("alias") or one["name"]
    chart.subcharts = found
    seen = merge_values(chart, values, helm_version)
    for one in declared:
        one["enabled"] = _enabled(one, seen, path)
    disabled = {one["name"] for one in declared if not one["enabled"]}
    chart.subcharts = [sub for sub in found if sub.name not in disabled]
    chart.metadata["dependencies"] = [one for one in declared if one["enabled"]]
    for sub in chart.subcharts:
        _enable(sub, seen, f"{path}{sub.name}.", in_range, helm_version)


def _matches(sub: Chart, declared: Table, in_range: InRange) -> bool:
    return sub.name == declared["name"] and in_range(declared.get("version", ""), sub.version)


def _aliased(sub: Chart, declared: Table) -> Chart:
    twin = sub.copy()
    if declared.get("alias"):
        twin.metadata["name"] = declared["alias"]
    return twin


def _enabled(declared: Table, values: Table, path: str) -> bool:
    """Decide by condition, else by tags, else yes."""
    for condition in declared.get("condition", "").strip().split(","):
        if condition:
            parent, _, leaf = f"{path}{condition}".rpartition(".")
            holder = table(values, parent) if parent else values
            if holder is not None and isinstance(holder.get(leaf), bool):
                return bool(holder[leaf])
    tags = values.get("tags")
    if not isinstance(tags, dict):
        return True
    said = [tags[tag] for tag in declared.get("tags", []) if isinstance(tags.get(tag), bool)]
    return any(said) or not said


def _import_values(chart: Chart) -> None:
    """Copy what children export into the defaults of `chart`, deepest first."""
    for sub in chart.subcharts:
        _import_values(sub)
    declared: list[Table] | None = chart.metadata.get("dependencies")
    if declared is None:
        return
    own = coalesce(chart, {}, merge=True)
    gathered: Table = {}
    for one in declared:
        for child, parent in imports_of(one):
            taken = table(own, f"{one['name']}.{child}")
            if taken is not None:
                # Not a copy: a second child that hands up to the same place changes the first.
                merge_tables(gathered, _at(parent, taken), merge=True)
        if one.get("import-values"):
            one["import-values"] = [
                entry if isinstance(entry, dict) else {"child": f"exports.{entry}", "parent": "."}
                for entry in one["import-values"]
            ]
    chart.values = merge_tables(own, gathered, merge=True)


def imports_of(declared: Table) -> list[tuple[str, str]]:
    """Return what a dependency hands up: dotted paths in its values and in those of its parent."""
    return [
        (str(entry.get("child", "")), str(entry.get("parent", "")))
        if isinstance(entry, dict)
        else (f"exports.{entry}", ".")
        for entry in declared.get("import-values", [])
    ]


def _at(path: str, value: Table) -> Table:
    """Return `value` at a dotted path; `.` is the root."""
    if path == ".":
        return value
    for part in reversed(path.split(".")):
        value = {part: value}
    return value
