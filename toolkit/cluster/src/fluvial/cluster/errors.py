"""Errors of the embedded control plane.

    ClusterError
    ├── StatusError          an answer of the API: carries a `Status` body
    ├── storage.CompactedError    history before a resource version is gone (storage.py)
    ├── http.jsonpath.PathError   a printer column's path cannot be followed (jsonpath.py)
    ├── http.protobuf.BodyError   a body that nothing can be read from (protobuf.py)
    ├── http.routes.NoPageError   a path that leads nowhere (routes.py)
    └── database.DatabaseError    a database file cannot be used (database.py)

Every refusal that a client may see is a `StatusError`, made by one of the functions below, so
that wording, reason, code and details are upstream's (`k8s.io/apimachinery/pkg/api/errors`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "Cause",
    "ClusterError",
    "StatusError",
    "already_exists",
    "bad_request",
    "conflict",
    "expired",
    "forbidden",
    "generic",
    "internal",
    "invalid",
    "method_not_allowed",
    "method_not_supported",
    "not_acceptable",
    "not_found",
    "not_implemented",
    "page_not_found",
    "success",
    "too_large",
    "unauthorized",
    "unsupported_media_type",
]

Cause = dict[str, str]
"""One entry of `details.causes`: `reason`, `message`, `field` (each may be absent)."""


class ClusterError(Exception):
    """Root of everything this distribution raises on purpose."""


class StatusError(ClusterError):
    """A refusal with a `Status` body.

    `code` is the HTTP status, `reason` the machine-readable reason (may be empty), `details` the
    `StatusDetails` map without empty members.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.warnings: list[str] = []

    def body(self) -> dict[str, Any]:
        """Return the `Status` object for the wire."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def success(code: int) -> dict[str, Any]:
    """Return the Status of something done that has no object to show."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": code,
    }


def _details(group: str, kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    pairs = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in pairs.items() if value}


def _qualified(group: str, resource: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(group: str, resource: str, name: str) -> StatusError:
    """404: there is no such object."""
    message = f'{_qualified(group, resource)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, resource, name))


def page_not_found() -> StatusError:
    """404 for a resource that a known group version does not have."""
    message = "the server could not find the requested resource"
    return StatusError(404, "NotFound", message, {})


def already_exists(group: str, resource: str, name: str) -> StatusError:
    """409: create of a name that is taken."""
    message = f'{_qualified(group, resource)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(group, resource, name))


def conflict(group: str, resource: str, name: str, why: str) -> StatusError:
    """409: a precondition on uid or resource version does not hold."""
    message = f'Operation cannot be fulfilled on {_qualified(group, resource)} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(group, resource, name))


def bad_request(message: str) -> StatusError:
    """400: the request itself is malformed."""
    return StatusError(400, "BadRequest", message)


def forbidden(group: str, resource: str, name: str, why: str) -> StatusError:
    """403 by authorization or admission."""
    details = _details(group, resource, name)
    subject = f'{_qualified(group, resource)} "{name}"' if resource else ""
    message = f"{subject} is forbidden: {why}" if subject else f"forbidden: {why}"
    return StatusError(403, "Forbidden", message, details)


def unauthorized() -> StatusError:
    """401: credentials that are not good."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """422: validation. `causes` messages are without their field; the summary repeats both."""
    lines = list(dict.fromkeys(f"{c['field']}: {c['message']}" for c in causes))
    summary = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    message = (
        f'{_qualified(group, kind)} "{name}" is invalid: {summary}'
        if lines
        else (f'{_qualified(group, kind)} "{name}" is invalid')
    )
    return StatusError(
        422, "Invalid", message, _details(group, kind, name, causes=[dict(c) for c in causes])
    )


def expired(message: str, *, metadata: dict[str, Any] | None = None) -> StatusError:
    """410: the resource version or continue token is too old."""
    return StatusError(410, "Expired", message, metadata=metadata)


def method_not_allowed() -> StatusError:
    """405: the endpoint has no such verb."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def method_not_supported(group: str, resource: str, verb: str) -> StatusError:
    """405: a custom resource, or a subresource of it, has no such verb."""
    kind = _qualified(group, resource)
    message = f'{verb} is not supported on resources of kind "{kind}"'
    return StatusError(405, "MethodNotAllowed", message, _details(group, resource))


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    """406: none of the media types of the Accept header can be served."""
    message = "only the following media types are accepted: " + ", ".join(accepted)
    return StatusError(406, "NotAcceptable", message)


def unsupported_media_type(message: str) -> StatusError:
    """415: a body in a form that the endpoint does not read."""
    return StatusError(415, "UnsupportedMediaType", message)


def too_large(message: str) -> StatusError:
    """413: a body or an object over its limit."""
    return StatusError(413, "RequestEntityTooLarge", message)


def internal(message: str) -> StatusError:
    """500: an error of the server, or one that upstream reports as such."""
    return StatusError(
        500,
        "InternalError",
        f"Internal error occurred: {message}",
        {"causes": [{"message": message}]},
    )


def not_implemented(what: str, instead: str = "") -> StatusError:
    """501: exists upstream, deliberately not here; `instead` is the way out."""
    message = f"{what} is not implemented by the embedded control plane"
    message += f": {instead}" if instead else ""
    return StatusError(501, "NotImplemented", message)


def generic(code: int, reason: str, message: str) -> StatusError:
    """Return a Status of any other code, without details."""
    return StatusError(code, reason, message)
