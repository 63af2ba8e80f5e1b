"""Values in place of empty ones."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import truth

__all__ = ["FUNCTIONS", "empty"]


def empty(value: Any) -> bool:
    """Say whether a value is nil, zero or has nothing in it."""
    return not truth(value)


def default(fallback: Any, *given: Any) -> Any:
    """Return the given value unless it is empty."""
    return fallback if not given or empty(given[0]) else given[0]


def coalesce(*values: Any) -> Any:
    """Return the first value that is not empty."""
    return next((value for value in values if not empty(value)), None)


def ternary(yes: Any, no: Any, condition: bool) -> Any:
    """Choose by a condition."""
    return yes if condition else no


def fail(message: str) -> str:
    """Fail the render."""
    raise FunctionError(message)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "all": lambda *values: not any(map(empty, values)),
    "any": lambda *values: not all(map(empty, values)),
    "coalesce": coalesce,
    "default": default,
    "empty": empty,
    "fail": fail,
    "hello": lambda: "Hello!",
    "ternary": ternary,
}
