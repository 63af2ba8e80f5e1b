"""Writing: the output of Go's sigs.k8s.io/yaml, byte for byte.

The layout is libyaml's with a width of 80: sequences stand at their key's indentation, long
scalars fold at spaces, multi-line strings are literal blocks. Strings that a YAML 1.1 reader would
take for something else are quoted.
"""

import re
import sys
from collections.abc import Iterable
from functools import cmp_to_key, lru_cache, partial
from typing import Any

from fluvial.render.yaml._scalars import go_float, needs_quotes

__all__ = [
    "block_allowed",
    "dump",
    "dump_all",
    "literal",
    "plain_allowed",
    "quoted_double",
    "quoted_single",
    "scalar",
    "single_allowed",
    "sorted_keys",
]

_WIDTH = 80
_LONGEST_KEY = 128
_SIMPLE = re.compile(
    r"[A-Za-z_/](?:[A-Za-z0-9_./=,+@-]|[: ](?=[A-Za-z0-9_./=+-]))*", re.ASCII
)  # no sign, and no pair of signs, that has a meaning in YAML
_UNPRINTABLE = re.compile(
    "[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]"  # also everything beyond the BMP
)
_LEADING = frozenset("#,[]{}&*!|>'\"%@`")
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f",
    "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\u2028": "\\L",
    "\u2029": "\\P",
}  # fmt: skip
_BREAKS = "\r\n\x85\u2028\u2029"
_TRAILING_SPACE = re.compile(rf" (?=[{_BREAKS}])")
_SPACED_BREAK = re.compile(rf"[{_BREAKS}] ")
_ANY_BREAK = re.compile(f"[{_BREAKS}]")


def dump(obj: Any, *, sort_keys: bool = True) -> str:
    """Print one document, ending in a newline; `sort_keys=False` keeps the dicts' own order.

    Raises TypeError for values that JSON does not know.
    """
    out: list[str] = []
    _node(out, obj, 0, sort_keys, column=0, head="")
    return "".join(out)


def dump_all(objects: Iterable[Any], *, sort_keys: bool = True) -> str:
    """Print documents joined by `---`, with no leading marker."""
    return "---\n".join(dump(obj, sort_keys=sort_keys) for obj in objects)


def _node(out: list[str], value: Any, indent: int, sort: bool, *, column: int, head: str) -> None:
    """Write a value that starts at `column`, `head` being the blank between it and what precedes.

    `indent` is where its children or its continuation lines stand.
    """
    if isinstance(value, dict) and value:
        _mapping(out, value, indent, sort, first=bool(head))
    elif isinstance(value, list) and value:
        _sequence(out, value, indent, sort, first=bool(head))
    else:
        out.append(f"{head}{scalar(value, max(indent, 2), column + len(head))}\n")


def _mapping(out: list[str], value: dict[str, Any], indent: int, sort: bool, first: bool) -> None:
    pad = " " * indent
    keys: Iterable[str] = sorted_keys(tuple(value)) if sort else value
    for key in keys:
        item = value[key]
        lead = "" if first else pad
        first = False
        written = _simple(key) or _string(key, indent + 2, indent, key=True)
        if written is None:
            written = _string(key, indent + 2, indent + 2)
            out.append(f"{lead}? {written}\n{pad}:")
            _inline(out, item, indent, sort, indent + 1)
            continue
        if type(item) is str:
            plain = _simple(item)
            if plain is not None and indent + len(written) + len(plain) + 2 <= _WIDTH:
                out.append(f"{lead}{written}: {plain}\n")
                continue
        out.append(f"{lead}{written}:")
        if isinstance(item, dict) and item:
            out.append("\n")
            _mapping(out, item, indent + 2, sort, first=False)
        elif isinstance(item, list) and item:
            out.append("\n")
            _sequence(out, item, indent, sort, first=False)
        else:
            out.append(f" {scalar(item, indent + 2, indent + len(written) + 2)}\n")


def _inline(out: list[str], item: Any, indent: int, sort: bool, column: int) -> None:
    """Write what follows `-` or the `:` of an explicit key: it starts on the same line."""
    if isinstance(item, dict | list) and item:
        out.append(" ")
    _node(out, item, indent + 2, sort, column=column, head=" ")


