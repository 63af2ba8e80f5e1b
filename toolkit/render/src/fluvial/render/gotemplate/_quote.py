"""Go's string literals: reading those of templates, writing those of %q."""

from typing import Final

__all__ = ["can_backquote", "is_print", "quote", "quote_rune", "unquote"]

_ESCAPES: Final = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34,
}  # fmt: skip
_NAMED: Final = {code: f"\\{letter}" for letter, code in _ESCAPES.items() if letter not in "'\""}
_HEX: Final = {"x": 2, "u": 4, "U": 8}
_OCTAL: Final = frozenset("01234567")


def unquote(literal: str) -> str:
    """Read a Go string or character literal with its quotes. Raises ValueError for a bad one."""
    mark, body = literal[0], literal[1:-1]
    if mark == "`":
        return body.replace("\r", "")
    if "\\" not in body:
        return body
    out = bytearray()
    position = 0
    while position < len(body):
        char = body[position]
        position += 1
        if char != "\\":
            out += char.encode()
            continue
        escape = body[position]
        if escape in _ESCAPES:
            if escape in "'\"" and escape != mark:
                raise ValueError("invalid syntax")
            out.append(_ESCAPES[escape])
            position += 1
        elif escape in _HEX:
            digits = body[position + 1 : position + 1 + _HEX[escape]]
            if len(digits) != _HEX[escape]:
                raise ValueError("invalid syntax")
            code = int(digits, 16)
            position += 1 + len(digits)
            if escape == "x":
                out.append(code)
            elif 0xD800 <= code < 0xE000:
                raise ValueError("invalid syntax")
            else:
                out += chr(code).encode()
        else:
            digits = body[position : position + 3]
            if len(digits) != 3 or not set(digits) <= _OCTAL:
                raise ValueError("invalid syntax")
            out.append(int(digits, 8))
            position += 3
    return out.decode("utf-8", "surrogateescape")


def is_print(char: str) -> bool:
    """Say whether Go prints a rune as it is."""
    return char.isprintable()


def can_backquote(text: str) -> bool:
    """Say whether a text can stand in a raw literal, as strconv.CanBackquote."""
    return not any(
        char in "`\ufeff\x7f" or (char < " " and char != "\t") or "\udc80" <= char <= "\udcff"
        for char in text
    )


def quote(text: str, *, ascii_only: bool = False) -> str:
    """Write a string as Go's strconv.Quote does."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_rune(char, '"', ascii_only) for char in text) + '"'


def quote_rune(code: int, *, ascii_only: bool = False) -> str:
    """Write a character literal as strconv.QuoteRune does."""
    char = chr(code) if 0 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "\ufffd"
    return "'" + _rune(char, "'", ascii_only) + "'"


def _rune(char: str, mark: str, ascii_only: bool) -> str:
    code = ord(char)
    if char == mark:
        return "\\" + char
    if code in _NAMED:
        return _NAMED[code]
    if is_print(char) and (code < 0x80 or not ascii_only):
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
