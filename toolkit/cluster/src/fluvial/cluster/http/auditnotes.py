"""What the audit log tells of a request besides: the server asks, the verbs of writes answer."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["begun", "current"]

_CURRENT: ContextVar[dict[str, str]] = ContextVar("annotations")


def begun() -> dict[str, str]:
    """Begin a request; returns its annotations, which are filled while it is served."""
    found: dict[str, str] = {}
    _CURRENT.set(found)
    return found


def current() -> dict[str, str]:
    """Return the annotations of the request that is being served."""
    return _CURRENT.get()
