"""Whether a build keeps the quotes of strings: only the rare one that turns out to need them.

Upstream leaves the quotes of a text around the number that a patch puts in its place, so that it
becomes a string. Most builds have no such patch and read their strings without quotes; one that
comes to such a place gives up with `StylesNeededError` and starts again with them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fluvial.render.kustomize._ids import text
from fluvial.render.yaml import Dialect, Written, YamlError, dump, is_text, load, resolve

__all__ = ["StylesNeededError", "keeping_styles", "overlay", "requote", "styles_kept"]

_KEPT: ContextVar[bool] = ContextVar("styles", default=False)


class StylesNeededError(Exception):
    """Raised in a build that dropped the quotes of strings, and now needs them."""


@contextmanager
def keeping_styles() -> Iterator[None]:
    """Keep the quotes of all strings that are read inside."""
    token = _KEPT.set(True)
    try:
        yield
    finally:
        _KEPT.reset(token)


def styles_kept() -> bool:
    """Say whether the build that runs keeps the quotes of strings."""
    return _KEPT.get()


def requote(value: Any, *, printed: bool) -> Any:
    """Give strings the quotes that upstream gives them, in place; returns what it is given.

    `printed` is for what was printed and read back; else it is for what a generator or transformer
    has set. Does nothing in a build without quotes.
    """
    if not styles_kept():
        return value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if isinstance(item, dict | list):
            requote(item, printed=printed)
        elif isinstance(item, str):
            style = _printed_style(str(item)) if printed else _set_style(str(item))
            value[key] = Written.quoted(item, style) if style else str(item)
    return value


def _printed_style(plain: str) -> str:
    sign = dump(plain)[0]
    return sign if sign in "'\"|" else ""


def _set_style(plain: str) -> str:
    """Return the style of a text that is set: in quotes if YAML 1.1 reads something else in it."""
    if "\n" in plain:
        return "|"
    try:
        quoted = bool(plain) and not isinstance(load(plain), str)
    except YamlError:
        quoted = False
    return '"' if quoted else ""


def overlay(base: str, patch: Any) -> Any:
    """Return what a patch's scalar becomes in the place of a string.

    It takes the style of that string: in quotes everything is a string, by the text it has in the
    patch. Raises StylesNeededError when it must be known whether there are quotes, and is not.
    """
    if isinstance(base, Written):
        if base.style:
            return Written.quoted(text(patch), base.style)
        return str(patch) if is_text(patch) else patch
    if is_text(patch):
        return str(patch)
    if not styles_kept():
        raise StylesNeededError
    if base and not isinstance(resolve(base, Dialect.KYAML), str):
        return text(patch)  # a transformer has set it, and could only do so with quotes
    return patch
