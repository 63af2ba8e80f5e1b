"""Functions and methods that templates call: their Go signature, read from Python annotations.

An annotation of `str`, `bool`, `int`, `Int64`, `Uint32`, `float`, `dict`, `list` or a class with a
`go_type` is checked as Go checks the type of an argument; anything else, or none, takes any value.
One of `HeldNil` takes any value too, and is given a HeldNil for a nil that an interface holds.
Parameters with a default may be left out.
"""

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from fluvial.render.gotemplate._values import HeldNil, Int64, Uint32

__all__ = ["ANY", "Function", "Want", "function_of"]


class Want(NamedTuple):
    """What an argument must be. `go` is empty for interface {}.

    `make` turns a whole number that stands in the template into the wanted type.
    """

    go: str
    kind: str
    make: Callable[[int], int] = int


ANY: Final = Want("", "interface")
_WANTS: Final[dict[Any, Want]] = {
    str: Want("string", "string"),
    bool: Want("bool", "bool"),
    int: Want("int", "integer"),
    Int64: Want("int64", "integer", Int64),
    Uint32: Want("uint32", "unsigned"),
    float: Want("float64", "float"),
    dict: Want("map[string]interface {}", "map"),
    list: Want("[]interface {}", "slice"),
    HeldNil: Want("", "reflected"),
}


class Function(NamedTuple):
    """A callable with its parameters; `rest` is the type of variadic ones, None without them."""

    call: Callable[..., Any]
    wants: tuple[Want, ...]
    required: int
    rest: Want | None


def _want(annotation: Any) -> Want:
    known = _WANTS.get(typing.get_origin(annotation) or annotation)
    if known is None and isinstance(annotation, type) and "go_type" in vars(annotation):
        name = annotation.__dict__["go_type"]
        whole = issubclass(annotation, int)
        return Want(name, "integer", annotation) if whole else Want(name, "struct")
    return known or ANY


def function_of(call: Callable[..., Any]) -> Function:
    """Read the signature of a callable; one that has none takes anything.

    That of a method is read once for its class, and nothing keeps its object alive.
    """
    method = getattr(call, "__func__", None)
    if method is not None:
        known = _known(method)
        return known._replace(call=call, wants=known.wants[1:], required=max(0, known.required - 1))
    if getattr(call, "__closure__", None) is not None or not hasattr(call, "__code__"):
        return _read(call)  # made for one render: nothing may keep it alive
    return _known(call)


@functools.lru_cache(maxsize=1024)
def _known(call: Callable[..., Any]) -> Function:
    return _read(call)


def _read(call: Callable[..., Any]) -> Function:
    try:
        signature = inspect.signature(call, eval_str=True)
    except (ValueError, NameError, TypeError):
        return Function(call, (), 0, ANY)
    wants = []
    required = 0
    rest = None
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = _want(parameter.annotation)
        elif parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            wants.append(_want(parameter.annotation))
            required += parameter.default is parameter.empty
    return Function(call, tuple(wants), required, rest)
