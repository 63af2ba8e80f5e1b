"""Writes the field tables of the specification pages: `python -m fluvial.apis.tables DIRECTORY`.

A page holds `<!-- fields: GitRepository.spec -->` and `<!-- end -->`; what stands between them is
replaced. Types that many kinds share have a table of their own on the page `common.md`.
"""

import json
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import msgspec

from fluvial.apis import meta
from fluvial.apis.kinds import ALL
from fluvial.apis.openapi import Field, JSONSchema, fields, unwrap
from fluvial.apis.schema import INTERVAL, TIMEOUT, Model

__all__ = ["fill", "main", "table"]

_SHARED: Final = (meta.Condition, meta.Artifact, meta.Snapshot)
_MODELS: Final[dict[str, type[msgspec.Struct]]] = {model.__name__: model for model in _SHARED} | {
    f"{kind.kind}.{field.name}": field.type
    for kind in ALL
    for field in fields(kind.model)
    if field.name in {"spec", "status"}
}
_BLOCK: Final = re.compile(r"(<!-- fields: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_DURATIONS: Final = (INTERVAL, TIMEOUT)
_SCALARS: Final[dict[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Any: "any",
    int | str: "integer or string",
}


def table(name: str) -> str:
    """Return the table of a kind's spec or status, or of a shared type, with its rules.

    Raises KeyError when there is no such model.
    """
    model = _MODELS[name]
    rows = "".join(_rows(model))
    rules = "".join(_rules(model))
    rules = f"\nThe API server also holds:\n\n{rules}" if rules else ""
    return f"| Field | Type | Default | Meaning |\n|---|---|---|---|\n{rows}{rules}"


def fill(page: str) -> str:
    """Return a page with every table made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{table(block[2])}{block[3]}", page)


def main(arguments: list[str]) -> int:
    """Rewrite the pages of a directory; the exit status is 2 when it is not named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m fluvial.apis.tables DIRECTORY\n")
        return 2
    for path in sorted(pathlib.Path(arguments[0]).glob("*.md")):
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _members(model: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, Field, Any]]:
    """Yield path, field and innermost type of every field, parents before children."""
    for field in fields(model):
        path, inner, constraints = prefix + field.name, field.type, field.constraints
        while get_origin(inner) in {list, dict}:
            path += "[]" if get_origin(inner) is list else "{}"
            inner, constraints, _ = unwrap(get_args(inner)[-1])
        yield path, field._replace(constraints=constraints), inner
        if _is_model(inner) and inner not in _SHARED:
            yield from _members(inner, f"{path}.")


def _rows(model: type[msgspec.Struct]) -> Iterator[str]:
    for path, field, inner in _members(model, ""):
        cells = (f"`{path}`", _type(inner, field.constraints), _default(field), field.description)
        yield f"| {' | '.join(map(_cell, cells))} |\n"


def _rules(model: type[msgspec.Struct]) -> Iterator[str]:
    places = [("", model)] + [(path, inner) for path, _, inner in _members(model, "")]
    for path, inner in places:
        if not (_is_model(inner) and issubclass(inner, Model)):
            continue
        where = f"`{path}`: " if path else ""
        for message in dict.fromkeys(rule.message for rule in inner.cel_rules):
            yield f"- {where}{message}\n"
        sets = [" and ".join(branch["required"]) for branch in inner.one_of if "required" in branch]
        if sets:
            none = ", or none of them" if len(sets) < len(inner.one_of) else ""
            yield f"- {where}exactly one of: {'; '.join(sets)}{none}\n"


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _type(inner: Any, constraints: JSONSchema) -> str:
    if inner in _SHARED:
        return f"[{inner.__name__}](common.md#{inner.__name__.lower()})"
    if _is_model(inner):
        return "object"
    if "enum" in constraints:
        return " ".join(f"`{choice}`" if choice else "empty" for choice in constraints["enum"])
    if constraints.get("pattern") in _DURATIONS:
        return "duration"
    kind = constraints.get("type") or _SCALARS[inner]
    low = constraints.get("minLength", constraints.get("minimum"))
    high = constraints.get("maxLength", constraints.get("maximum"))
    if low is not None:
        kind += f", at least {low}"
    if high is not None:
        kind += f", at most {high}"
    if "pattern" in constraints:
        kind += f", `{constraints['pattern']}`"
    return kind


def _default(field: Field) -> str:
    if field.default is not msgspec.NODEFAULT:
        return f"`{json.dumps(field.default)}`"
    return "required" if field.required else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
