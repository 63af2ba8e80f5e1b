"""The one alias for an unstructured Kubernetes object, and small readers of its metadata."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

__all__ = ["Clock", "Object", "metadata", "name_of", "namespace_of", "rfc3339", "system_clock"]

Object = dict[str, Any]
"""A decoded Kubernetes object: JSON values only, keys in document order."""

Clock = Callable[[], dt.datetime]
"""Gives the present time, in UTC; tests and the replay of transcripts bring their own."""


def system_clock() -> dt.datetime:
    """Return the machine's time in UTC."""
    return dt.datetime.now(dt.UTC)


def rfc3339(moment: dt.datetime) -> str:
    """Format a moment as the API writes `Time`: UTC, whole seconds, a `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def metadata(obj: Object) -> Object:
    """Return the object's metadata map, empty (and detached) when it has none."""
    value = obj.get("metadata")
    return value if isinstance(value, dict) else {}


def name_of(obj: Object) -> str:
    """Return `metadata.name`, or the empty string."""
    return str(metadata(obj).get("name") or "")


def namespace_of(obj: Object) -> str:
    """Return `metadata.namespace`, or the empty string for cluster-scoped objects."""
    return str(metadata(obj).get("namespace") or "")