def _sequence(out: list[str], value: list[Any], indent: int, sort: bool, first: bool) -> None:
    pad = " " * indent
    for item in value:
        out.append("-" if first else f"{pad}-")
        first = False
        _inline(out, item, indent, sort, indent + 1)


def scalar(value: Any, indent: int, column: int) -> str:
    """Write a scalar or an empty container at `column`; its further lines stand at `indent`."""
    if isinstance(value, str):
        text = _string(value, indent, column)
        assert text is not None
        return text
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return go_float(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    raise TypeError(f"{type(value).__name__} has no YAML form")


@lru_cache(maxsize=65536)
def _simple(text: str) -> str | None:
    """Write a string that looks the same in every place; None when that must be looked into.

    Only what has spaces can still fold, at the end of a line.
    """
    if len(text) > _LONGEST_KEY or not _SIMPLE.fullmatch(text):
        return None
    return f'"{text}"' if needs_quotes(text) else text


def _string(text: str, indent: int, column: int, *, key: bool = False) -> str | None:
    """Write a string at `column`; None for a key that needs the explicit `?` form."""
    simple = _simple(text)
    if simple is not None and (" " not in simple or column + len(simple) <= _WIDTH):
        return simple
    if not text:
        return '""'
    multiline = bool(_ANY_BREAK.search(text))
    if key and (multiline or len(text.encode()) > _LONGEST_KEY):
        return None
    if "\n" in text:
        if block_allowed(text):
            return literal(text, indent)
        return _double(text, indent, column, fold=not key)
    if needs_quotes(text):
        return _double(text, indent, column, fold=not key)
    if not single_allowed(text):
        return _double(text, indent, column, fold=not key)
    if multiline or not plain_allowed(text):
        return _single(text, indent, column, fold=not key)
    return _plain(text, indent, column, fold=not key)


def single_allowed(text: str) -> bool:
    """Say whether single quotes can hold a text."""
    if _UNPRINTABLE.search(text) or _TRAILING_SPACE.search(text):
        return False
    return not (_ANY_BREAK.search(text) and _SPACED_BREAK.search(text))


def block_allowed(text: str) -> bool:
    """Say whether a block can hold a text."""
    return not (_UNPRINTABLE.search(text) or text[-1] == " " or _TRAILING_SPACE.search(text))


def plain_allowed(text: str) -> bool:
    """Say whether a text may stand without quotes, in block style, as far as syntax goes."""
    first = text[0]
    if first in _LEADING or first == " " or text[-1] == " ":
        return False
    if first in "?:-" and (len(text) == 1 or text[1] == " "):
        return False
    if text.startswith(("---", "...")):
        return False
    return not (": " in text or " #" in text or text[-1] == ":")


def _fold(text: str, indent: int, column: int) -> str:
    """Break at single spaces once the line is beyond the width, as libyaml's writers do."""
    if " " not in text or column + len(text) <= _WIDTH:
        return text
    out = []
    last = len(text) - 1
    pad = "\n" + " " * indent
    before = ""
    for index, char in enumerate(text):
        if (
            char == " "
            and before != " "
            and column > _WIDTH
            and 0 < index < last
            and text[index + 1] != " "
        ):
            out.append(pad)
            column = indent
        else:
            out.append(char)
            column += 1
        before = char
    return "".join(out)


def _plain(text: str, indent: int, column: int, *, fold: bool) -> str:
    return _fold(text, indent, column) if fold else text


def quoted_single(text: str, indent: int) -> str:
    """Write a text in single quotes, with no fold."""
    return f"'{_fold_quoted(text, indent, 0, sys.maxsize)}'"


def quoted_double(text: str) -> str:
    """Write a text in double quotes, with no fold."""
    return _double(text, 0, 0, fold=False) if text else '""'


def _single(text: str, indent: int, column: int, *, fold: bool) -> str:
    if (not fold or column + len(text) <= _WIDTH) and not _ANY_BREAK.search(text):
        return "'" + text.replace("'", "''") + "'"
    doubled = _fold_quoted(text, indent, column + 1)
    return f"'{doubled}'"


def _fold_quoted(text: str, indent: int, column: int, width: int = _WIDTH) -> str:
    out = []
    last = len(text) - 1
    before = ""
    for index, char in enumerate(text):
        if (
            char == " "
            and before != " "
            and column > width
            and 0 < index < last
            and text[index + 1] != " "
        ):
            out.append("\n" + " " * indent)
            column = indent
        else:
            if before in _BREAKS and before:
                out.append(" " * indent)
                column = indent
            if char == "\n" and not (before and before in _BREAKS):
                out.append(char)  # a single one would fold into a space
            written = "''" if char == "'" else char
            out.append(written)
            column += len(written)
        before = char
    return "".join(out)


def _double(text: str, indent: int, column: int, *, fold: bool) -> str:
    out = ['"']
    column += 1
    last = len(text) - 1
    spaces = False
    marked = text[0] == "\ufeff"  # upstream then takes every sign for a byte order mark
    for index, char in enumerate(text):
        if marked or char in _ESCAPES or _UNPRINTABLE.match(char):
            escaped = _ESCAPES.get(char) or _escape(ord(char))
            out.append(escaped)
            column += len(escaped)
            spaces = False
        elif char == " ":
            if fold and not spaces and column > _WIDTH and 0 < index < last:
                out.append("\n" + " " * indent)
                column = indent
                if text[index + 1] == " ":
                    out.append("\\")
                    column += 1
            else:
                out.append(char)
                column += 1
            spaces = True
        else:
            out.append(char)
            column += 1
            spaces = False
    out.append('"')
    return "".join(out)


def _escape(code: int) -> str:
    if code == 0xA0:
        return "\\_"
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def literal(text: str, indent: int) -> str:
    """Write a literal block, its lines indented, without the last line break."""
    hints = "2" if text[0] in f" {_BREAKS}" else ""
    if text[-1] not in _BREAKS:
        hints += "-"
    elif len(text) == 1 or text[-2] in _BREAKS:
        hints += "+"
    pad = " " * indent
    lines = re.split(r"(?<=[\n\u2028\u2029])", text)
    body = "".join(line if line[0] in _BREAKS else pad + line for line in lines if line)
    return f"|{hints}\n{body}".removesuffix("\n")


@lru_cache(maxsize=16384)
def sorted_keys(keys: tuple[str, ...], *, newer: bool = False) -> tuple[str, ...]:
    """Sort keys as Go's writer does: digits numerically, other signs before letters.

    The newer writer (go-yaml v3) puts letters first where they follow a digit.
    Upstream's order is not transitive for keys like `1.`, `08` and `0b`; where it has a cycle,
    the outcome is ours.
    """
    if all(key.isalpha() for key in keys):
        return tuple(sorted(keys))
    return tuple(sorted(keys, key=cmp_to_key(partial(_compare, newer=newer))))


def _compare(left: str, right: str, *, newer: bool = False) -> int:
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one == other:
            continue
        if one.isalpha() and other.isalpha():
            return -1 if one < other else 1
        if one.isalpha() or other.isalpha():
            after_digit = newer and index > 0 and left[index - 1].isdecimal()
            return -1 if other.isalpha() is not after_digit else 1
        start = 0
        if "0" in {one, other}:
            run = left[:index]
            digits = run[len(run.rstrip("0123456789")) :]
            start = int(bool(digits.strip("0")))
        (a, a_end), (b, b_end) = _number(left, index, start), _number(right, index, start)
        if a != b:
            return -1 if a < b else 1
        if a_end != b_end:
            return -1 if a_end < b_end else 1
        return -1 if one < other else 1
    return len(left) - len(right)


def _number(text: str, start: int, value: int) -> tuple[int, int]:
    end = start
    while end < len(text) and text[end].isdecimal():
        value = value * 10 + ord(text[end]) - ord("0")
        end += 1
    return (value + 2**63) % 2**64 - 2**63, end  # upstream's number is one of 64 bits
