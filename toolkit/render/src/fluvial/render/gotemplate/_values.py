"""Go's kinds on Python values.

| Python            | Go                        |
|-------------------|---------------------------|
| `None`            | nil                       |
| `bool`            | bool                      |
| `int`             | int                       |
| `Int64`           | int64                     |
| `Uint64`, `Uint32`, `Uint8` | uint64, uint32, uint8 |
| `float`           | float64                   |
| `complex`         | complex128                |
| `str`             | string                    |
| `bytes`           | []uint8                   |
| `dict`            | map[string]interface {}   |
| `StringMap`       | map[string]string         |
| `list`            | []interface {}            |
| `Strings`, `Ints` | []string, []int           |
| `Lists`, `Maps`   | [][]interface {}, []map[string]interface {} |
| `NilList`, `NilStrings`, `NilMap` | a slice or map that is nil: JSON's null |
| anything else     | a struct; `go_type`, `go_fields` and `go_methods` say what it has |

The distinction between int and int64, and between a list of strings and a list of anything, is
visible in templates: `until (add 1 2)` is an error, `has 2 .Values.list` is false.
"""

from typing import Any, Final, NamedTuple

__all__ = [
    "PLAIN",
    "Boxed",
    "HeldNil",
    "Int64",
    "Ints",
    "Lists",
    "Maps",
    "NilList",
    "NilMap",
    "NilStrings",
    "PlainMap",
    "StringMap",
    "Strings",
    "Uint8",
    "Uint32",
    "Uint64",
    "byte_len",
    "deep_equal",
    "from_bytes",
    "is_nil",
    "is_unsigned",
    "kind_of",
    "to_bytes",
    "truth",
    "type_of",
    "wrap64",
]


class Int64(int):
    """Go's int64, where int is Python's `int`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return int.__repr__(self)


class Uint64(int):
    """Go's uint64."""

    __slots__ = ()


class Uint32(int):
    """Go's uint32."""

    __slots__ = ()


class Uint8(int):
    """Go's uint8: a byte."""

    __slots__ = ()


class Lists(list[list[Any]]):
    """Go's [][]interface {}."""

    __slots__ = ()


class Maps(list[dict[str, Any]]):
    """Go's []map[string]interface {}."""

    __slots__ = ()


class NilList(list[Any]):
    """A []interface {} that is nil: empty, but JSON's null."""

    __slots__ = ()


class NilMap(dict[str, Any]):
    """A map[string]interface {} that is nil: empty, JSON's null, and not to be written to."""

    __slots__ = ()


class Strings(list[str]):
    """Go's []string."""

    __slots__ = ()


class NilStrings(Strings):
    """A []string that is nil."""

    __slots__ = ()


class Ints(list[int]):
    """Go's []int."""

    __slots__ = ()


class StringMap(dict[str, str]):
    """Go's map[string]string: a missing key is the empty string."""

    __slots__ = ()
    go_zero = ""


class HeldNil:
    """A nil that an interface holds, for the functions that tell it from none at all."""


class Boxed(NamedTuple):
    """An element of a container of interfaces, as dot or variable of a range.

    Go still knows that such a value is an interface: its errors say so, and a field of a nil
    element is an error where a field of a plain nil is nil.
    """

    value: Any


PLAIN: Final[set[type]] = {dict, NilMap}
"""Types of maps that have no methods and hold anything: a field of one is its entry."""


class PlainMap(dict[str, Any]):
    """Base of types of maps that differ from a plain one in nothing but their name, `go_type`.

    `unnamed` ones went through a parameter whose type has no name. In Go that is another value of
    the same map; here it is one for all, which from then on passes for a plain map everywhere.
    """

    unnamed = False

    def __init_subclass__(cls) -> None:
        PLAIN.add(cls)


_TYPES: Final[dict[type, tuple[str, str]]] = {
    type(None): ("<nil>", "invalid"),
    bool: ("bool", "bool"),
    int: ("int", "int"),
    Int64: ("int64", "int64"),
    Uint64: ("uint64", "uint64"),
    Uint32: ("uint32", "uint32"),
    Uint8: ("uint8", "uint8"),
    float: ("float64", "float64"),
    complex: ("complex128", "complex128"),
    str: ("string", "string"),
    bytes: ("[]uint8", "slice"),
    dict: ("map[string]interface {}", "map"),
    StringMap: ("map[string]string", "map"),
    list: ("[]interface {}", "slice"),
    Strings: ("[]string", "slice"),
    Ints: ("[]int", "slice"),
    Lists: ("[][]interface {}", "slice"),
    Maps: ("[]map[string]interface {}", "slice"),
}
_NILS: Final = (NilList, NilStrings, NilMap)


def type_of(value: Any) -> str:
    """Name the Go type: `%T` and `typeOf`."""
    known = _TYPES.get(type(value))
    if known is not None:
        return known[0]
    if isinstance(value, PlainMap) and value.unnamed:
        return _TYPES[dict][0]
    named = getattr(value, "go_type", None)
    if isinstance(named, str):
        return named
    for base in type(value).__mro__[1:]:
        if base in _TYPES:
            return _TYPES[base][0]
    return "func" if callable(value) else type(value).__name__


def kind_of(value: Any) -> str:
    """Name the Go kind: `kindOf`."""
    for base in type(value).__mro__:
        if base in _TYPES:
            return _TYPES[base][1]
    if type_of(value).startswith("*"):
        return "ptr"
    return "func" if callable(value) else "struct"


def truth(value: Any) -> bool:
    """Say what `if` makes of a value: zero, nil and empty are false, structs are true."""
    if isinstance(value, (bool, int, float, complex, str, bytes, list, dict)):
        return bool(value)
    return value is not None


def is_nil(value: Any) -> bool:
    """Say whether a value is nil: the bare one, or a slice or map that was never made."""
    return value is None or isinstance(value, _NILS)


def is_unsigned(number: int) -> bool:
    """Say whether an integer is of one of Go's types without sign."""
    return isinstance(number, (Uint64, Uint32, Uint8))


def byte_len(text: str) -> int:
    """Length in bytes, which is what Go's len counts."""
    return len(text) if text.isascii() else len(to_bytes(text))


def to_bytes(text: str) -> bytes:
    """Encode as UTF-8; what `from_bytes` could not decode comes back as it was."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    """Decode as UTF-8; bytes that are none stay, as surrogates, until the output is complete."""
    return data.decode("utf-8", "surrogateescape")


def wrap64(number: int) -> int:
    """Reduce to 64 bits with sign, as Go's arithmetic overflows."""
    return (number + 2**63) % 2**64 - 2**63


def deep_equal(left: Any, right: Any) -> bool:
    """Equal with equal Go types all the way down, as reflect.DeepEqual."""
    if type_of(left) != type_of(right) or isinstance(left, _NILS) != isinstance(right, _NILS):
        return False
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        for key, value in left.items():  # noqa: SIM110  (a generator costs C stack)
            if not deep_equal(value, right[key]):
                return False
        return True
    if isinstance(left, list):
        if len(left) != len(right):
            return False
        for one, other in zip(left, right, strict=True):  # noqa: SIM110  (as above)
            if not deep_equal(one, other):
                return False
        return True
    return bool(left == right)
