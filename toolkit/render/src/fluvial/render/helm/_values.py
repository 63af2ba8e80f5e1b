"""Values: numbers as Helm has them, and how layers of them are combined.

Nulls delete. A null in a higher layer takes the key of the layers below it with it. A null that
stands only in a chart's defaults is dropped when values are coalesced, and kept when they are
merged (`merge=True`: what defaults say about subcharts, globals, import-values), so that it can
still delete further down. A null for a key that no layer has stays.
"""

from typing import Any

from fluvial.render.gotemplate import Int64
from fluvial.render.gotemplate._format import sprintf
from fluvial.render.helm._errors import ValuesError
from fluvial.render.helm._model import Chart
from fluvial.render.helm._notices import Tell, remark, silent
from fluvial.render.helm._versions import HELM_4_3, HelmVersion

__all__ = ["coalesce", "copied", "floats", "merge_files", "merge_tables", "merge_values", "table"]

Table = dict[str, Any]


def floats(value: Any) -> Any:
    """Return `value` with every number a float, which is what Go makes of untyped JSON.

    Only an Int64 stays what it is: `--set` makes those.
    """
    if isinstance(value, dict):
        return {key: floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [floats(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool | Int64):
        return float(value)
    return value


def copied(value: Any) -> Any:
    """Copy mappings and lists; the rest is immutable."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def merge_files(base: Table, over: Table) -> Table:
    """Merge as values files are merged: mappings by key, everything else replaced, nulls kept."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = merge_files(below, value) if both else value  # type: ignore[arg-type]
    return merged


def merge_values(
    chart: Chart, values: Table, helm_version: HelmVersion = HELM_4_3, tell: Tell = silent
) -> Table:
    """Return what templates of `chart` see: `values` over the defaults of it and its subcharts.

    Numbers become floats; neither argument is changed. `tell` hears of what has no effect. Raises
    ValuesError.
    """
    nulls = helm_version.keeps_default_nulls
    return coalesce(chart, floats(values), merge=False, keep_nulls=nulls, tell=tell)


def coalesce(
    chart: Chart, values: Table, *, merge: bool, keep_nulls: bool = False, tell: Tell = silent
) -> Table:
    """Put `values` over the defaults of `chart` and everything below it, into a new mapping.

    With `keep_nulls`, those that stand only in the defaults stay although values are coalesced.
    """
    result = copied(values)
    assert isinstance(result, dict)
    _Coalescing(merge, keep_nulls, tell).add(chart, result, "")
    return result


class _Coalescing:
    """Fills values from defaults. `path` is where these are, with the chart's name in front."""

    def __init__(self, merge: bool, keep_nulls: bool, tell: Tell) -> None:
        self._merge, self._keep_nulls, self._tell = merge, keep_nulls, tell

    def add(self, chart: Chart, dest: Table, above: str) -> None:
        """Add the defaults of `chart`, which is below `above`, and of everything below it."""
        path = below(above, chart.name)
        self._defaults(chart, dest, path)
        for sub in chart.subcharts:
            inner = dest.setdefault(sub.name, {})
            if not isinstance(inner, dict):
                # The verb is upstream's: it shows what stands there in place of a mapping.
                raise ValuesError(sprintf("type mismatch on %s: %t", [sub.name, inner]))
            self._globals(inner, dest, path)
            self.add(sub, inner, path)

    def _defaults(self, chart: Chart, dest: Table, path: str) -> None:
        """Fill `dest` from the chart's own defaults."""
        drop_nulls = not (self._merge or self._keep_nulls)
        children = {sub.name for sub in chart.subcharts}
        for key, value in chart.values.items():
            if key not in dest:
                if value is not None or not drop_nulls:
                    dest[key] = _without_nulls(value) if drop_nulls else copied(value)
            elif dest[key] is None and not self._merge:
                del dest[key]
            elif isinstance(dest[key], dict) and isinstance(value, dict):
                # A null for a subchart must live until that subchart's defaults are reached.
                keep = self._merge or key in children
                lower = copied(value) if keep or self._keep_nulls else _without_nulls(value)
                merge_tables(dest[key], lower, merge=keep, tell=self._tell, path=below(path, key))
            elif isinstance(dest[key], dict) and value is not None:
                remark(self._tell, "warning: skipped value for %s.%s: Not a table.", path, key)

    def _globals(self, dest: Table, source: Table, path: str) -> None:
        """Hand the parent's globals down to the values of a subchart; the parent's win."""
        lower, upper = dest.get("global", {}), source.get("global", {})
        for side, found in (("destination", lower), ("source", upper)):
            if not isinstance(found, dict):
                text = "warning: skipping globals because %s global is not a table."
                remark(self._tell, text, side)
                return
        for key, value in upper.items():
            if isinstance(value, dict):
                mine = lower.get(key, {})
                if isinstance(mine, dict):
                    own = below(path, key)
                    lower[key] = merge_tables(
                        copied(value), mine, merge=True, tell=self._tell, path=own
                    )
                else:
                    text = "Conflict: cannot merge map onto non-map for %q. Skipping."
                    remark(self._tell, text, key)
            elif isinstance(lower.get(key), dict):
                remark(self._tell, "key %s is table. Skipping", key)
            else:
                lower[key] = copied(value)
        dest["global"] = lower


def below(path: str, key: str) -> str:
    """Return the dotted path of `key` in what is at `path`; an empty one is the root."""
    return f"{path}.{key}" if path else key


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return copied(value)


def merge_tables(
    dest: Table, source: Table, *, merge: bool, tell: Tell = silent, path: str = ""
) -> Table:
    """Fill `dest` from `source`, whose values it takes over; `dest` wins. Returns `dest`.

    `tell` hears of values that do not fit, by their place below `path`.
    """
    for key, value in source.items():
        if key not in dest:
            dest[key] = value
        elif dest[key] is None:
            if not merge and value is not None:
                del dest[key]
        elif isinstance(value, dict):
            where = below(path, key)
            if isinstance(dest[key], dict):
                merge_tables(dest[key], value, merge=merge, tell=tell, path=where)
            else:
                text = "warning: cannot overwrite table with non table for %s (%v)"
                remark(tell, text, where, value)
        elif isinstance(dest[key], dict) and value is not None:
            text = "warning: destination for %s is a table. Ignoring non-table value (%v)"
            remark(tell, text, below(path, key), value)
    return dest


def table(values: Table, path: str) -> Table | None:
    """Return the mapping at a dotted path; None when there is none."""
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found if isinstance(found, dict) else None
