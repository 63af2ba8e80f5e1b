"""JSON as Go's encoding/json reads it into untyped values, with its errors.

Well-formed texts go through a fast reader; what that refuses is read again, slowly, to say what Go
says, or to do what Go does: half of a surrogate pair becomes U+FFFD.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate.gojson import well_formed

__all__ = ["Decoded", "decode", "read"]

_DEEPEST: Final = 400  # of the slow reader; the fast one goes deeper, and so does Go
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_HEX: Final = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES: Final = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_WORDS: Final = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_TRUNCATED: Final = "unexpected end of JSON input"


class Decoded(NamedTuple):
    """A value, and the first of its numbers that no float holds, as Go's error."""

    value: Any
    problem: str


def read(text: str) -> Decoded:
    """Read a text; every number is a float. Raises FunctionError for what is no JSON."""
    text = well_formed(text)
    try:
        return Decoded(_floats(msgspec.json.decode(text)), "")
    except msgspec.DecodeError:
        return _Reader(text).run()
    except RecursionError:
        raise FunctionError("exceeded max depth") from None


def decode(text: str) -> Any:
    """Read a text. Raises FunctionError for what is no JSON, and for numbers out of range."""
    value, problem = read(text)
    if problem:
        raise FunctionError(problem)
    return value


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Reader:
    """Reads one text, character by character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.path: list[str] = []
        self.problem = ""

    def run(self) -> Decoded:
        self._blank()
        value = self._value(in_object=False)
        self._blank()
        if self.place < len(self.text):
            raise self._invalid("after top-level value")
        return Decoded(value, self.problem)

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.place)
        self.place = found.end() if found else self.place

    def _peek(self) -> str:
        if self.place >= len(self.text):
            raise FunctionError(_TRUNCATED)
        return self.text[self.place]

    def _invalid(self, where: str) -> FunctionError:
        char = self._peek()
        shown = {"'": r"'\''", '"': "'\"'"}.get(char) or f"'{quote(char)[1:-1]}'"
        return FunctionError(f"invalid character {shown} {where}")

    def _value(self, *, in_object: bool) -> Any:
        char = self._peek()
        if char == '"':
            return self._string()
        if char == "-" or "0" <= char <= "9":
            return self._number(in_object)
        if char in _WORDS:
            return self._word(*_WORDS[char])
        if char not in "{[":
            raise self._invalid("looking for beginning of value")
        if len(self.path) >= _DEEPEST:
            raise FunctionError("exceeded max depth")
        self.place += 1
        self._blank()
        return self._object() if char == "{" else self._list()

    def _word(self, word: str, value: Any) -> Any:
        for expected in word:
            if self._peek() != expected:
                raise self._invalid(f"in literal {word} (expecting '{expected}')")
            self.place += 1
        return value

    def _object(self) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        if self._peek() == "}":
            self.place += 1
            return entries
        while True:
            if self._peek() != '"':
                raise self._invalid("looking for beginning of object key string")
            key = self._string()
            self._blank()
            if self._peek() != ":":
                raise self._invalid("after object key")
            self.place += 1
            self._blank()
            self.path.append(key)
            entries[key] = self._value(in_object=True)
            self.path.pop()
            if self._ends("}", "after object key:value pair"):
                return entries

    def _list(self) -> list[Any]:
        items: list[Any] = []
        if self._peek() == "]":
            self.place += 1
            return items
        while True:
            self.path.append(str(len(items)))
            items.append(self._value(in_object=False))
            self.path.pop()
            if self._ends("]", "after array element"):
                return items

    def _ends(self, close: str, where: str) -> bool:
        """Pass the comma or the end of a container; say whether it was the end."""
        self._blank()
        char = self._peek()
        if char not in {",", close}:
            raise self._invalid(where)
        self.place += 1
        self._blank()
        return char == close

    def _number(self, in_object: bool) -> float:
        start = self.place
        if self._peek() == "-":
            self.place += 1
        if self._peek() == "0":
            self.place += 1
        else:
            self._digits()
        if self.text.startswith(".", self.place):
            self.place += 1
            self._digits()
        if self.text[self.place : self.place + 1] in {"e", "E"}:
            self.place += 1
            if self._peek() in "+-":
                self.place += 1
            self._digits()
        written = self.text[start : self.place]
        number = float(written)
        if number - number == 0:
            return number
        if not self.problem:
            into = "Go value" if not self.path else "." + ".".join(self.path)
            into = f"Go struct field {into}" if in_object else into
            self.problem = f"json: cannot unmarshal number {written} into {into} of type float64"
        return 0.0

    def _digits(self) -> None:
        start = self.place
        while self.place < len(self.text) and "0" <= self.text[self.place] <= "9":
            self.place += 1
        if self.place == start:
            self._peek()
            raise self._invalid("in numeric literal")

    def _string(self) -> str:
        self.place += 1
        out = []
        while True:
            found = _PLAIN.match(self.text, self.place)
            if found:
                out.append(found[0])
                self.place = found.end()
            char = self._peek()
            if char == '"':
                self.place += 1
                return "".join(out)
            if char != "\\":
                raise self._invalid("in string")
            out.append(self._escape())

    def _escape(self) -> str:
        start = self.place
        self.place += 1
        letter = self._peek()
        self.place += 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise FunctionError(
                f"invalid escape sequence `{self.text[start : self.place]}` in string"
            )
        code = self._unit(start)
        if not 0xD800 <= code < 0xE000:
            return chr(code)
        if code < 0xDC00 and self.text.startswith("\\u", self.place):
            held = self.place
            self.place += 2
            low = self._unit(held)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00)
            self.place = held
        return "\ufffd"

    def _unit(self, start: int) -> int:
        found = _HEX.match(self.text, self.place)
        if found:
            self.place = found.end()
            return int(found[0], 16)
        digits = self.text[self.place : self.place + 4]
        if len(digits) < 4 and re.fullmatch(r"[0-9a-fA-F]*", digits):
            raise FunctionError(_TRUNCATED)
        raise FunctionError(f"invalid escape sequence `{self.text[start : start + 6]}` in string")
