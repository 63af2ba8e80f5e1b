"""The grammar of `--set` and its kin: `a.b=1,list[0].c={x,y}`, put into values.

Same as upstream's strvals, with what surprises in it: text that ends within an index or a value is
no error, a list item whose last field is empty is dropped, and a value of the wrong shape is told
in Go's words. See docs/spec/helm-differences.md for what differs elsewhere.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate import Int64, type_of
from fluvial.render.gotemplate._quote import quote, quote_rune
from fluvial.render.helm._errors import ValuesError

__all__ = ["set_file", "set_json", "set_literal", "set_string", "set_value"]

Table = dict[str, Any]
Reader = Callable[[str], Any]
_LARGEST_INDEX: Final = 65536
_DEEPEST: Final = 30
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_SPACE = " \t\n\v\f\r\x85\xa0"


def set_value(text: str, into: Table) -> None:
    """Read `text` as `--set` does: true, false, null and whole numbers have their types.

    Whole numbers are int64, unlike those of values files. Raises ValuesError; what was read before
    the error stays in `into`.
    """
    _Parser(text, _typed).parse(into)


def set_string(text: str, into: Table) -> None:
    """Read `text` as `--set-string` does: all values are strings. Raises ValuesError."""
    _Parser(text, str).parse(into)


def set_file(text: str, into: Table, read: Reader) -> None:
    """Read `text` as `--set-file` does: `read` turns each value, a path, into the file's text.

    Raises ValuesError, and what `read` raises.
    """
    _Parser(text, read).parse(into)


def set_json(text: str, into: Table) -> None:
    """Read `text` as `--set-json` does: each value is JSON, nothing is null. Raises ValuesError."""
    _JsonParser(text).parse(into)


def set_literal(text: str, into: Table) -> None:
    """Read `text` as `--set-literal` does: all after the first `=` is the value.

    Nothing escapes and nothing separates. Raises ValuesError.
    """
    _LiteralParser(text).parse(into)


class _End(Exception):  # noqa: N818  (the end of the text, which upstream passes up as an error)
    """The text is at its end; ends the whole without an error, wherever it is met."""


def _typed(text: str) -> Any:
    folded = text.casefold()
    if folded in {"true", "false"}:
        return folded == "true"
    if folded == "null":
        return None
    if (text == "0" or text[:1] != "0") and _INTEGER.fullmatch(text):
        number = int(text) if len(text) < 25 else 2**63
        if -(2**63) <= number < 2**63:
            return Int64(number)
    return text


def _put(data: Table, key: str, value: Any) -> None:
    if key:
        data[key] = value


def _put_item(items: list[Any], index: int, value: Any) -> list[Any]:
    if index > _LARGEST_INDEX:
        raise ValuesError(
            f"index of {index} is greater than maximum supported index of {_LARGEST_INDEX}"
        )
    grown = [*items, *[None] * (index + 1 - len(items))] if len(items) <= index else items
    grown[index] = value
    return grown


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ValuesError(_mismatch(value, "[]interface {}"))


def _as_table(value: Any) -> Table:
    if isinstance(value, dict):
        return value
    raise ValuesError(_mismatch(value, "map[string]interface {}"))


def _mismatch(value: Any, wanted: str) -> str:
    # Go reads every number of YAML and JSON as a float; the flags' own have their type.
    number = type(value) is int
    found = "nil" if value is None else "float64" if number else type_of(value)
    return f"unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"


class _Parser:
    """One text: a cursor, and a method per rule."""

    key_ends = "=[,."
    escapes = True

    def __init__(self, text: str, read: Reader) -> None:
        self._text = text
        self._at = 0
        self._read = read

    def parse(self, data: Table) -> None:
        """Put all pairs into `data`."""
        try:
            while True:
                self._key(data, 0)
        except _End:
            return

    def _until(self, ends: str) -> tuple[str, str]:
        """Return the text before the next of `ends`, and which it was; empty at the end."""
        taken: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char in ends:
                return "".join(taken), char
            if char == "\\" and self.escapes:
                if self._at == len(self._text):
                    break
                char = self._text[self._at]
                self._at += 1
            taken.append(char)
        return "".join(taken), ""

    def _key(self, data: Table, level: int) -> None:
        key, end = self._until(self.key_ends)
        if not end:
            if not key:
                raise _End
            raise ValuesError(f"key {quote(key)} has no value")
        if end == "[":
            index = self._index()
            items = _as_list(data[key]) if key in data else []
            self._item(items, index, level, lambda grown: _put(data, key, grown))
        elif end == "=":
            self._value(lambda value: _put(data, key, value), ends_at_nothing=True)
        elif end == ",":
            _put(data, key, "")
            raise ValuesError(f"key {quote(key)} has no value (cannot end with ,)")
        else:
            self._nested(data, key, level + 1)

    def _nested(self, data: Table, key: str, level: int) -> None:
        if level > _DEEPEST:
            raise ValuesError(
                "value name nested level is greater than maximum supported nested level of "
                f"{_DEEPEST}"
            )
        inner = _as_table(data[key]) if key in data else {}
        try:
            self._key(inner, level)
            if not inner:
                raise ValuesError(f"key map {quote(key)} has no value")
        finally:
            if inner:
                _put(data, key, inner)

    def _index(self) -> int:
        text, end = self._until("]")
        if not end:
            raise _End
        shown = f"error parsing index: strconv.Atoi: parsing {quote(text)}"
        if not _INTEGER.fullmatch(text):
            raise ValuesError(f"{shown}: invalid syntax")
        if len(text) > 25 or not -(2**63) <= int(text) < 2**63:
            raise ValuesError(f"{shown}: value out of range")
        return int(text)

    def _item(
        self, items: list[Any], index: int, level: int, keep: Callable[[list[Any]], None]
    ) -> None:
        """Read what follows an index; `keep` takes the list, also when that fails."""
        grown = items
        try:
            if index < 0:
                raise ValuesError(f"negative {index} index not allowed")
            text, end = self._until("[.=")
            if text:
                runes = " ".join(quote_rune(ord(char)) for char in text)
                raise ValuesError(f"unexpected data at end of array index: [{runes}]")
            if not end:
                raise _End
            if end == "=":
                taken: list[Any] = []
                self._value(taken.append, ends_at_nothing=False)
                grown = _put_item(items, index, taken[0])
            elif end == "[":
                grown = self._list_in_list(items, index, level)
            else:
                inner: Table = {}
                if index < len(items):
                    if not isinstance(items[index], dict):
                        items[index] = {}
                    inner = items[index]
                self._key(inner, level)
                grown = _put_item(items, index, inner)
        finally:
            keep(grown)

    def _list_in_list(self, items: list[Any], index: int, level: int) -> list[Any]:
        below_index = self._index()
        there = items[index] if index < len(items) else None
        below: list[Any] = _as_list(there) if there is not None else []
        kept: list[list[Any]] = []
        self._item(below, below_index, level, kept.append)
        return _put_item(items, index, kept[0])

    def _value(self, keep: Callable[[Any], None], *, ends_at_nothing: bool) -> None:
        """Read a value: a list in braces, or the text to the next comma."""
        if self._at == len(self._text):
            keep("")
            if ends_at_nothing:
                raise _End
            return
        if self._text[self._at] == "{":
            self._at += 1
            keep(self._list())
            return
        keep(self._read(self._until(",")[0]))

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while True:
            text, end = self._until(",}")
            if not end:
                raise ValuesError("list must terminate with '}'")
            items.append(self._read(text))
            if end == "}":
                if self._text[self._at : self._at + 1] == ",":
                    self._at += 1
                return items


class _JsonParser(_Parser):
    """Values are JSON documents."""

    def __init__(self, text: str) -> None:
        super().__init__(text, str)

    def _value(self, keep: Callable[[Any], None], *, ends_at_nothing: bool) -> None:
        del ends_at_nothing
        if self._nothing():
            keep(None)
            return
        try:
            value, self._at = json.JSONDecoder(parse_constant=_refuse).raw_decode(
                self._text, self._at
            )
        except (ValueError, RecursionError) as error:
            raise ValuesError(str(error)) from None
        keep(value)
        self._nothing()

    def _nothing(self) -> bool:
        """Pass over white space and a comma; say whether there is no value before them."""
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == ",":
                self._at += 1
                return True
            if char not in _SPACE:
                return False
            self._at += 1
        return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class _LiteralParser(_Parser):
    """The value is all that is left."""

    key_ends = "=[."
    escapes = False

    def __init__(self, text: str) -> None:
        super().__init__(text, str)

    def _value(self, keep: Callable[[Any], None], *, ends_at_nothing: bool) -> None:
        del ends_at_nothing
        keep(self._text[self._at :])
        self._at = len(self._text)
