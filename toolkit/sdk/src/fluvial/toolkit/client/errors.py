# ruff: noqa: N818 -- named by the client decision page, after the reasons of Kubernetes
"""What can go wrong between a controller and the API server.

```
ClientError
├── ApiError                 the server answered with a failure (a Status body)
│   ├── Unauthorized         401
│   ├── Forbidden            403
│   ├── NotFound             404
│   ├── AlreadyExists        409, reason AlreadyExists
│   ├── Conflict             409, any other reason
│   ├── Gone                 410: the resource version or continue token is too old
│   ├── Invalid              422, and 400: the object was refused
│   ├── TooManyRequests      429
│   ├── ServerUnavailable    500, 502, 503
│   └── Timeout              504, and a call that outlived its own deadline
├── TransportError           nothing came back: refused, reset, TLS failure, silent watch
├── UnknownKind              discovery does not list the kind
├── ConfigError              no usable cluster configuration
└── LeaseLost                this process may no longer be the leader and must not write
```
"""

from dataclasses import dataclass
from typing import Any

import msgspec

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Cause",
    "ClientError",
    "ConfigError",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "LeaseLost",
    "NotFound",
    "ServerUnavailable",
    "Timeout",
    "TooManyRequests",
    "TransportError",
    "Unauthorized",
    "UnknownKind",
    "error_from_response",
    "error_from_status",
]

_BODY_SHOWN = 300
"""How much of an answer that is no Status stands in the message, in characters."""


class ClientError(Exception):
    """Anything that a call to the cluster can raise."""


class ConfigError(ClientError):
    """No usable cluster configuration: the message says what was looked for."""


class TransportError(ClientError):
    """No answer: connection refused or reset, TLS failure, or a watch that fell silent."""


class UnknownKind(ClientError):
    """Discovery lists no such kind, even after a refresh.

    The CustomResourceDefinition is missing, or not served in the version asked for.
    """

    def __init__(self, group: str, kind: str, version: str | None = None) -> None:
        self.group = group
        """The API group; empty for the core group."""
        self.kind = kind
        """The kind."""
        self.version = version
        """The version asked for, None for any."""
        where = f"{group}/{version}" if version and group else version or group or "the core group"
        super().__init__(f'no matches for kind "{kind}" in {where}: is its definition installed?')


class LeaseLost(ClientError):
    """The lease ends before the request might: a leader that is in doubt writes nothing."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the reasons that a Status lists: which field, and why."""

    reason: str
    """Such as `FieldValueInvalid` or `FieldManagerConflict`."""
    message: str
    """Why, in the server's words."""
    field: str
    """The field, such as `.spec.replicas`."""


class ApiError(ClientError):
    """The server answered with a failure.

    `code` is the HTTP status, `reason` the Status reason (`NotFound`, `Invalid`, …, or empty),
    `causes` the per-field findings, `retry_after` seconds that the server asked to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int,
        reason: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """The server's words."""
        self.code = code
        self.reason = reason
        self.causes = causes
        self.retry_after = retry_after


class Unauthorized(ApiError):
    """401: the credentials were refused."""


class Forbidden(ApiError):
    """403: the identity lacks the right, or an admission plugin or webhook refused."""


class NotFound(ApiError):
    """404: no such object, or no such resource."""


class AlreadyExists(ApiError):
    """409 at a create: the name is taken."""


class Conflict(ApiError):
    """409: the resource version is old, or another field manager owns a field."""


class Gone(ApiError):
    """410: the resource version or continue token is too old; list again."""


class Invalid(ApiError):
    """422 or 400: the object was refused; `causes` names the fields."""


class TooManyRequests(ApiError):
    """429: the server sheds load, or an eviction would break a disruption budget."""


class ServerUnavailable(ApiError):
    """500, 502 or 503: the server failed, also while it starts or stops."""


class Timeout(ApiError):
    """504, or the call outlived its own deadline; whether a write took effect is unknown."""


_BY_CODE: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Timeout,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
    500: ServerUnavailable,
    502: ServerUnavailable,
    503: ServerUnavailable,
    504: Timeout,
}


def error_from_status(
    status: dict[str, Any], *, code: int = 0, retry_after: float | None = None
) -> ApiError:
    """Build the error that a decoded `Status` object stands for.

    `code` is the HTTP status, used where the body carries none; a `Retry-After` header outranks
    `details.retryAfterSeconds`.
    """
    code = status.get("code") or code or 500
    reason = status.get("reason") or ""
    details = status.get("details") or {}
    causes = tuple(
        Cause(cause.get("reason") or "", cause.get("message") or "", cause.get("field") or "")
        for cause in details.get("causes") or ()
    )
    if retry_after is None and details.get("retryAfterSeconds"):
        retry_after = float(details["retryAfterSeconds"])
    cls = _BY_CODE.get(code, ApiError)
    if reason == "AlreadyExists":
        cls = AlreadyExists
    elif reason == "Expired":
        cls = Gone
    elif reason in {"Timeout", "ServerTimeout"}:
        cls = Timeout
    message = status.get("message") or reason or f"the server answered {code}"
    return cls(message, code=code, reason=reason, causes=causes, retry_after=retry_after)


def error_from_response(code: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """Build the error for an HTTP answer, whether or not its body is a `Status`."""
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        decoded = None
    if isinstance(decoded, dict) and decoded.get("kind") == "Status":
        return error_from_status(decoded, code=code, retry_after=wait)
    text = body[:_BODY_SHOWN].decode("utf-8", "replace").strip()
    return error_from_status(
        {"message": text or f"the server answered {code}"}, code=code, retry_after=wait
    )
