"""Expressions in admission objects: whether they compile, and to what."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.expressions import NAMES, CelError, Expression
from fluvial.cluster.names import label_key_errors

__all__ = ["conditions_errors", "expression_errors", "type_text"]

_MOST_CONDITIONS = 64
_HOOK_NAMES = ("object", "oldObject", "request", "authorizer", "namespaceObject")
_SHOWN = {
    "NULL": "null_type",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
}


def conditions_errors(
    conditions: list[Any] | None, path: str, *, params: bool = False
) -> list[Cause]:
    """Check match conditions: names that are unique, expressions that say yes or no.

    `params` tells whether an expression may use the parameters of a policy.
    """
    found = conditions or []
    errors: list[Cause] = []
    if len(found) > _MOST_CONDITIONS:
        errors.append(fielderrors.too_many(path, len(found), _MOST_CONDITIONS))
    names: set[str] = set()
    for index, condition in enumerate(found):
        place, name = f"{path}[{index}]", condition.get("name") or ""
        source = (condition.get("expression") or "").strip()
        allowed = (*_HOOK_NAMES, "params") if params else _HOOK_NAMES
        if not source:
            errors.append(fielderrors.required(f"{place}.expression"))
        else:
            errors += expression_errors(source, f"{place}.expression", ("BOOL",), allowed)
        if not name:
            errors.append(fielderrors.required(f"{place}.name"))
        errors += [
            fielderrors.invalid(f"{place}.name", name, text)
            for text in (label_key_errors(name) if name else [])
        ]
        if name in names:
            errors.append(fielderrors.duplicate(f"{place}.name", name))
        names.add(name)
    return errors


def expression_errors(
    source: str, path: str, results: tuple[str, ...], names: tuple[str, ...] = NAMES
) -> list[Cause]:
    """Compile an expression with these names known; `results` are the types it may have, if any."""
    try:
        result = Expression(source, names).result
    except CelError as error:
        return [fielderrors.invalid(path, source, f"compilation failed: {error}")]
    if not results or result in (*results, "DYN"):
        return []
    wanted = [type_text(name) for name in results]
    shown = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
    text = f"must evaluate to {shown} but got {type_text(result)}"
    return [fielderrors.invalid(path, source, text)]


def type_text(name: str) -> str:
    """Return a type as messages of Go show it: `list(dyn)`."""
    text = _SHOWN.get(name) or (name.lower() if name.upper() == name else name)
    return text.replace("<", "(").replace(">", ")")
