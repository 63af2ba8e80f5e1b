"""What can go wrong with an object's fields.

    FieldsError
    ├── ApplyConflict     409: another manager owns a field with another value
    ├── TypedObjectError  500: an applied object does not fit its schema
    ├── BadPatch          400: a patch is not of the form that its media type asks for
    ├── RejectedPatch     422: a JSON patch does not fit the object
    │   └── TestFailed    … because a value is not the one that it tests for
    └── PatchFailure      500: a strategic merge patch cannot be carried out

`status` is the HTTP status and `reason` the machine-readable reason of the Status object that a
kube-apiserver answers with; the text of the exception is its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

__all__ = [
    "ApplyConflict",
    "BadPatch",
    "ConflictCause",
    "FieldError",
    "FieldsError",
    "PatchFailure",
    "RejectedPatch",
    "TestFailed",
    "TypedObjectError",
    "not_an_object",
]


class FieldsError(Exception):
    """Base of all errors of this package."""

    status: ClassVar[int] = 500
    reason: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class ConflictCause:
    """One field that another manager owns, as in `details.causes` of the answer."""

    manager: str  # as printed: `"kubectl" using apps/v1`
    field: str  # `.spec.replicas`

    @property
    def message(self) -> str:
        """The cause's message."""
        return f"conflict with {self.manager}"


class ApplyConflict(FieldsError):  # noqa: N818 (upstream's name for it)
    """A server-side apply without force met fields of other managers."""

    status = 409
    reason = "Conflict"

    def __init__(self, message: str, causes: tuple[ConflictCause, ...]) -> None:
        super().__init__(message)
        self.causes = causes


class TypedObjectError(FieldsError):
    """An applied object has undeclared fields, wrong types or duplicate list entries."""


class BadPatch(FieldsError):  # noqa: N818 (named for what it is)
    """The body of a patch cannot be read as a patch of its kind."""

    status = 400
    reason = "BadRequest"


class RejectedPatch(FieldsError):  # noqa: N818 (named for what it is)
    """A JSON patch that is well formed but does not fit the object (a missing path, a failed test).

    The server answers with a fixed sentence; what was wrong is in `detail` for the log.
    """

    status = 422
    reason = "Invalid"

    def __init__(self, detail: str) -> None:
        super().__init__("the server rejected our request due to an error in our request")
        self.detail = detail


class TestFailed(RejectedPatch):
    """A JSON patch tests for a value that is not there."""

    __test__ = False  # it is no test, whatever its name says


class PatchFailure(FieldsError):  # noqa: N818 (named for what it is)
    """A strategic merge patch that contradicts the schema or carries an unknown directive."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint about one field, in the form of apimachinery's `field.Error`.

    `type` is the cause's reason (`FieldValueInvalid`, `FieldValueRequired`, …). `value` counts
    only for the types that print it.
    """

    type: str
    field: str
    value: Any = None
    detail: str = ""

    _TITLES: ClassVar[dict[str, str]] = {
        "FieldValueNotFound": "Not found",
        "FieldValueRequired": "Required value",
        "FieldValueDuplicate": "Duplicate value",
        "FieldValueInvalid": "Invalid value",
        "FieldValueNotSupported": "Unsupported value",
        "FieldValueForbidden": "Forbidden",
        "FieldValueTooLong": "Too long",
        "FieldValueTooMany": "Too many",
        "FieldValueTypeInvalid": "Invalid value",
        "InternalError": "Internal error",
    }
    _WITHOUT_VALUE: ClassVar[frozenset[str]] = frozenset(
        {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "InternalError"}
    )

    @property
    def message(self) -> str:
        """The text without the field's path, as in `details.causes`."""
        text = self._TITLES[self.type]
        if self.type not in self._WITHOUT_VALUE and not isinstance(self.value, _Omitted):
            text += f": {_printed(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def not_an_object(patch: object) -> str:
    """Return what Go's JSON decoder says of a patch that should have been an object."""
    kinds = {list: "array", str: "string", bool: "bool"}
    kind = kinds.get(type(patch), "number")
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


class _Omitted:
    """The value of a complaint that is printed without a value (a list in a CEL rule)."""


OMITTED = _Omitted()


def _printed(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = msgspec.json.encode(value).decode()
    if isinstance(value, dict | list):  # Go escapes HTML in structures, not in plain strings
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text
