"""The lexer: a template's text to pieces, and one action to tokens, with Go's rules.

The text is cut into actions first, and each action is lexed by itself: the same action stands many
times in a chart, so what is made of it is kept by its source (see `_actions`). Positions within an
action are relative to its first character after the left delimiter.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from fluvial.render.gotemplate._errors import TemplateSyntaxError
from fluvial.render.gotemplate._quote import quote

__all__ = ["KEYWORDS", "Piece", "Token", "lex", "line_at", "pieces"]

KEYWORDS: Final = frozenset(
    ["block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template",
     "with"]
)  # fmt: skip
_BLANK: Final = " \t\r\n"
_ACTION: Final = re.compile(
    r"""(?:[^"`'}]++|"(?:[^"\\\n]|\\[^\n])*+"|`[^`]*+`|'(?:[^'\\\n]|\\[^\n])*+'|\}(?!\}))*+\}\}"""
)
_TOKEN: Final = re.compile(
    r"""
    [ \t\r\n]*+ (?:
    (?P<field>\.(?![0-9])\w+)
  | (?P<variable>\$\w*)
  | (?P<identifier>(?![0-9])\w+)
  | (?P<string>"(?:[^"\\\n]|\\[^\n])*+")
  | (?P<raw>`[^`]*+`)
  | (?P<char>'(?:[^'\\\n]|\\[^\n])*+')
  | (?P<number>[+-]|\.?[0-9])
  | (?P<dot>\.)
  | (?P<declare>:=)
  | (?P<mark>[|=,()])
  | (?P<end>\Z)
  | (?P<other>[\s\S])
    )
    """,
    re.VERBOSE,
)
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_WORD: Final = re.compile(r"\w")
_NAMES: Final = frozenset({"field", "variable", "identifier", "dot"})
_TERMINATORS: Final = " \t\r\n.,|:)("
_UNTERMINATED: Final = {
    '"': "unterminated quoted string",
    "'": "unterminated character constant",
    "`": "unterminated raw quoted string",
}


class Token(NamedTuple):
    """One item of an action. `kind` is a keyword, or one of the names that `lex` documents."""

    kind: str
    text: str
    pos: int
    glued: bool


class Piece(NamedTuple):
    """A text with the action behind it; `source` is None at the end of the template.

    `source` has neither delimiters nor the signs of trim markers; `at` is where it starts, `opened`
    where the left delimiter stands, `start` where the text does. `closed` says that the action has
    its right delimiter.
    """

    text: str
    source: str | None
    at: int
    opened: int
    start: int
    closed: bool = True


def line_at(text: str, pos: int) -> int:
    """Line number, from one, of an offset."""
    return text.count("\n", 0, pos) + 1


def pieces(name: str, text: str) -> Iterator[Piece]:
    """Cut a template into its texts and actions. Raises TemplateSyntaxError for a bad comment.

    Comments vanish. Trim markers have acted on the neighbouring text.
    """
    start = 0
    trim = False
    while True:
        opened = text.find("{{", start)
        part = text[start:] if opened < 0 else text[start:opened]
        if trim:
            size = len(part)
            part = part.lstrip(_BLANK)
            start += size - len(part)
        if opened < 0:
            yield Piece(part, None, len(text), len(text), start)
            return
        at = opened + 2
        if text.startswith("-", at) and text[at + 1 : at + 2] in {" ", "\t", "\r", "\n"}:
            part = part.rstrip(_BLANK)
            at += 2
        if text.startswith("/*", at):
            after, trim = _after_comment(name, text, opened, at)
            if part:
                yield Piece(part, "", at, opened, start)
            start = after
            continue
        found = _ACTION.match(text, at)
        if found is None:
            yield Piece(part, text[at:], at, opened, start, closed=False)
            return
        after = found.end()
        stop = after - 2
        trim = text.startswith("-", stop - 1) and stop - 2 >= at and text[stop - 2] in _BLANK
        yield Piece(part, text[at : stop - 1 if trim else stop], at, opened, start)
        start = after


def _after_comment(name: str, text: str, opened: int, at: int) -> tuple[int, bool]:
    """Return where a comment ends, and whether it trims what follows."""
    close = text.find("*/", at + 2)
    if close < 0:
        raise TemplateSyntaxError(name, line_at(text, opened), "unclosed comment")
    after = close + 2
    if text.startswith("}}", after):
        return after + 2, False
    if text[after : after + 1] in {" ", "\t", "\r", "\n"} and text.startswith("-}}", after + 1):
        return after + 4, True
    problem = "comment ends before closing delimiter"
    raise TemplateSyntaxError(name, line_at(text, opened), problem)


def lex(source: str, *, closed: bool = True) -> list[Token]:
    """Split one action into tokens; the last one is `}}`, or `error` with the message as its text.

    Kinds: `string`, `raw`, `char`, `number`, `complex`, `bool`, `identifier`, `field`, `variable`,
    `dot`, `|`, `(`, `)`, `:=`, `=`, `,`, `punctuation` and the keywords. `glued` says that no blank
    stands before a token.
    """
    tokens: list[Token] = []
    depth = pos = 0
    size = len(source)
    match = _TOKEN.match
    while True:
        found = match(source, pos)
        assert found is not None
        kind = found.lastgroup or ""
        start, end = found.span(kind)
        glued = start == pos
        if kind == "end":
            break
        text = source[start:end]
        problem = ""
        if kind in _NAMES:
            if kind == "identifier":
                kind = _word(text)
            if end < size and source[end] not in _TERMINATORS and source[end : end + 2] != "}}":
                problem = f"bad character {_code(source[end])}"
        elif kind == "number":
            kind, text, problem = _number(source, start)
            end = start + len(text)
        elif kind == "mark":
            kind = text
            depth += {"(": 1, ")": -1}.get(text, 0)
            if depth < 0:
                problem = "unexpected right paren"
        elif kind == "declare":
            kind = ":="
        elif kind == "other":
            kind = "punctuation"
            problem = _other(text)
        if problem:
            tokens.append(Token("error", problem, start, glued))
            return tokens
        tokens.append(Token(kind, text, start, glued))
        pos = end
    if not closed:
        tokens.append(Token("error", "unclosed action", size, glued))
    elif depth:
        tokens.append(Token("error", "unclosed left paren", size, glued))
    else:
        tokens.append(Token("}}", "}}", size, glued))
    return tokens


def _word(text: str) -> str:
    if text in KEYWORDS:
        return text
    return "bool" if text in {"true", "false"} else "identifier"


def _number(source: str, pos: int) -> tuple[str, str, str]:
    """Return kind and text of a number, and what is wrong with it; `1+2i` is `complex`."""
    kind = "number"
    end = _digits(source, pos)
    if source[end : end + 1] in {"+", "-"}:
        kind = "complex"
        end = _digits(source, end)
        if source[end - 1] != "i":
            return kind, source[pos:end], f"bad number syntax: {quote(source[pos:end])}"
    if _WORD.match(source, end):
        return kind, source[pos:end], f"bad number syntax: {quote(source[pos : end + 1])}"
    return kind, source[pos:end], ""


def _digits(source: str, pos: int) -> int:
    found = _NUMBER.match(source, pos)
    return found.end() if found else pos


def _other(char: str) -> str:
    """Say what is wrong with a character that starts no token; printable ASCII is left."""
    if char in _UNTERMINATED:
        return _UNTERMINATED[char]
    if char == ":":
        return "expected :="
    if " " < char <= "~":
        return ""
    return f"unrecognized character in action: {_code(char)}"


def _code(char: str) -> str:
    """Write a character as Go's %#U does."""
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")
