"""Lists. Every result is a new one; equality is that of Go's types and values."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import (
    Int64,
    Ints,
    Lists,
    NilList,
    Strings,
    deep_equal,
    kind_of,
    to_bytes,
)
from fluvial.render.gotemplate.sprig.conversion import NIL, as_int, as_list, strings_of, strval
from fluvial.render.gotemplate.sprig.defaults import empty

__all__ = ["FUNCTIONS"]

_MOST: Final = 5_000_000
_SCALARS: Final = frozenset({str, bool, int, Int64, float})


def join(separator: str, items: Any) -> str:
    """Join the text of the items; nil ones are dropped."""
    return separator.join(strings_of(items))


def sort_alpha(items: Any) -> Strings:
    """Sort by text."""
    if isinstance(items, (list, bytes)):
        return Strings(sorted(strings_of(items), key=to_bytes))
    return Strings([strval(items)])


def append(items: Any, item: Any) -> list[Any]:
    """Add at the end."""
    return [*_only(items, "push"), item]


def prepend(items: Any, item: Any) -> list[Any]:
    """Add at the start."""
    return [item, *_only(items, "prepend")]


def _only(items: Any, verb: str) -> list[Any]:
    if isinstance(items, (list, bytes)):
        return list(items)
    if items is None:
        raise FunctionError(NIL)
    on = "" if verb == "chunk" else " on"
    raise FunctionError(f"Cannot {verb}{on} type {kind_of(items)}")


def first(items: Any) -> Any:
    """Return the first item, nil of an empty list."""
    found = as_list(items, "first")
    return found[0] if found else None


def last(items: Any) -> Any:
    """Return the last item, nil of an empty list."""
    found = as_list(items, "last")
    return found[-1] if found else None


def rest(items: Any) -> Any:
    """Return all but the first, a nil list of an empty one."""
    found = as_list(items, "rest")
    return list(found[1:]) if found else NilList()


def initial(items: Any) -> Any:
    """Return all but the last."""
    found = as_list(items, "initial")
    return list(found[:-1]) if found else NilList()


def reverse(items: Any) -> list[Any]:
    """Turn around."""
    return list(reversed(as_list(items, "reverse")))


def compact(items: Any) -> list[Any]:
    """Drop what is empty."""
    return [item for item in _only(items, "compact") if not empty(item)]


def uniq(items: Any) -> list[Any]:
    """Drop what was there before."""
    seen: list[Any] = []
    scalars: set[tuple[type, Any]] = set()
    for item in as_list(items, "uniq"):
        if type(item) in _SCALARS:
            scalar = (type(item), item)
            if scalar not in scalars or item != item:  # noqa: PLR0124  (not a number)
                scalars.add(scalar)
                seen.append(item)
        elif not any(deep_equal(item, known) for known in seen):
            seen.append(item)
    return seen


def without(items: Any, *dropped: Any) -> list[Any]:
    """Drop some values."""
    return [
        item
        for item in as_list(items, "without")
        if not any(deep_equal(item, drop) for drop in dropped)
    ]


def has(needle: Any, items: Any) -> bool:
    """Say whether a value, of the same type, is in the list."""
    if items is None:
        return False
    return any(deep_equal(needle, item) for item in as_list(items, "has"))


def cut(items: Any, *bounds: Any) -> Any:
    """Cut: `slice list from to`."""
    found = _sliceable(items)
    if not found:
        return None
    start = as_int(bounds[0]) if bounds else 0
    stop = as_int(bounds[1]) if len(bounds) > 1 else len(found)
    if not 0 <= start <= stop <= len(found):
        raise FunctionError("reflect.Value.Slice: slice index out of bounds")
    return type(found)(found[start:stop])


def _sliceable(items: Any) -> Any:
    if items is None:
        raise FunctionError(NIL)
    if isinstance(items, bytes):
        return items
    if not isinstance(items, list):
        raise FunctionError(f"list should be type of slice or array but {kind_of(items)}")
    return items


def concat(*lists: Any) -> list[Any]:
    """Join lists."""
    joined: list[Any] = []
    for items in lists:
        if items is None:
            raise FunctionError(NIL)
        if not isinstance(items, (list, bytes)):
            raise FunctionError(f"Cannot concat type {kind_of(items)} as list")
        joined.extend(items)
    return joined or NilList()


def chunk(size: int, items: Any) -> Lists:
    """Split into lists of at most `size` items."""
    found = _only(items, "chunk")
    if size < 0 and found:
        # Go computes the count of lists with floats, and the length of the last one by a remainder.
        count = (len(found) - 1) // size + 1
        if count == 0:
            return Lists()
        if count == 1 and size < -1:
            return Lists([found])
    if size <= 0:
        raise FunctionError("runtime error: makeslice: len out of range")
    return Lists(found[place : place + size] for place in range(0, len(found), size))


def until_step(start: int, stop: int, step: int) -> Ints:
    """Count from start to before stop; the wrong way is empty."""
    if step == 0 or (stop < start) == (step > 0):
        return Ints()
    steps = range(start, stop, step)
    if len(steps) > _MOST:
        raise FunctionError(f"a list of {len(steps)} numbers is too long")
    return Ints(steps)


def until(count: int) -> Ints:
    """Count from 0 to before `count`, downwards when it is negative."""
    return until_step(0, count, -1 if count < 0 else 1)


def seq(*bounds: int) -> str:
    """Count like the command `seq`; the result is text."""
    match bounds:
        case (stop,):
            start, step = 1, 1 if stop >= 1 else -1
        case (start, stop):
            step = 1 if stop >= start else -1
        case (start, step, stop):
            if step == 0 or (stop < start) == (step > 0):
                return ""
        case _:
            return ""
    return " ".join(map(str, until_step(start, stop + (1 if step > 0 else -1), step)))


_BOTH: Final[dict[str, Callable[..., Any]]] = {
    "append": append,
    "chunk": chunk,
    "compact": compact,
    "first": first,
    "has": has,
    "initial": initial,
    "last": last,
    "prepend": prepend,
    "push": append,
    "rest": rest,
    "reverse": reverse,
    "slice": cut,
    "uniq": uniq,
    "without": without,
}

FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **_BOTH,
    **{f"must{name[0].upper()}{name[1:]}": call for name, call in _BOTH.items()},
    "concat": concat,
    "join": join,
    "list": lambda *items: list(items),
    "seq": seq,
    "sortAlpha": sort_alpha,
    "tuple": lambda *items: list(items),
    "until": until,
    "untilStep": until_step,
}
