"""Field errors in the API server's words (`k8s.io/apimachinery/pkg/util/validation/field`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fluvial.cluster.errors import Cause

__all__ = [
    "duplicate",
    "forbidden",
    "immutable",
    "invalid",
    "not_found",
    "not_supported",
    "quote",
    "required",
    "too_long",
    "too_many",
    "type_invalid",
]


def quote(value: Any) -> str:
    """Print a value as messages show it: strings quoted, the rest as JSON."""
    return msgspec.json.encode(value).decode()


def _cause(reason: str, field: str, message: str) -> Cause:
    return {"reason": reason, "message": message, "field": field}


def required(field: str, detail: str = "") -> Cause:
    """Report a missing value."""
    return _cause("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: Any, detail: str) -> Cause:
    """Report a value that breaks a rule."""
    return _cause("FieldValueInvalid", field, f"Invalid value: {quote(value)}: {detail}")


def immutable(field: str, value: Any) -> Cause:
    """Report a change of a field that must not change."""
    return invalid(field, value, "field is immutable")


def forbidden(field: str, detail: str) -> Cause:
    """Report a value that must not be there."""
    return _cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def not_supported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """Report a value outside an enumeration; `supported` is shown in its order."""
    shown = ", ".join(f'"{item}"' for item in supported)
    text = f"Unsupported value: {quote(value)}: supported values: {shown}"
    return _cause("FieldValueNotSupported", field, text)


def not_found(field: str, value: Any) -> Cause:
    """Report a reference to something that is not there."""
    return _cause("FieldValueNotFound", field, f"Not found: {quote(value)}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """Report a list with more items than it may have."""
    unit = "item" if limit == 1 else "items"
    return _cause(
        "FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} {unit}"
    )


def duplicate(field: str, value: Any) -> Cause:
    """Report a key that another item of the list has."""
    return _cause("FieldValueDuplicate", field, f"Duplicate value: {quote(value)}")


def too_long(field: str, limit: int) -> Cause:
    """Report a value over its limit of bytes."""
    return _cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def type_invalid(field: str, value: Any, detail: str) -> Cause:
    """Report a value of a wrong type."""
    return _cause("FieldValueTypeInvalid", field, f"Invalid value: {quote(value)}: {detail}")
