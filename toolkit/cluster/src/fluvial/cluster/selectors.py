"""Label and field selectors, as query parameters carry them.

The grammar and the messages of a selector that does not parse are those of
`k8s.io/apimachinery/pkg/labels` and `…/pkg/fields`.
"""

# ruff: noqa: S105 - tokens are pieces of text here
from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping

from fluvial.cluster.names import label_key_errors, label_value_errors

__all__ = ["FieldTerm", "LabelTerm", "SelectorError", "parse_fields", "parse_labels"]


class SelectorError(ValueError):
    """The text is no selector; the message is upstream's."""


@dataclasses.dataclass(frozen=True, slots=True)
class LabelTerm:
    """One requirement; `operator` is one of `in = == notin != exists ! gt lt`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether a set of labels fulfils the requirement."""
        if self.operator in ("in", "=", "=="):
            return self.key in labels and labels[self.key] in self.values
        if self.operator in ("notin", "!="):
            return self.key not in labels or labels[self.key] not in self.values
        if self.operator == "exists":
            return self.key in labels
        if self.operator == "!":
            return self.key not in labels
        try:
            number = int(labels[self.key])
        except (KeyError, ValueError):
            return False
        bound = int(self.values[0])
        return number > bound if self.operator == "gt" else number < bound


_SPECIAL = re.compile(r"[=!(),<>]")


class _Lexer:
    """Tokens of a label selector: symbols, identifiers, and the end as an empty string."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next(self) -> str:
        text, at = self._text, self._at
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        start = at
        if at >= len(text):
            self._at = at
            return ""
        if _SPECIAL.match(text[at]):
            at += 1
            if text[start] in "=!" and at < len(text) and text[at] == "=":
                at += 1
        else:
            while at < len(text) and text[at] not in " \t\r\n" and not _SPECIAL.match(text[at]):
                at += 1
        self._at = at
        return text[start:at]


_SYMBOLS = {"=", "==", "!=", "!", "(", ")", ",", "<", ">"}


def _is_word(token: str) -> bool:
    return bool(token) and token not in _SYMBOLS


class _Parser:
    """Recursive descent over the tokens, one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self._lexer = _Lexer(text)
        self._token = self._lexer.next()

    def _take(self) -> str:
        token = self._token
        self._token = self._lexer.next()
        return token

    def parse(self) -> tuple[LabelTerm, ...]:
        terms: list[LabelTerm] = []
        if not self._token:
            return ()
        while True:
            if not (_is_word(self._token) or self._token == "!"):
                raise SelectorError(
                    f"found '{self._token}', expected: !, identifier, or 'end of string'"
                )
            try:
                terms.append(self._requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token = self._take()
            if not token:
                return tuple(sorted(terms, key=lambda term: term.key))
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or 'end of string'")
            if not (_is_word(self._token) or self._token == "!"):
                raise SelectorError(f"found '{self._token}', expected: identifier after ','")

    def _requirement(self) -> LabelTerm:
        absent = self._token == "!"
        if absent:
            self._take()
        key = self._take()
        if not _is_word(key):
            raise SelectorError(f"found '{key}', expected: identifier")
        problems = label_key_errors(key)
        if problems:
            raise SelectorError(f"<nil>: Invalid value: {_quote(key)}: {'; '.join(problems)}")
        if absent:
            return LabelTerm(key, "!")
        if self._token in ("", ","):
            return LabelTerm(key, "exists")
        operator = self._operator()
        values = self._values() if operator in ("in", "notin") else (self._exact(),)
        if operator in ("gt", "lt") and not re.fullmatch(r"[+-]?\d+", values[0]):
            raise SelectorError(
                f"values[0][{key}]: Invalid value: {_quote(values[0])}: "
                "for 'Gt', 'Lt' operators, the value must be an integer"
            )
        for index, value in enumerate(values):
            found = label_value_errors(value)
            if found:
                raise SelectorError(
                    f"values[{index}][{key}]: Invalid value: {_quote(value)}: {'; '.join(found)}"
                )
        return LabelTerm(key, operator, values)

    def _operator(self) -> str:
        token = self._take()
        named = {"<": "lt", ">": "gt"}.get(token, token)
        if named not in ("in", "notin", "=", "==", "!=", "gt", "lt"):
            expected = "in, notin, =, ==, !=, gt, lt"
            raise SelectorError(f"found '{token}', expected: {expected}")
        return named

    def _values(self) -> tuple[str, ...]:
        token = self._take()
        if token != "(":
            raise SelectorError(f"found '{token}' expected: '('")
        values: set[str] = set()
        if self._token == ")":
            self._take()
            return ("",)
        if not (_is_word(self._token) or self._token == ","):
            raise SelectorError(f"found '{self._token}', expected: ',', ')' or identifier")
        while True:
            if _is_word(self._token):
                values.add(self._take())
                if self._token == ")":
                    break
                if self._token != ",":
                    raise SelectorError(f"found '{self._token}', expected: ',' or ')'")
            elif self._token == ",":
                if not values:
                    values.add("")
                self._take()
                if self._token == ")":
                    values.add("")
                    break
                if self._token == ",":
                    self._take()
                    values.add("")
            else:
                raise SelectorError(f"found '{self._token}', expected: ',', or identifier")
        self._take()
        return tuple(sorted(values))

    def _exact(self) -> str:
        if self._token in ("", ","):
            return ""
        token = self._take()
        if not _is_word(token):
            raise SelectorError(f"found '{token}', expected: identifier")
        return token


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_labels(text: str) -> tuple[LabelTerm, ...]:
    """Read a label selector; raises `SelectorError`, worded as the API server does."""
    return _Parser(text).parse()


@dataclasses.dataclass(frozen=True, slots=True)
class FieldTerm:
    """One term of a field selector."""

    field: str
    equal: bool
    value: str

    def matches(self, read: Callable[[str], str]) -> bool:
        """Compare with the value that `read` gives for the field."""
        return (read(self.field) == self.value) == self.equal


def _split_terms(text: str) -> list[str]:
    terms, current, escaped = [], "", False
    for char in text:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\":
            current, escaped = current + char, True
        elif char == ",":
            terms.append(current)
            current = ""
        else:
            current += char
    terms.append(current)
    return terms


def _unescape(value: str, term: str) -> str:
    result, escaped = "", False
    for char in value:
        if escaped:
            if char not in "\\,=":
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{char}")
            result, escaped = result + char, False
        elif char == "\\":
            escaped = True
        elif char in ",=":
            raise SelectorError(f"invalid selector: '{term}'; can't understand '{value}'")
        else:
            result += char
    return result


def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """Read a field selector (`a=b,c!=d`); raises `SelectorError`."""
    terms = []
    for part in _split_terms(text):
        if not part:
            continue
        at = next(
            (i for i, char in enumerate(part) if char in "=!" and part[i - 1 : i] != "\\"), -1
        )
        operator = next((op for op in ("!=", "==", "=") if at >= 0 and part.startswith(op, at)), "")
        if not operator:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        value = _unescape(part[at + len(operator) :], text)
        terms.append(FieldTerm(part[:at], operator != "!=", value))
    return tuple(terms)
