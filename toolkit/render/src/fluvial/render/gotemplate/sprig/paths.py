"""Paths, of Go's packages path and path/filepath, which are the same on Linux."""

import posixpath
from collections.abc import Callable
from typing import Any, Final

__all__ = ["FUNCTIONS"]


def base(path: str) -> str:
    """Return the last element of a path."""
    if not path:
        return "."
    stripped = path.rstrip("/")
    return stripped.rsplit("/", 1)[-1] if stripped else "/"


def clean(path: str) -> str:
    """Shorten a path, without looking at files."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def folder(path: str) -> str:
    """Return all but the last element."""
    return clean(path[: path.rfind("/") + 1])


def ext(path: str) -> str:
    """Return the extension with its dot."""
    last = path.rsplit("/", 1)[-1]
    return last[last.rfind(".") :] if "." in last else ""


def is_abs(path: str) -> bool:
    """Say whether a path starts at the root."""
    return path.startswith("/")


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "base": base,
    "clean": clean,
    "dir": folder,
    "ext": ext,
    "isAbs": is_abs,
    "osBase": base,
    "osClean": clean,
    "osDir": folder,
    "osExt": ext,
    "osIsAbs": is_abs,
}
