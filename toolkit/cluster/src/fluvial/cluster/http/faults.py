"""Faults on demand: what a real API server or the network does to a request on a bad day.

    plane.faults.add(Fault("/api/v1/.*/configmaps", verb="patch", status=503, count=2))

Faults are asked in the order in which they were added; the first that fits a request has it. They
come before authentication, so that nothing else is said about the request.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import Literal

from aiohttp import web

from fluvial.cluster.errors import StatusError

__all__ = ["Fault", "Faults", "abandoned", "strike"]

_REASONS = {
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclasses.dataclass(slots=True)
class Fault:
    """What happens to some requests.

    `path` is a regular expression for the whole path, `verb` that of RBAC (empty: all), and `agent`
    the beginning of the user agent. The first `skip` requests pass, then `count` are hit (None:
    all that come). `delay` seconds pass before anything else.

    - `status` answers with a Status of that code, `message` and `retry_after` (seconds). A refusal
      by admission is a 403 with the webhook's message.
    - `drop` breaks the connection: `before` the request is acted on, or `after` it was, so that
      only its answer is lost.
    - `hang` answers nothing and keeps the connection open: a half-open one.
    - `expire` ends a watch at once with 410, as after a compaction.

    `hits` counts the requests that were hit.
    """

    path: str
    verb: str = ""
    agent: str = ""
    skip: int = 0
    count: int | None = 1
    delay: float = 0.0
    status: int = 0
    message: str = ""
    retry_after: int | None = None
    drop: Literal["", "before", "after"] = ""
    hang: bool = False
    expire: bool = False
    hits: int = 0

    def fits(self, path: str, verb: str, agent: str) -> bool:
        """Whether a request is one of those, counting it."""
        if (self.verb and self.verb != verb) or not agent.startswith(self.agent):
            return False
        if re.fullmatch(self.path, path) is None or (self.count is not None and self.count <= 0):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        self.hits += 1
        return True


class Faults:
    """The faults of one control plane."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Add a fault and return it, to read its `hits`."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything pass again."""
        self._faults.clear()

    def find(self, request: web.BaseRequest, verb: str) -> Fault | None:
        """Return the fault that a request is to meet, counting it."""
        agent = request.headers.get("User-Agent", "")
        return next((one for one in self._faults if one.fits(request.path, verb, agent)), None)


async def strike(
    fault: Fault, request: web.BaseRequest, closing: asyncio.Event
) -> web.StreamResponse | None:
    """Do to a request what comes before it is acted on; a response ends it there.

    Raises StatusError, or ConnectionResetError when the connection was broken.
    """
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.hang:
        await closing.wait()
        raise abandoned(request)
    if fault.drop == "before":
        raise abandoned(request)
    if fault.status:
        details = {} if fault.retry_after is None else {"retryAfterSeconds": fault.retry_after}
        reason = _REASONS.get(fault.status, "")
        message = fault.message or f"a fault of code {fault.status} was asked for"
        raise StatusError(fault.status, reason, message, details or None)
    if fault.expire:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(
            b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},'
            b'"status":"Failure","message":"too old resource version","reason":"Expired",'
            b'"code":410}}\n'
        )
        await response.write_eof()
        return response
    return None


def abandoned(request: web.BaseRequest) -> ConnectionResetError:
    """Break the connection of a request, and return what to raise."""
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError(f"{request.method} {request.path}: dropped by a fault")
