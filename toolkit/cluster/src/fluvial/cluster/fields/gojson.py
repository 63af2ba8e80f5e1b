"""What Go's JSON decoder says of text that is no JSON."""

from __future__ import annotations

__all__ = ["json_complaint"]

_SPACE = b" \t\r\n"
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}


class _ComplaintError(ValueError):
    """The first thing that is wrong."""


def json_complaint(text: bytes) -> str | None:
    """Return the message for the first error in a JSON text, None when there is none."""
    scanner = _Scanner(text)
    try:
        scanner.value("looking for beginning of value")
        scanner.space()
        if scanner.at < len(text):
            scanner.wrong("after top-level value")
    except _ComplaintError as complaint:
        return str(complaint)
    except RecursionError:
        return "exceeded max depth"
    return None


class _Scanner:
    """Walks a text; `at` is the place of the next byte."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def wrong(self, where: str) -> None:
        """Complain of the next byte, or of the end."""
        raise _ComplaintError(f"invalid character {_quoted(self.peek())} {where}")

    def peek(self) -> int:
        """Return the next byte; the end is an error of its own."""
        if self.at >= len(self.text):
            raise _ComplaintError("unexpected end of JSON input")
        return self.text[self.at]

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def next(self) -> int:
        """Return the next byte that is no space."""
        self.space()
        return self.peek()

    def value(self, where: str) -> None:
        byte = self.next()
        if byte == ord("{"):
            self.members()
        elif byte == ord("["):
            self.elements()
        elif byte == ord('"'):
            self.string()
        elif byte in _LITERALS:
            self.literal(_LITERALS[byte])
        elif byte == ord("-") or byte in _DIGITS:
            self.number()
        else:
            self.wrong(where)

    def members(self) -> None:
        self.at += 1
        if self.next() == ord("}"):
            self.at += 1
            return
        while True:
            if self.next() != ord('"'):
                self.wrong("looking for beginning of object key string")
            self.string()
            if self.next() != ord(":"):
                self.wrong("after object key")
            self.at += 1
            self.value("looking for beginning of value")
            if self.closed(ord("}"), "after object key:value pair"):
                return

    def elements(self) -> None:
        self.at += 1
        if self.next() == ord("]"):
            self.at += 1
            return
        while True:
            self.value("looking for beginning of value")
            if self.closed(ord("]"), "after array element"):
                return

    def closed(self, end: int, where: str) -> bool:
        """Step over a comma or the end of an object or array; tell whether it was the end."""
        byte = self.next()
        if byte not in (end, ord(",")):
            self.wrong(where)
        self.at += 1
        return byte == end

    def string(self) -> None:
        self.at += 1
        while (byte := self.peek()) != ord('"'):
            if byte < 0x20:
                self.wrong("in string literal")
            self.at += 1
            if byte == ord("\\"):
                self.escape()
        self.at += 1

    def escape(self) -> None:
        byte = self.peek()
        if byte not in b'"\\/bfnrtu':
            self.wrong("in string escape code")
        self.at += 1
        if byte == ord("u"):
            for _ in range(4):
                if self.peek() not in _HEX:
                    self.wrong("in \\u hexadecimal character escape")
                self.at += 1

    def literal(self, word: bytes) -> None:
        for byte in word:
            if self.peek() != byte:
                self.wrong(f"in literal {word.decode()} (expecting {_quoted(byte)})")
            self.at += 1

    def number(self) -> None:
        if self.peek() == ord("-"):
            self.at += 1
        if self.peek() == ord("0"):
            self.at += 1
        else:
            self.digits("in numeric literal")
        if self.at < len(self.text) and self.text[self.at] == ord("."):
            self.at += 1
            self.digits("after decimal point in numeric literal")
        if self.at < len(self.text) and self.text[self.at] in b"eE":
            self.at += 1
            if self.peek() in b"+-":
                self.at += 1
            self.digits("in exponent of numeric literal")

    def digits(self, where: str) -> None:
        """Step over one digit or more."""
        if self.peek() not in _DIGITS:
            self.wrong(where)
        while self.at < len(self.text) and self.text[self.at] in _DIGITS:
            self.at += 1


def _quoted(byte: int) -> str:
    special = {
        ord("'"): "'\\''", ord('"'): "'\"'", ord("\\"): "'\\\\'", ord("\n"): "'\\n'",
        ord("\t"): "'\\t'", ord("\r"): "'\\r'", 7: "'\\a'", 8: "'\\b'", 11: "'\\v'", 12: "'\\f'",
    }  # fmt: skip
    if byte in special:
        return special[byte]
    if byte < 0x20 or byte == 0x7F:
        return f"'\\x{byte:02x}'"
    return f"'{chr(byte)}'"
