"""How Go prints values: `%v` and its relatives, and the whole of printf."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote, quote_rune
from fluvial.render.gotemplate._values import Boxed, from_bytes, kind_of, to_bytes, type_of
from fluvial.render.yaml._scalars import go_float

__all__ = ["DEEPEST", "format_float", "sprint", "sprintf", "sprintln", "text_of"]

DEEPEST: Final = 500
_WIDEST: Final = 1_000_000
_INTEGER_BASES: Final = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}


def format_float(number: float) -> str:
    """Print a float as `%v` does: shortest digits, exponent form from 1e+06 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return go_float(number)


def text_of(value: Any, depth: int = 0) -> str:
    """Print a value as `%v` does; nil is `<nil>`.

    Raises FunctionError for a value that is nested too deep, such as one that holds itself.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_float(value)
    if depth > DEEPEST:
        raise FunctionError("the value is nested too deep, or holds itself")
    if isinstance(value, dict):
        if "__str__" in type(value).__dict__:
            return str(value)
        pairs = " ".join(f"{key}:{text_of(value[key], depth + 1)}" for key in sorted(value))
        return f"map[{pairs}]"
    if isinstance(value, (list, bytes)):
        return "[" + " ".join([text_of(item, depth + 1) for item in value]) + "]"
    if isinstance(value, complex):
        real, imaginary = format_float(value.real), format_float(value.imag)
        return f"({real}{'' if imaginary[0] in '+-' else '+'}{imaginary}i)"
    if isinstance(value, Boxed):
        return text_of(value.value, depth)
    return str(value)


def sprint(values: Sequence[Any]) -> str:
    """Join as `print`: a blank only between operands of which neither is a string."""
    out: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out.append(" ")
        out.append(text_of(value))
    return "".join(out)


def sprintln(values: Iterable[Any]) -> str:
    """Join as `println`: blanks between all, a newline at the end."""
    return " ".join(map(text_of, values)) + "\n"


def sprintf(form: str, values: Sequence[Any]) -> str:
    """Format as `printf`. A mismatch prints, as in Go: `%!d(string=x)`; nothing is raised."""
    return _Printer(form, values).run()


class _Printer:
    """One call of printf."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self.form, self.values = form, values
        self.at = 0
        self.next = 0
        self.reordered = False
        self.out: list[str] = []

    def run(self) -> str:
        form = self.form
        while self.at < len(form):
            percent = form.find("%", self.at)
            if percent < 0:
                self.out.append(form[self.at :])
                break
            self.out.append(form[self.at : percent])
            self.at = percent + 1
            self._directive()
        if not self.reordered and self.next < len(self.values):
            extra = ", ".join(
                "<nil>" if value is None else f"{type_of(value)}={text_of(value)}"
                for value in self.values[self.next :]
            )
            self.out.append(f"%!(EXTRA {extra})")
        return "".join(self.out)

    def _directive(self) -> None:
        form = self.form
        flags = set()
        good = True
        while self.at < len(form) and form[self.at] in "+-# 0":
            flags.add(form[self.at])
            self.at += 1
        good &= self._index()
        width, ok = self._count("WIDTH")
        if width is not None and width < 0:
            flags.add("-")
            width = -width
        good &= ok
        precision = None
        if self.at < len(form) and form[self.at] == ".":
            self.at += 1
            good &= self._index()
            precision, ok = self._count("PREC")
            precision = precision if precision is not None and precision >= 0 else 0
        good &= self._index()
        if self.at >= len(form):
            self.out.append("%!(NOVERB)")
            return
        verb = form[self.at]
        self.at += 1
        if verb == "%":
            self.out.append("%")
        elif not good:
            self.out.append(f"%!{verb}(BADINDEX)")
        elif self.next >= len(self.values):
            self.out.append(f"%!{verb}(MISSING)")
        else:
            value = self.values[self.next]
            self.next += 1
            self.out.append(_Directive(verb, flags, width, precision).text(value))

    def _count(self, what: str) -> tuple[int | None, bool]:
        """Read a width or precision, which may be `*`."""
        if self.at < len(self.form) and self.form[self.at] == "*":
            self.at += 1
            if self.next >= len(self.values):
                self.out.append(f"%!(BAD{what})")
                return None, True
            value = self.values[self.next]
            self.next += 1
            if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _WIDEST:
                self.out.append(f"%!(BAD{what})")
                return None, True
            return int(value), True
        start = self.at
        while self.at < len(self.form) and "0" <= self.form[self.at] <= "9":
            self.at += 1
        number = int(self.form[start : min(self.at, start + 8)]) if self.at > start else None
        return (None if number is not None and number > _WIDEST else number), True

    def _index(self) -> bool:
        """Read `[n]`."""
        if not self.form.startswith("[", self.at):
            return True
        self.reordered = True
        close = self.form.find("]", self.at)
        digits = self.form[self.at + 1 : close] if close > 0 else ""
        self.at = close + 1 if close > 0 else self.at + 1
        if not digits.isdecimal() or not 1 <= int(digits[:9]) <= len(self.values):
            return False
        self.next = int(digits) - 1
        return True


