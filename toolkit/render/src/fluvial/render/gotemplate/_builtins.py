"""The functions that every Go template has. `and` and `or` are part of the executor."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._compare import eq, ge, gt, le, lt, ne
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import sprint, sprintf, sprintln
from fluvial.render.gotemplate._function import function_of
from fluvial.render.gotemplate._values import (
    HeldNil,
    Uint8,
    byte_len,
    from_bytes,
    kind_of,
    to_bytes,
    truth,
    type_of,
)

__all__ = ["BUILTINS"]

_HTML: Final = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)
_JS: Final = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026",
     "=": "\\u003D"}
)  # fmt: skip
_UNRESERVED: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
)


def _argument(values: tuple[Any, ...]) -> str:
    """Join the arguments of an escaper as print does, nil as Go's escapers write it."""
    return sprint(["<no value>" if value is None else value for value in values])


def html(*values: Any) -> str:
    """Escape for HTML."""
    return _argument(values).translate(_HTML)


def js(*values: Any) -> str:
    """Escape for a string of JavaScript."""
    out = []
    for char in _argument(values).translate(_JS):
        if char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{ord(char):04X}")
    return "".join(out)


def urlquery(*values: Any) -> str:
    """Escape for the query of a URL."""
    return "".join(
        "+" if byte == 32 else chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
        for byte in to_bytes(_argument(values))
    )


def length(value: HeldNil) -> int:
    """Count items, or the bytes of a string."""
    if isinstance(value, str):
        return byte_len(value)
    if isinstance(value, (dict, list, bytes)):
        return len(value)
    if isinstance(value, HeldNil):
        raise FunctionError("len of nil pointer")
    if value is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    raise FunctionError(f"len of type {type_of(value).removeprefix('*')}")


def _position(index: Any, limit: int) -> int:
    """Check an index of a list or string."""
    if index is None:
        raise FunctionError("cannot index slice/array with nil")
    if not isinstance(index, int) or isinstance(index, bool):
        raise FunctionError(f"cannot index slice/array with type {type_of(index)}")
    if not 0 <= index < limit:
        raise FunctionError(f"index out of range: {int(index)}")
    return int(index)


def _item(index: Any, length: int, kind: str) -> int:
    """Check the index of an item; one behind the last is found by Go's reflection only."""
    place = _position(index, length + 1)
    if place == length:
        raise FunctionError(f"reflect: {kind} index out of range")
    return place


def index(item: Any, *indexes: Any) -> Any:
    """Go into maps and lists; a missing key is the zero value."""
    if item is None:
        raise FunctionError("index of untyped nil")
    for key in indexes:
        if isinstance(item, dict):
            item = _entry(item, key)
        elif isinstance(item, str):
            data = to_bytes(item)
            item = Uint8(data[_item(key, len(data), "string")])
        elif isinstance(item, bytes):
            item = Uint8(item[_item(key, len(item), "slice")])
        elif isinstance(item, list):
            item = item[_item(key, len(item), "slice")]
        elif item is None:
            raise FunctionError("index of nil pointer")
        else:
            raise FunctionError(f"can't index item of type {type_of(item)}")
    return item


def _entry(item: dict[str, Any], key: Any) -> Any:
    if key is None:
        raise FunctionError("value is nil; should be of type string")
    if not isinstance(key, str):
        raise FunctionError(f"value has type {type_of(key)}; should be string")
    return item.get(key, getattr(item, "go_zero", None))


def cut(item: Any, *bounds: Any) -> Any:
    """Cut a list or a string: `slice x 1 2` is x[1:2]."""
    if item is None:
        raise FunctionError("slice of untyped nil")
    if len(bounds) > 3:
        raise FunctionError(f"too many slice indexes: {len(bounds)}")
    if not isinstance(item, (str, bytes, list)):
        raise FunctionError(f"can't slice item of type {type_of(item)}")
    if isinstance(item, str) and len(bounds) == 3:
        raise FunctionError("cannot 3-index slice a string")
    data: Any = to_bytes(item) if isinstance(item, str) else item
    places = [_position(bound, len(data) + 1) for bound in bounds]
    if any(left > right for left, right in itertools.pairwise(places)):
        raise FunctionError(f"invalid slice index: {places[0]} > {places[1]}")
    start = places[0] if places else 0
    part = data[start : places[1] if len(places) > 1 else len(data)]
    return from_bytes(part) if isinstance(item, str) else type(data)(part)


def call(name: str, function: Any, *arguments: Any) -> Any:
    """Call a function that is a value; `name` is how the template writes it."""
    if function is None:
        raise FunctionError("call of nil")
    if not callable(function):
        raise FunctionError(f"non-function {name} of type {type_of(function)}")
    known = function_of(function)
    most = len(known.wants)
    if len(arguments) < known.required or (known.rest is None and len(arguments) > most):
        least = "at least " if known.rest is not None else ""
        raise FunctionError(
            f"wrong number of args for {name}: got {len(arguments)} want {least}{known.required}"
        )
    return function(*arguments)


def printf(form: str, *values: Any) -> str:
    """Format."""
    return sprintf(form, values)


def _not(value: Any) -> bool:
    return not truth(value)


def _print(*values: Any) -> str:
    return sprint(values)


def _println(*values: Any) -> str:
    return sprintln(values)


def _connective(*values: Any) -> Any:
    """Stand for `and` and `or`, which the executor evaluates itself."""
    raise FunctionError(f"and, or: {kind_of(values)} arguments outside a template")


BUILTINS: Final[dict[str, Callable[..., Any]]] = {
    "and": _connective,
    "or": _connective,
    "call": call,
    "eq": eq,
    "ge": ge,
    "gt": gt,
    "html": html,
    "index": index,
    "js": js,
    "le": le,
    "len": length,
    "lt": lt,
    "ne": ne,
    "not": _not,
    "print": _print,
    "printf": printf,
    "println": _println,
    "slice": cut,
    "urlquery": urlquery,
}
