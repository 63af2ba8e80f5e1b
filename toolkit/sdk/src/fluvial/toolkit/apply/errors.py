# ruff: noqa: N818  (the names say what happened, as the client's do)
"""What the apply engine raises.

    ApplyError
    ├── ObjectError          one object, in upstream's words; carries its id
    ├── ApplyFailed          the errors of a stage, with what was done before
    ├── PruneRefused         the prune guard stopped; nothing was deleted
    ├── SelectorInvalid      a target or selector that does not parse
    └── ExpressionInvalid    a CEL expression that does not compile

The client's own errors (LeaseLost, transport errors) pass through where they concern no object.
"""

from typing import TYPE_CHECKING, Self

from fluvial.apis.ids import ObjectId
from fluvial.toolkit.client import ApiError, ClientError, NotFound

if TYPE_CHECKING:
    from fluvial.toolkit.apply.changes import ChangeSet

__all__ = [
    "ApplyError",
    "ApplyFailed",
    "ExpressionInvalid",
    "ObjectError",
    "PruneRefused",
    "SelectorInvalid",
]

_FIELD_CONFLICT = "FieldManagerConflict"


class ApplyError(Exception):
    """Base of this package's errors."""


class ObjectError(ApplyError):
    """What went wrong with one object; `cause` is the client's error, if it was one."""

    def __init__(self, id: ObjectId, message: str, cause: ClientError | None = None) -> None:
        super().__init__(message)
        self.id = id
        """The object it is about."""
        self.cause = cause

    @classmethod
    def dry_run(cls, id: ObjectId, error: ClientError, message: str | None = None) -> Self:
        """Describe a failed dry-run in upstream's forms.

        `Kind/ns/name dry-run failed (Reason): …`, `… namespace not specified: …` and
        `… not found: …`; a conflict of field managers takes the place of the reason. `message`
        stands for the error's own text, where that would show a secret.
        """
        text = str(error) if message is None else message
        if isinstance(error, NotFound):
            what = "not found" if id.namespace else "namespace not specified"
            return cls(id, f"{id} {what}: {text}", error)
        reason = error.reason if isinstance(error, ApiError) else ""
        if isinstance(error, ApiError) and any(
            cause.reason == _FIELD_CONFLICT for cause in error.causes
        ):
            reason = _FIELD_CONFLICT
        middle = f"dry-run failed ({reason})" if reason else "dry-run failed"
        return cls(id, f"{id} {middle}: {text}", error)


class ApplyFailed(ApplyError):
    """A stage failed. `errors` names every object, `changes` is what was done until then."""

    def __init__(self, errors: list[ObjectError], changes: "ChangeSet") -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors
        self.changes = changes


class PruneRefused(ApplyError):
    """Deleting this much needs someone's word for it."""


class SelectorInvalid(ApplyError):
    """A selector, pointer or regular expression of a rule does not parse."""


class ExpressionInvalid(ApplyError):
    """A CEL expression does not parse, or is not a boolean."""
