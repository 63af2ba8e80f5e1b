"""The grammar of Helm's `--set`: `a.b[0].c=value`, `a={x,y}`, backslashes escape."""

from typing import Any, Final

from fluvial.helm.errors import ValuesInvalid

__all__ = ["set_path"]

_MOST_INDEX: Final = 65536
_DEEPEST: Final = 30
_INT64: Final = 1 << 63


def set_path(values: dict[str, Any], path: str, value: str, *, literal: bool = False) -> None:
    """Set a value in place, as Helm's `--set path=value` does.

    A value in matching quotes is text; a `literal` one too, with nothing in it that splits or
    escapes. Otherwise whole numbers, true, false and null have a type, `{a,b}` is a list, and what
    follows a comma is another assignment. Raises ValuesInvalid, which names the path and never the
    value.
    """
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    if literal:
        value = "".join(f"\\{char}" if char in "\\,[]{}" else char for char in value)
    elif quoted:
        value = value.strip(value[0])
    parser = _Parser(f"{path}={value}", path, text=literal or quoted)
    while parser.key(values, 0):
        continue


class _Parser:
    """Reads assignments; every method continues where the one before stopped."""

    def __init__(self, source: str, path: str, *, text: bool) -> None:
        self._source = source
        self._path = path
        self._text = text
        self._at = 0

    def key(self, data: dict[str, Any], depth: int) -> bool:
        """Read one key and what is assigned to it; False at the end of the text."""
        if depth > _DEEPEST:
            raise self._wrong(f"is nested deeper than {_DEEPEST}")
        name, stop = self._until("=[,.")
        if stop == "":
            if name:
                raise self._wrong("a key has no value")
            return False
        if stop == "=":
            data[name] = self._value()
        elif stop == "[":
            found = data.get(name)
            data[name] = self._item(found if isinstance(found, list) else [], self._index(), depth)
        elif stop == ".":
            inner = data.get(name)
            inner = {} if inner is None else inner
            if not isinstance(inner, dict):
                raise self._wrong("leads through a value that is no map")
            self.key(inner, depth + 1)
            data[name] = inner
        else:
            raise self._wrong("a key has no value")
        return True

    def _item(self, items: list[Any], index: int, depth: int) -> list[Any]:
        rest, stop = self._until("[.=")
        if rest:
            raise self._wrong("has something after an index")
        old = items[index] if index < len(items) else None
        if stop == "=":
            new: Any = self._value()
        elif stop == "[":
            new = self._item(old if isinstance(old, list) else [], self._index(), depth + 1)
        elif stop == ".":
            new = old if isinstance(old, dict) else {}
            self.key(new, depth + 1)
        else:
            raise self._wrong("an index has no value")
        items = [*items, *[None] * (index + 1 - len(items))]
        items[index] = new
        return items

    def _index(self) -> int:
        text, stop = self._until("]")
        if stop != "]" or not text.isdecimal() or int(text) > _MOST_INDEX:
            raise self._wrong(f"needs an index of at most {_MOST_INDEX} in brackets")
        return int(text)

    def _value(self) -> Any:
        if self._source[self._at : self._at + 1] == "{":
            self._at += 1
            return self._list()
        text, _ = self._until(",")
        return self._typed(text)

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while True:
            text, stop = self._until(",}")
            if not stop:
                raise self._wrong("a list must end with '}'")
            if stop == "}":
                if self._source[self._at : self._at + 1] == ",":
                    self._at += 1
                return [*items, self._typed(text)] if text or items else []
            items.append(self._typed(text))

    def _until(self, stops: str) -> tuple[str, str]:
        """Read up to a stop, which is consumed; the stop is empty at the end of the text."""
        read: list[str] = []
        while self._at < len(self._source):
            char = self._source[self._at]
            self._at += 1
            if char in stops:
                return "".join(read), char
            if char == "\\" and self._at < len(self._source):
                char = self._source[self._at]
                self._at += 1
            read.append(char)
        return "".join(read), ""

    def _typed(self, text: str) -> Any:
        if self._text:
            return text
        known = {"true": True, "false": False, "null": None, "0": 0}
        if text.lower() in known:
            return known[text.lower()]
        digits = text.removeprefix("-") if text[:1] == "-" else text.removeprefix("+")
        if text[:1] != "0" and digits.isascii() and digits.isdecimal():
            number = int(text)
            if -_INT64 <= number < _INT64:
                return number
        return text

    def _wrong(self, problem: str) -> ValuesInvalid:
        return ValuesInvalid(f"targetPath {self._path!r}: {problem}")