class _Directive:
    """One verb with its flags."""

    def __init__(
        self, verb: str, flags: set[str], width: int | None, precision: int | None
    ) -> None:
        if verb == "v":
            flags.discard("+")  # asks for field names, not for signs
        self.verb, self.flags, self.width, self.precision = verb, flags, width, precision
        self.depth = 0

    def text(self, value: Any) -> str:
        verb = self.verb
        if verb == "T":
            return self._pad(type_of(value))
        if value is None:
            return self._pad("<nil>") if verb == "v" else f"%!{verb}(<nil>)"
        if verb == "v" and "#" in self.flags:
            self.flags.discard("#")
            return self._pad(_syntax(value))
        if verb == "p":
            return f"%!p({type_of(value)}={text_of(value)})"
        return self._any(value)

    def _any(self, value: Any) -> str:
        """Format a value, going into containers with the same verb."""
        if value is None:
            return self._pad("<nil>") if self.verb == "v" else f"%!{self.verb}(<nil>)"
        if isinstance(value, bool):
            return self._pad(text_of(value)) if self.verb in "tv" else self._bad(value)
        if isinstance(value, int):
            if self.verb in "vsq" and "go_type" in vars(type(value)):
                return self._string(str(value))
            return self._integer(value)
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, bytes):
            return self._bytes(value)
        self.depth += 1
        if self.depth > DEEPEST:
            raise FunctionError("the value is nested too deep, or holds itself")
        try:
            return self._container(value)
        finally:
            self.depth -= 1

    def _container(self, value: Any) -> str:
        if isinstance(value, dict) and "__str__" not in type(value).__dict__:
            pairs = " ".join(f"{self._any(key)}:{self._any(value[key])}" for key in sorted(value))
            return f"map[{pairs}]"
        if isinstance(value, list):
            return "[" + " ".join(map(self._any, value)) + "]"
        if self.verb in "vsq":
            return self._string(text_of(value))
        return self._bad(value)

    def _bad(self, value: Any) -> str:
        return f"%!{self.verb}({type_of(value)}={text_of(value)})"

    def _pad(self, text: str, *, zero: bool = False) -> str:
        if self.width is None or len(text) >= self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        if zero and "0" in self.flags:
            sign = text[0] if text[:1] in {"+", "-", " "} else ""
            return sign + text[len(sign) :].rjust(self.width - len(sign), "0")
        return text.rjust(self.width)

    def _sign(self, text: str) -> str:
        if text.startswith("-"):
            return text
        return ("+" if "+" in self.flags else " " if " " in self.flags else "") + text

    def _integer(self, number: int) -> str:
        verb = "d" if self.verb == "v" else self.verb
        if verb in "cqU":
            return self._rune(int(number))
        if verb == "O":
            text = ("-" if number < 0 else "") + "0o" + format(abs(int(number)), "o")
            return self._pad(self._sign(text))
        if verb not in _INTEGER_BASES:
            return self._bad(number)
        digits = format(abs(int(number)), _INTEGER_BASES[verb])
        if self.precision is not None:
            digits = "" if self.precision == 0 and number == 0 else digits.zfill(self.precision)
        if "#" in self.flags:
            digits = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") + digits
        text = self._sign(("-" if number < 0 else "") + digits)
        return self._pad(text, zero=self.precision is None)

    def _rune(self, code: int) -> str:
        if self.verb == "U":
            text = f"U+{code:04X}"
            return self._pad(f"{text} '{chr(code)}'" if "#" in self.flags else text)
        if self.verb == "q":
            return self._pad(quote_rune(code))
        return self._pad(chr(code) if 0 <= code <= 0x10FFFF else "\ufffd")

    def _float(self, number: float) -> str:
        verb = self.verb
        if verb not in "veEfFgG":
            return self._bad(number)
        if math.isnan(number) or math.isinf(number):
            text = format_float(number)
            text = text.removeprefix("+") if "+" not in self.flags else text
            return self._pad("+Inf" if verb == "v" and text == "Inf" else text)
        if verb in "vgG" and self.precision is None:
            text = format_float(number)
            text = text.upper() if verb == "G" else text
        else:
            digits = 6 if self.precision is None else self.precision
            text = format(number, f".{digits}{'g' if verb == 'v' else verb}")
        return self._pad(self._sign(text), zero=True)

    def _string(self, text: str) -> str:
        match self.verb:
            case "v" | "s":
                return self._pad(text if self.precision is None else text[: self.precision],
                                 zero=True)  # fmt: skip
            case "q":
                cut = text if self.precision is None else text[: self.precision]
                if "#" in self.flags and "`" not in cut and cut.isprintable():
                    return self._pad(f"`{cut}`")
                return self._pad(quote(cut, ascii_only="+" in self.flags))
            case "x" | "X":
                return self._hex(to_bytes(text))
            case _:
                return self._bad(text)

    def _bytes(self, data: bytes) -> str:
        match self.verb:
            case "s" | "q":
                return self._string(from_bytes(data))
            case "x" | "X":
                return self._hex(data)
            case "v" | "d":
                return "[" + " ".join(map(self._integer, data)) + "]"
            case _:
                return self._bad(data)

    def _hex(self, data: bytes) -> str:
        data = data if self.precision is None else data[: self.precision]
        text = data.hex(" ") if " " in self.flags else data.hex()
        if "#" in self.flags:
            text = " ".join(f"0x{part}" for part in text.split(" "))
        return self._pad(text.upper() if self.verb == "X" else text)


def _syntax(value: Any) -> str:
    """Print as `%#v`: in Go's syntax."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bytes):
        return "[]byte{" + ", ".join(f"0x{byte:x}" for byte in value) + "}"
    if isinstance(value, dict):
        pairs = ", ".join(f"{quote(key)}:{_syntax(value[key])}" for key in sorted(value))
        return f"{type_of(value)}{{{pairs}}}"
    if isinstance(value, list):
        return f"{type_of(value)}{{{', '.join(map(_syntax, value))}}}"
    if kind_of(value) in {"struct", "ptr"}:
        return f"{type_of(value)}{{{value}}}"
    return text_of(value)
