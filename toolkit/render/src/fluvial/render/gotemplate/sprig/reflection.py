"""What a value is."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._values import deep_equal, kind_of, type_of

__all__ = ["FUNCTIONS"]


def type_is(target: str, value: Any) -> bool:
    """Compare the name of the Go type."""
    return type_of(value) == target


def type_is_like(target: str, value: Any) -> bool:
    """Compare the name of the Go type, pointer or not."""
    return type_of(value) in {target, f"*{target}"}


def kind_is(target: str, value: Any) -> bool:
    """Compare the Go kind."""
    return kind_of(value) == target


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "deepEqual": deep_equal,
    "kindIs": kind_is,
    "kindOf": kind_of,
    "typeIs": type_is,
    "typeIsLike": type_is_like,
    "typeOf": type_of,
}
