"""Checks of CEL rules when a CustomResourceDefinition is written: they compile, and are not costly.

The cost of a rule is estimated, more coarsely than the API server does: how often it may run (the
lists and maps above it, as long as a request of 3 MiB allows where no maximum is given), with one
unit for each run, whatever the expression does. So most rules that are too costly there pass here.
The one expression that is looked into is text joined with `string(…)`, which has no bound in the
API server's estimate when it is made of a number; made of a text it is refused here needlessly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fluvial.cluster.fields.cel import CelError, Program
from fluvial.cluster.fields.errors import FieldError

__all__ = ["check_rules"]

_REQUEST_BYTES = 3 * 1024 * 1024
_RULE_LIMIT = 10_000_000
_SCHEMA_LIMIT = 100_000_000
_UNBOUNDED = float(2**63)
_HINT = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)
_REASONS = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
# Joining the text of a number: its length has no bound for the estimate.
_UNBOUNDED_TEXT = re.compile(r"\+\s*string\(|\bstring\([^()]*\)\s*\+")
_MIN_BYTES = {"string": 2, "integer": 1, "number": 1, "boolean": 4, "array": 2, "object": 2}
_FIELD_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\['((?:\\.|[^'\\])*)'\]|\[\"([^\"]*)\"\]")


@dataclass(slots=True)
class _Costs:
    total: float
    places: list[str]


def check_rules(schema: dict[str, Any], path: str) -> list[FieldError]:
    """Return what is wrong with the rules anywhere in a structural schema."""
    costs = _Costs(0.0, [])
    errors = list(_node(schema, path, 1.0, costs))
    if costs.total > _SCHEMA_LIMIT:
        text = (
            "contributed to estimated rule cost total exceeding cost limit "
            "for entire OpenAPIv3 schema"
        )
        errors += [FieldError("FieldValueForbidden", place, None, text) for place in costs.places]
        whole = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        text = f"{whole} exceeds budget by factor of {_factor(costs.total / _SCHEMA_LIMIT)} {_HINT}"
        errors.append(FieldError("FieldValueForbidden", path, None, text))
    return errors


def _factor(factor: float) -> str:
    return "more than 100x" if factor > 100 else f"{factor:.1f}x"


def _node(schema: dict[str, Any], path: str, times: float, costs: _Costs) -> Iterator[FieldError]:
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{index}]"
        found = list(_rule(schema, rule, where))
        yield from found
        if not found:
            yield from _cost(rule, where, times, costs)
    for name, child in (schema.get("properties") or {}).items():
        yield from _node(child, f"{path}.properties[{name}]", times, costs)
    items, additional = schema.get("items"), schema.get("additionalProperties")
    if isinstance(items, dict):
        many = times * _most(schema.get("maxItems"), items, 1)
        yield from _node(items, f"{path}.items", many, costs)
    if isinstance(additional, dict):
        many = times * _most(schema.get("maxProperties"), additional, 4)
        yield from _node(additional, f"{path}.additionalProperties", many, costs)


def _most(limit: int | None, part: dict[str, Any], overhead: int) -> float:
    """Return how many items there can be."""
    if limit is not None:
        return float(limit)
    return _REQUEST_BYTES / (_least_bytes(part) + overhead)


def _least_bytes(part: dict[str, Any]) -> int:
    """Return the size of the smallest JSON value of a schema: objects have what is required."""
    size = _MIN_BYTES.get(part.get("type", ""), 1)
    properties = part.get("properties") or {}
    for name in part.get("required") or ():
        if "default" not in properties.get(name, {"default": None}):
            size += len(name) + 4 + _least_bytes(properties[name])
    return size


def _cost(rule: dict[str, Any], where: str, times: float, costs: _Costs) -> Iterator[FieldError]:
    for name in ("rule", "messageExpression"):
        expression = rule.get(name)
        if not expression:
            continue
        cost = times * (_UNBOUNDED if _UNBOUNDED_TEXT.search(expression) else 1.0)
        place = f"{where}.{name}"
        if cost > _RULE_LIMIT:
            what = f"estimated {name} cost exceeds budget by factor of"
            text = f"{what} {_factor(cost / _RULE_LIMIT)} {_HINT}"
            yield FieldError("FieldValueForbidden", place, None, text)
            costs.places.append(place)
        costs.total += cost


def _rule(schema: dict[str, Any], rule: dict[str, Any], where: str) -> Iterator[FieldError]:
    expression = (rule.get("rule") or "").strip()
    if not expression:
        yield FieldError("FieldValueRequired", f"{where}.rule", None, "rule is not specified")
        return
    yield from _texts(schema, rule, where)
    optional = bool(rule.get("optionalOldSelf"))
    shown = _shown(rule)
    try:
        program = Program(rule["rule"], schema, optional_old=optional)
    except CelError as error:
        text = f"compilation failed: {error}"
        yield FieldError("FieldValueInvalid", f"{where}.rule", shown, text)
        return
    if program.result not in {"BOOL", "DYN"}:
        text = "cel expression must evaluate to a bool"
        yield FieldError("FieldValueInvalid", f"{where}.rule", shown, text)
    if not rule.get("messageExpression"):
        return
    place = f"{where}.messageExpression"
    try:
        program = Program(rule["messageExpression"], schema, optional_old=optional)
    except CelError as error:
        text = f"messageExpression compilation failed: {error}"
        yield FieldError("FieldValueInvalid", place, shown, text)
        return
    if program.result not in {"STRING", "DYN"}:
        text = "messageExpression must evaluate to a string"
        yield FieldError("FieldValueInvalid", place, shown, text)


def _texts(schema: dict[str, Any], rule: dict[str, Any], where: str) -> Iterator[FieldError]:
    message = rule.get("message") or ""
    if message and not message.strip():
        text = "message must be non-empty if specified"
        yield FieldError("FieldValueInvalid", f"{where}.message", message, text)
    elif "\n" in message:
        text = "must not contain line breaks"
        yield FieldError("FieldValueInvalid", f"{where}.message", message, text)
    if "\n" in rule.get("rule", "") and not message:
        text = "message must be specified if rule contains line breaks"
        yield FieldError("FieldValueRequired", f"{where}.message", None, text)
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        supported = ", ".join(f'"{name}"' for name in _REASONS)
        text = f"supported values: {supported}"
        yield FieldError("FieldValueNotSupported", f"{where}.reason", reason, text)
    field_path = rule.get("fieldPath")
    if field_path and not _leads_somewhere(schema, field_path):
        text = "must be a valid path"
        yield FieldError("FieldValueInvalid", f"{where}.fieldPath", field_path, text)


def _leads_somewhere(schema: dict[str, Any], field_path: str) -> bool:
    position, node = 0, schema
    while position < len(field_path):
        step = _FIELD_STEP.match(field_path, position)
        if step is None:
            return False
        name = next(part for part in step.groups() if part is not None)
        additional = node.get("additionalProperties")
        child = (node.get("properties") or {}).get(name)
        if child is None and isinstance(additional, dict):
            child = additional
        if not isinstance(child, dict):
            return False
        node, position = child, step.end()
    return True


def _shown(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule with the names of its type inside the API server, which messages print."""
    return {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
