"""One verb of printf with its flags, on one value, as Go's fmt prints it."""

import math
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import can_backquote, is_print, quote, quote_rune
from fluvial.render.gotemplate._values import (
    Boxed,
    from_bytes,
    is_nil,
    is_unsigned,
    to_bytes,
    type_of,
)
from fluvial.render.yaml._scalars import go_float

__all__ = ["DEEPEST", "Directive", "format_float"]

DEEPEST: Final = 500
_BASES: Final = {"d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "x": "0x", "X": "0X"}
_FLOAT_VERBS: Final = "vbgGxXfFeE"


def format_float(number: float) -> str:
    """Print a float as `%v` does: shortest digits, exponent form from 1e+06 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return go_float(number)


class Directive:
    """A verb, its flags (of `+-# 0`), width and precision."""

    def __init__(
        self, verb: str, flags: set[str], width: int | None = None, precision: int | None = None
    ) -> None:
        self.syntax = verb == "v" and "#" in flags
        self.names = verb == "v" and "+" in flags
        if verb == "v":
            flags = flags - {"#", "+"}  # they ask for a form, not for prefixes and signs
        if "-" in flags:
            flags = flags - {"0"}
        self.verb, self.flags, self.width, self.precision = verb, flags, width, precision
        self.depth = 0

    def text(self, value: Any) -> str:
        """Print a value. Raises FunctionError for one that is nested too deep."""
        if isinstance(value, Boxed):
            value = value.value
        if self.verb == "T":
            return self._pad(self._cut(type_of(value)))
        if value is None:
            return self._pad("<nil>") if self.verb == "v" else f"%!{self.verb}(<nil>)"
        return self._any(value)

    def _any(self, value: Any) -> str:
        """Print a value, going into containers with the same verb."""
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, bool):
            return (
                self._pad("true" if value else "false") if self.verb in "tv" else self._bad(value)
            )
        if isinstance(value, int):
            if self.verb in "vsq" and "go_type" in vars(type(value)):
                return self._string(str(value))
            return self._integer(value)
        if isinstance(value, float):
            return self._float(value) if self.verb in _FLOAT_VERBS else self._bad(value)
        if isinstance(value, complex):
            return self._complex(value)
        if isinstance(value, bytes):
            return self._bytes(value)
        self.depth += 1
        if self.depth > DEEPEST:
            raise FunctionError("the value is nested too deep, or holds itself")
        try:
            return self._container(value)
        finally:
            self.depth -= 1

    def _item(self, value: Any) -> str:
        """Print an item of a container of interfaces, for which nil is no mistake."""
        if value is None:
            return "interface {}(nil)" if self.syntax else "<nil>"
        return self._any(value)

    def _container(self, value: Any) -> str:
        if isinstance(value, dict) and "__str__" not in type(value).__dict__:
            comma = ", " if self.syntax else " "
            pairs = comma.join(
                f"{self._any(key)}:{self._item(value[key])}" for key in sorted(value)
            )
            if not self.syntax:
                return f"map[{pairs}]"
            return f"{type_of(value)}(nil)" if is_nil(value) else f"{type_of(value)}{{{pairs}}}"
        if isinstance(value, list):
            if not self.syntax:
                return "[" + " ".join(map(self._item, value)) + "]"
            if is_nil(value):
                return f"{type_of(value)}(nil)"
            return f"{type_of(value)}{{{', '.join(map(self._item, value))}}}"
        if self.syntax:
            return f"{type_of(value)}{{{value}}}"
        fields = getattr(value, "go_fields", None)
        if self.names and fields is not None:
            return "{" + " ".join(f"{key}:{self._item(fields[key])}" for key in fields) + "}"
        return self._string(str(value)) if self.verb in "vsq" else self._bad(value)

    def _bad(self, value: Any) -> str:
        shown = Directive("v", self.flags, self.width, self.precision)
        return f"%!{self.verb}({type_of(value)}={shown.text(value)})"

    def _cut(self, text: str) -> str:
        return text if self.precision is None else text[: self.precision]

    def _pad(self, text: str, *, zero: bool = False) -> str:
        if self.width is None or len(text) >= self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if zero and "0" in self.flags else " ")

    def _sign(self, negative: bool) -> str:
        if negative:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""

    def _integer(self, number: int) -> str:
        verb = "d" if self.verb == "v" else self.verb
        if verb in "cqU":
            return self._rune(int(number))
        if verb not in _BASES:
            return self._bad(number)
        if self.syntax and is_unsigned(number):
            return f"0x{int(number):x}"
        digits = format(abs(int(number)), _BASES[verb])
        sign = self._sign(number < 0)
        if self.precision is not None:
            if not self.precision and not number:
                return " " * (self.width or 0)
            digits = digits.zfill(self.precision)
        elif "0" in self.flags and self.width is not None:
            digits = digits.zfill(self.width - len(sign))
        if "#" in self.flags:
            digits = _PREFIXES.get(verb, "") + digits
            if verb == "o" and not digits.startswith("0"):
                digits = f"0{digits}"
        if verb == "O":
            digits = f"0o{digits}"
        return self._pad(sign + digits)

    def _rune(self, code: int) -> str:
        if self.verb == "U":
            text = f"U+{code % 2**64:0{max(4, self.precision or 0)}X}"
            if "#" in self.flags and 0 <= code <= 0x10FFFF and is_print(chr(code)):
                text += f" '{chr(code)}'"
            return self._pad(text)
        if self.verb == "q":
            return self._pad(quote_rune(code, ascii_only="+" in self.flags))
        valid = 0 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000
        return self._pad(chr(code) if valid else "\ufffd")

    def _float(self, number: float) -> str:
        sign = self._sign(math.copysign(1, number) < 0 and not math.isnan(number))
        if math.isnan(number) or math.isinf(number):
            plain = "NaN" if math.isnan(number) else "Inf"
            return self._pad((sign or ("" if plain == "NaN" else "+")) + plain)
        text = self._digits(abs(number))
        if "0" in self.flags and self.width is not None:
            return sign + text.zfill(self.width - len(sign))
        return self._pad(sign + text)

    def _digits(self, number: float) -> str:
        """Print a float that is finite and has no sign."""
        verb, precision = self.verb, self.precision
        if verb == "b":
            return _binary(number)
        if verb in "xX":
            text = _hexadecimal(number, precision)
            text = text.upper() if verb == "X" else text
        elif verb in "vgG":
            text = go_float(number) if precision is None else format(number, f".{precision}g")
            text = text.upper() if verb == "G" else text
        else:
            text = format(number, f".{6 if precision is None else precision}{verb}")
        return self._with_point(text) if "#" in self.flags else text

    def _with_point(self, text: str) -> str:
        """Keep the point, and for `%g` the zeros, as `#` asks for."""
        cut = next((at for at, char in enumerate(text) if char in "pP"), len(text))
        if self.verb not in "xX":
            cut = next((at for at, char in enumerate(text) if char in "eE"), len(text))
        number, tail = text[:cut], text[cut:]
        wanted = 0
        if self.verb in "gGxv":
            wanted = 6 if self.precision is None else self.precision
        figures = number.replace(".", "").lstrip("0")
        wanted -= len(figures)
        if "." not in number:
            wanted -= number == "0"
            number += "."
        return number + "0" * wanted + tail

    def _complex(self, value: complex) -> str:
        if self.verb not in _FLOAT_VERBS:
            return self._bad(value)
        signed = Directive(self.verb, self.flags, self.width, self.precision)
        signed.flags = self.flags | {"+"}
        return f"({self._float(value.real)}{signed._float(value.imag)}i)"

    def _string(self, text: str) -> str:
        if self.syntax:
            return self._pad(quote(self._cut(text)))
        match self.verb:
            case "v" | "s":
                return self._pad(self._cut(text), zero=True)
            case "q":
                cut = self._cut(text)
                if "#" in self.flags and can_backquote(cut):
                    return self._pad(f"`{cut}`")
                return self._pad(quote(cut, ascii_only="+" in self.flags))
            case "x" | "X":
                return self._hex(to_bytes(text))
            case _:
                return self._bad(text)

    def _bytes(self, data: bytes) -> str:
        if self.syntax:
            return "[]byte{" + ", ".join(f"0x{byte:x}" for byte in data) + "}"
        match self.verb:
            case "s" | "q":
                return self._string(from_bytes(data))
            case "x" | "X":
                return self._hex(data)
            case _:
                return "[" + " ".join(map(self._integer, data)) + "]"

    def _hex(self, data: bytes) -> str:
        data = data if self.precision is None else data[: self.precision]
        prefix = "0x" if "#" in self.flags else ""
        if " " in self.flags:
            text = " ".join(f"{prefix}{byte:02x}" for byte in data)
        else:
            text = prefix + data.hex() if data else ""
        return self._pad(text.upper() if self.verb == "X" else text, zero=True)


def _parts(number: float) -> tuple[int, int]:
    """Return mantissa and exponent of a float: the number is mantissa * 2**exponent."""
    fraction, exponent = math.frexp(number)
    exponent = max(exponent - 53, -1074)
    return int(math.ldexp(number, -exponent)) if fraction else 0, exponent


def _binary(number: float) -> str:
    """Print as `%b`: the mantissa, and the exponent of two."""
    mantissa, exponent = _parts(number)
    return f"{mantissa}p{exponent:+d}"


def _hexadecimal(number: float, precision: int | None) -> str:
    """Print as `%x`: hexadecimal digits behind a point, and the exponent of two."""
    mantissa, exponent = _parts(number)
    if not mantissa:
        digits = "" if precision is None else "0" * precision
        return f"0x0{'.' if digits else ''}{digits}p+00"
    shift = 60 - (mantissa.bit_length() - 1)
    mantissa <<= shift
    exponent += 60 - shift
    if precision is not None and precision < 15:
        rest = 60 - precision * 4
        extra = mantissa & ((1 << rest) - 1)
        mantissa >>= rest
        half = 1 << (rest - 1)
        mantissa += extra > half or (extra == half and mantissa & 1)
        mantissa <<= rest
        if mantissa >> 61:
            mantissa >>= 1
            exponent += 1
    digits = f"{mantissa & ((1 << 60) - 1):015x}"
    digits = digits.rstrip("0") if precision is None else digits[:precision].ljust(precision, "0")
    lead = mantissa >> 60
    sign = "-" if exponent < 0 else "+"
    return f"0x{lead}{'.' if digits else ''}{digits}p{sign}{abs(exponent):02d}"
