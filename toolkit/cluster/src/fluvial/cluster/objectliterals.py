"""`Object{…}` and `JSONPatch{…}` in CEL, rewritten as calls that a CEL library can compile.

Mutating policies build what they change from message literals of types that exist nowhere:
`Object.spec.template{…}` has whatever fields are named. The CEL library takes messages of known
types only, so a literal becomes a call with a map, `__new_0({"replicas": 1})`, and everything else
stays as it is. `Rewritten.relocated` turns places in error messages back into those of the source.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from fluvial.cluster.fields.celpaths import complaint

__all__ = ["LiteralError", "Rewritten", "rewritten"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<string>[rRbB]{0,2}(?:\"\"\"(?s:.*?)(?<!\\)\"\"\"|'''(?s:.*?)(?<!\\)'''
      |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
  | `(?P<quoted>[^`\n]+)`
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<mark>(?s:.))
    """,
    re.VERBOSE,
)
_CHAIN = re.compile(r"(?P<type>Object(?:\s*\.\s*[A-Za-z_]\w*)*|JSONPatch)\s*\{")
_TEXTS = ("op", "path", "from")
_MEMBERS = (*_TEXTS, "value")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)(?:\n \| [^\n]*\n \| [^\n]*)?")
_TEXT_CALL = re.compile(r"found no matching overload for '__text_(\w+)' applied to '\((.*)\)'")


class LiteralError(ValueError):
    """A literal is none; the message has line, column and a pointer, as those of CEL have."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rewritten:
    """An expression without literals of objects.

    `types` are the names of the objects' types: that at index n is what `__new_n` makes. `places`
    holds `(place in text, place in source)` of everything that was taken over.
    """

    source: str
    text: str
    types: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    def relocated(self, errors: str) -> str:
        """Return compile errors with the places and the lines of the source."""
        lines = self.text.splitlines(keepends=True) or [""]

        def shown(found: re.Match[str]) -> str:
            line, column = int(found[1]), int(found[2])
            place = sum(map(len, lines[: line - 1])) + column - 1
            said = _TEXT_CALL.sub(
                r"expected type of field '\1' is 'string' but provided type is '\2'", found[3]
            )
            return complaint(self.source, self._original(place), said)

        return _PLACE.sub(shown, errors)

    def _original(self, place: int) -> int:
        """Return the place in the source; of what was put in, that of what it stands for."""
        begin, original = next(
            (pair for pair in reversed(self.places) if pair[0] <= place), (place, 0)
        )
        steps = place - begin
        copied = self.source[original : original + steps + 1]
        return original + steps if copied == self.text[begin : place + 1] else original


def rewritten(source: str) -> Rewritten:
    """Rewrite an expression; raises `LiteralError` for a literal that is not well formed."""
    return _Rewriter(source).run()


@dataclasses.dataclass(slots=True)
class _Open:
    """An open bracket. Of a literal, `closing` is what ends it; `text` ends the present field."""

    closing: str = ""
    patch: bool = False
    text: str = ""


class _Rewriter:
    def __init__(self, source: str) -> None:
        self._source = source
        self._out: list[str] = []
        self._length = 0
        self._types: list[str] = []
        self._places: list[tuple[int, int]] = []

    def run(self) -> Rewritten:
        open_brackets: list[_Open] = []
        place, before = 0, ""
        while place < len(self._source):
            chain = _CHAIN.match(self._source, place) if before not in {".", "name"} else None
            if chain is not None:
                open_brackets.append(self._begin(chain["type"], place))
                place = self._fields(open_brackets[-1], chain.end())
                before = ""
                continue
            token = _TOKEN.match(self._source, place)
            assert token is not None
            text, innermost = token[0], open_brackets[-1] if open_brackets else None
            place = token.end()
            if token.lastgroup == "mark" and text in "([{":
                open_brackets.append(_Open())
            elif token.lastgroup == "mark" and text in ")]}" and innermost is not None:
                open_brackets.pop()
                text = innermost.text + (innermost.closing or text)
            elif text == "," and innermost is not None and innermost.closing:
                self._emit(innermost.text + text, token.start())
                place = self._fields(innermost, place)
                continue
            self._emit(text, token.start())
            if token.lastgroup != "space":
                before = "name" if token.lastgroup == "name" else text
        return Rewritten(self._source, "".join(self._out), tuple(self._types), tuple(self._places))

    def _begin(self, name: str, place: int) -> _Open:
        name = re.sub(r"\s", "", name)
        if name == "JSONPatch":
            self._emit("__patch({", place)
            return _Open("})", patch=True)
        if name not in self._types:
            self._types.append(name)
        self._emit(f"__new_{self._types.index(name)}({{", place)
        return _Open("})")

    def _fields(self, literal: _Open, place: int) -> int:
        """Take the name of the next field, if there is one; return where its value begins."""
        literal.text = ""
        found = list(_significant(self._source, place))
        if found and found[0][1] == "}":
            return place
        optional = bool(found) and found[0][1] == "?"
        end = (len(self._source), "", "")
        name, *rest = (found[1:] if optional else found) or [end]
        if not name[2] or not rest or rest[0][1] != ":":
            raise LiteralError(complaint(self._source, name[0], "a field is expected: name: value"))
        if literal.patch and name[2] not in _MEMBERS:
            raise LiteralError(complaint(self._source, name[0], f"undefined field '{name[2]}'"))
        self._emit(f'{"?" if optional else ""}"{name[2]}":', name[0])
        if literal.patch and name[2] in _TEXTS and not optional:
            self._emit(f"__text_{name[2]}(", name[0])
            literal.text = ")"
        return rest[0][0] + 1

    def _emit(self, text: str, place: int) -> None:
        self._places.append((self._length, place))
        self._out.append(text)
        self._length += len(text)


def _significant(source: str, place: int) -> Iterator[tuple[int, str, str]]:
    """Yield the next three tokens that count: place, text, and the name if it is one."""
    count = 0
    while place < len(source) and count < 3:
        token = _TOKEN.match(source, place)
        assert token is not None
        if token.lastgroup != "space":
            count += 1
            yield token.start(), token[0], token["name"] or token["quoted"] or ""
        place = token.end()
