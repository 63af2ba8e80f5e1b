"""Dependencies: which subcharts are there, under which name, and what values they hand up."""

from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate._quote import quote
from fluvial.render.helm._model import Chart
from fluvial.render.helm._notices import Tell, ignored, silent
from fluvial.render.helm._values import coalesce, merge_tables, merge_values, table
from fluvial.render.helm._versions import HELM_4_3, HelmVersion

__all__ = ["imports_of", "process_dependencies"]

Table = dict[str, Any]
InRange = Callable[[str, str], bool]


def process_dependencies(
    chart: Chart,
    values: Table,
    in_range: InRange,
    helm_version: HelmVersion = HELM_4_3,
    tell: Tell = silent,
) -> None:
    """Apply aliases, conditions, tags and import-values to `chart`, in place.

    A declared subchart that is not in `charts/` is passed over; one that is not declared stays, and
    comes first. `in_range(constraint, version)` compares versions; `tell` hears of settings that
    have no effect.
    """
    _enable(chart, values, "", in_range, helm_version, tell)
    _import_values(chart, tell)


def _enable(  # noqa: PLR0917  (it calls itself)
    chart: Chart,
    values: Table,
    path: str,
    in_range: InRange,
    helm_version: HelmVersion,
    tell: Tell,
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
    seen = merge_values(chart, values, helm_version, tell)
    for one in declared:
        one["enabled"] = _tagged(one, seen, tell)
    for one in declared:
        one["enabled"] = _enabled(one, seen, path, tell)
    disabled = {one["name"] for one in declared if not one["enabled"]}
    chart.subcharts = [sub for sub in found if sub.name not in disabled]
    chart.metadata["dependencies"] = [one for one in declared if one["enabled"]]
    for sub in chart.subcharts:
        _enable(sub, seen, f"{path}{sub.name}.", in_range, helm_version, tell)


def _matches(sub: Chart, declared: Table, in_range: InRange) -> bool:
    return sub.name == declared["name"] and in_range(declared.get("version", ""), sub.version)


def _aliased(sub: Chart, declared: Table) -> Chart:
    twin = sub.copy()
    if declared.get("alias"):
        twin.metadata["name"] = declared["alias"]
    return twin


def _tagged(declared: Table, values: Table, tell: Tell) -> bool:
    """Decide by tags, else yes."""
    tags = values.get("tags")
    if not isinstance(tags, dict):
        return True
    known = [tag for tag in declared.get("tags", []) if tag in tags]
    for tag in known:
        if not isinstance(tags[tag], bool):
            ignored(tell, "returned non-bool value", tag=tag, chart=declared["name"])
    said = [tags[tag] for tag in known if isinstance(tags[tag], bool)]
    return any(said) or not said


def _enabled(declared: Table, values: Table, path: str, tell: Tell) -> bool:
    """Decide by condition, else as it was decided by tags."""
    for condition in declared.get("condition", "").strip().split(","):
        if condition:
            parent, _, leaf = f"{path}{condition}".rpartition(".")
            holder = table(values, parent) if parent else values
            if holder is None or leaf not in holder or isinstance(holder[leaf], dict):
                continue
            if isinstance(holder[leaf], bool):
                return bool(holder[leaf])
            ignored(tell, "returned non-bool value", path=condition, chart=declared["name"])
    return bool(declared["enabled"])


def _import_values(chart: Chart, tell: Tell) -> None:
    """Copy what children export into the defaults of `chart`, deepest first."""
    for sub in chart.subcharts:
        _import_values(sub, tell)
    declared: list[Table] | None = chart.metadata.get("dependencies")
    if declared is None:
        return
    own = coalesce(chart, {}, merge=True, tell=tell)
    gathered: Table = {}
    for one in declared:
        for (child, parent), entry in zip(
            imports_of(one), one.get("import-values", []), strict=True
        ):
            taken = table(own, f"{one['name']}.{child}")
            if taken is None:
                _tell_missing(own, one["name"], child, by_name=isinstance(entry, str), tell=tell)
            else:
                # Not a copy: a second child that hands up to the same place changes the first.
                merge_tables(gathered, _at(parent, taken), merge=True, tell=tell)
        if one.get("import-values"):
            one["import-values"] = [
                entry if isinstance(entry, dict) else {"child": f"exports.{entry}", "parent": "."}
                for entry in one["import-values"]
            ]
    chart.values = merge_tables(own, gathered, merge=True, tell=tell)


def _tell_missing(values: Table, name: str, child: str, *, by_name: bool, tell: Tell) -> None:
    """Warn that a subchart has nothing to import at `child`, with the first part that is none."""
    found: Any = values
    for part in f"{name}.{child}".split("."):
        found = found.get(part)
        if not isinstance(found, dict):
            problem = f"{quote(part)} is not a table"
            if by_name:
                ignored(tell, "ImportValues missing table", error=problem)
            else:
                ignored(tell, "ImportValues missing table from chart", chart=name, error=problem)
            return


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
