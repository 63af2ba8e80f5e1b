"""The lexer: template text to tokens, with the rules of Go's text/template."""

import re
from typing import Final, NamedTuple

from fluvial.render.gotemplate._errors import TemplateSyntaxError
from fluvial.render.gotemplate._quote import is_print

__all__ = ["KEYWORDS", "Token", "lex", "line_at"]

KEYWORDS: Final = frozenset(
    ["block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template",
     "with"]
)  # fmt: skip
_BLANK: Final = " \t\r\n"
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_CHAR: Final = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")


class Token(NamedTuple):
    """One item. `kind` is a keyword, or one of the names that `lex` documents."""

    kind: str
    text: str
    pos: int


def line_at(text: str, pos: int) -> int:
    """Line number, from one, of an offset."""
    return text.count("\n", 0, pos) + 1


def lex(name: str, text: str) -> list[Token]:
    """Split a template into tokens; the last one is `eof`.

    Kinds: `text`, `{{`, `}}`, `space`, `string`, `raw`, `char`, `number`, `bool`, `identifier`,
    `field`, `variable`, `dot`, `|`, `(`, `)`, `:=`, `=`, `,` and the keywords. Comments vanish;
    trim markers have already acted on the neighbouring text.
    Raises TemplateSyntaxError.
    """
    return _Lexer(name, text).run()


class _Lexer:
    """The state of one pass over one text."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.pos = 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        """Lex it all."""
        text = self.text
        trim = False
        while True:
            start = self.pos
            opened = text.find("{{", start)
            stop = len(text) if opened < 0 else opened
            piece_start, piece_stop = start, stop
            if trim:
                while piece_start < piece_stop and text[piece_start] in _BLANK:
                    piece_start += 1
            trims_left = opened >= 0 and self._left_trim(opened)
            if trims_left:
                while piece_stop > piece_start and text[piece_stop - 1] in _BLANK:
                    piece_stop -= 1
            if piece_stop > piece_start:
                self.tokens.append(Token("text", text[piece_start:piece_stop], piece_start))
            if opened < 0:
                self.tokens.append(Token("eof", "", len(text)))
                return self.tokens
            inner = opened + 2 + (2 if trims_left else 0)
            if text.startswith("/*", inner):
                trim = self._comment(opened, inner)
            else:
                self.tokens.append(Token("{{", "{{", opened))
                # the blank of a left trim marker is part of it
                self.pos = inner
                trim = self._action(opened)

    def _left_trim(self, at: int) -> bool:
        return self.text[at + 2 : at + 3] == "-" and self.text[at + 3 : at + 4] in tuple(_BLANK)

    def _comment(self, opened: int, inner: int) -> bool:
        close = self.text.find("*/", inner + 2)
        if close < 0:
            raise self._error("unclosed comment", opened)
        after = close + 2
        if self.text.startswith("}}", after):
            self.pos = after + 2
            return False
        if self.text[after : after + 1] in tuple(_BLANK) and self.text.startswith("-}}", after + 1):
            self.pos = after + 4
            return True
        raise self._error("comment ends before closing delimiter", opened)

    def _action(self, opened: int) -> bool:
        """Lex up to and with the right delimiter; say whether it trims what follows."""
        text = self.text
        depth = 0
        while True:
            pos = self.pos
            if pos >= len(text):
                raise self._error("unclosed action", opened)
            if self._closes(pos):
                if depth:
                    raise self._error("unclosed left paren", pos)
                trims = not text.startswith("}}", pos)
                self._add("}}", pos + (4 if trims else 2))
                return trims
            char = text[pos]
            if char in _BLANK:
                self._blank(pos)
            elif char == '"':
                self._quoted(_STRING, "string", "unterminated quoted string")
            elif char == "'":
                self._quoted(_CHAR, "char", "unterminated character constant")
            elif char == "`":
                end = text.find("`", pos + 1)
                if end < 0:
                    raise self._error("unterminated raw quoted string", pos)
                self._add("raw", end + 1)
            elif char == ":":
                if not text.startswith(":=", pos):
                    raise self._error("expected :=", pos)
                self._add(":=", pos + 2)
            elif char in "|=,":
                self._add(char, pos + 1)
            elif char == "(":
                depth += 1
                self._add("(", pos + 1)
            elif char == ")":
                if not depth:
                    raise self._error("unexpected right paren", pos)
                depth -= 1
                self._add(")", pos + 1)
            elif char == "$" or (char == "." and not text[pos + 1 : pos + 2].isdecimal()):
                self._field(pos, char)
            elif char in "+-." or "0" <= char <= "9":
                self._number(pos)
            elif char == "_" or char.isalnum():
                self._word(pos)
            elif ord(char) < 0x80 and is_print(char):
                self._add("punctuation", pos + 1)
            else:
                code = f"U+{ord(char):04X}" + (f" '{char}'" if is_print(char) else "")
                raise self._error(f"unrecognized character in action: {code}", pos)

    def _closes(self, pos: int) -> bool:
        if self.text.startswith("}}", pos):
            return True
        return self.text[pos] in _BLANK and self.text.startswith("-}}", pos + 1)

    def _blank(self, pos: int) -> None:
        match = _SPACE.match(self.text, pos)
        end = match.end() if match else pos + 1
        # a right trim marker takes the last blank
        if self.text.startswith("-}}", end) and end - pos > 1:
            end -= 1
        self._add("space", end)

    def _quoted(self, pattern: re.Pattern[str], kind: str, complaint: str) -> None:
        match = pattern.match(self.text, self.pos)
        if match is None:
            raise self._error(complaint, self.pos)
        self._add(kind, match.end())

    def _field(self, pos: int, char: str) -> None:
        match = _WORD.match(self.text, pos + 1)
        if match is None:
            end = pos + 1
            kind = "variable" if char == "$" else "dot"
        else:
            end = match.end()
            kind = "variable" if char == "$" else "field"
        self._terminated(end)
        self._add(kind, end)

    def _number(self, pos: int) -> None:
        match = _NUMBER.match(self.text, pos)
        end = match.end() if match else pos
        follows = _WORD.match(self.text, end)
        word = self.text[pos:end]
        if follows or not any(char.isdigit() for char in word):
            whole = self.text[pos : follows.end() if follows else end + 1]
            raise self._error(f'bad number syntax: "{whole}"', pos)
        self._add("number", end)

    def _word(self, pos: int) -> None:
        match = _WORD.match(self.text, pos)
        end = match.end() if match else pos + 1
        self._terminated(end)
        word = self.text[pos:end]
        if word in KEYWORDS:
            self._add(word, end)
        elif word in {"true", "false"}:
            self._add("bool", end)
        else:
            self._add("identifier", end)

    def _terminated(self, end: int) -> None:
        if end >= len(self.text) or self.text[end] in " \t\r\n.,|:)(":
            return
        if not self.text.startswith("}}", end):
            char = self.text[end]
            raise self._error(f"bad character U+{ord(char):04X} '{char}'", end)

    def _add(self, kind: str, end: int) -> None:
        self.tokens.append(Token(kind, self.text[self.pos : end], self.pos))
        self.pos = end

    def _error(self, message: str, pos: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(self.name, line_at(self.text, pos), message)
