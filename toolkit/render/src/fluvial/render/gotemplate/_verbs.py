"""One verb of printf with its flags, on one value, as Go's fmt prints it.

The layout is that of Go's package: an argument is printed by its kind, a container item by item
with the same verb, and what a verb cannot print becomes `%!verb(type=value)`, the value with `%v`
and the flags that were given.
"""

from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._floats import Style, styled
from fluvial.render.gotemplate._quote import can_backquote, is_print, quote, quote_rune
from fluvial.render.gotemplate._values import (
    Boxed,
    Uint8,
    from_bytes,
    is_nil,
    is_unsigned,
    to_bytes,
    type_of,
)

__all__ = ["DEEPEST", "Directive"]

DEEPEST: Final = 500
_BASES: Final = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "x": "0x", "X": "0X"}
_FLOAT_VERBS: Final = "vbgGxXfFeE"
_TEXT_VERBS: Final = "vsxXq"


class Directive:
    """A verb, its flags (of `+-# 0`), width and precision."""

    def __init__(
        self, verb: str, flags: set[str], width: int | None = None, precision: int | None = None
    ) -> None:
        self.verb = verb
        self.syntax = verb in "vw" and "#" in flags
        self.names = verb in "vw" and "+" in flags
        if verb in "vw":
            flags = flags - {"#", "+"}  # they ask for a form, not for prefixes and signs
        self.flags, self.width, self.precision = flags, width, precision
        self._zero = "0" in flags and "-" not in flags
        self._reporting = False

    def text(self, value: Any) -> str:
        """Print a value. Raises FunctionError for one that is nested too deep."""
        if isinstance(value, Boxed):
            value = value.value
        if value is None:
            return self._pad("<nil>") if self.verb in "Tv" else f"%!{self.verb}(<nil>)"
        if self.verb == "T":
            return self._pad(self._cut(type_of(value)))
        return self._value(value, self.verb, 0)

    def _value(self, value: Any, verb: str, depth: int) -> str:
        """Print a value or an item of one; nil is no mistake in a container."""
        if isinstance(value, str):
            return self._string(value, verb)
        if isinstance(value, bool):
            return (
                self._pad("true" if value else "false") if verb in "tv" else self._bad(value, verb)
            )
        if isinstance(value, int) and "go_type" not in vars(type(value)):
            return self._integer(value, verb)
        if isinstance(value, float):
            return self._float(value, verb) if verb in _FLOAT_VERBS else self._bad(value, verb)
        if isinstance(value, complex):
            return self._complex(value, verb)
        if value is None:
            return "interface {}(nil)" if self.syntax else "<nil>"
        if depth > DEEPEST:
            raise FunctionError("the value is nested too deep, or holds itself")
        if verb == "w" and not self._reporting:
            return self._bad(value, verb)
        if isinstance(value, bytes):
            return self._bytes(value, verb, depth)
        if isinstance(value, dict) and "__str__" not in type(value).__dict__:
            return self._map(value, verb, depth)
        if isinstance(value, list):
            return self._list(value, verb, depth)
        if isinstance(value, Boxed):
            return self._value(value.value, verb, depth)
        return self._object(value, verb, depth)

    def _map(self, value: dict[str, Any], verb: str, depth: int) -> str:
        if self.syntax and is_nil(value):
            return f"{type_of(value)}(nil)"
        pairs = [
            f"{self._value(key, verb, depth + 1)}:{self._value(value[key], verb, depth + 1)}"
            for key in sorted(value)
        ]
        if self.syntax:
            return f"{type_of(value)}{{{', '.join(pairs)}}}"
        return f"map[{' '.join(pairs)}]"

    def _list(self, value: list[Any], verb: str, depth: int) -> str:
        if self.syntax and is_nil(value):
            return f"{type_of(value)}(nil)"
        items = [self._value(item, verb, depth + 1) for item in value]
        if self.syntax:
            return f"{type_of(value)}{{{', '.join(items)}}}"
        return f"[{' '.join(items)}]"

    def _object(self, value: Any, verb: str, depth: int) -> str:
        """Print a struct, or a value that has a text of its own where a text will do."""
        fields = getattr(value, "go_fields", None)
        if fields is None and not self._reporting:
            if self.syntax:
                written = getattr(value, "go_syntax", None)
                if written is not None:
                    return self._pad(self._cut(written()))
            elif verb in _TEXT_VERBS:
                return self._string(str(value), verb)
        if isinstance(value, int):
            return self._integer(value, verb)
        if fields is None:
            fields = getattr(value, "go_state", None)
        if fields is None:
            return self._string(str(value), verb) if verb in _TEXT_VERBS else self._bad(value, verb)
        pointer = "&" if type_of(value).startswith("*") else ""
        named = self.names or self.syntax
        items = [
            f"{key}:{self._value(item, verb, depth + 1)}"
            if named
            else self._value(item, verb, depth + 1)
            for key, item in fields.items()
        ]
        if self.syntax:
            return f"{pointer}{type_of(value).removeprefix('*')}{{{', '.join(items)}}}"
        return f"{pointer}{{{' '.join(items)}}}"

    def _bad(self, value: Any, verb: str) -> str:
        self._reporting = True
        shown = self._value(value, "v", 0)
        self._reporting = False
        return f"%!{verb}({type_of(value)}={shown})"

    def _cut(self, text: str) -> str:
        return text if self.precision is None else text[: self.precision]

    def _pad(self, text: str, *, zero: bool = True) -> str:
        """Fill up to the width; with zeros if the flag says so, where `zero` allows it."""
        if self.width is None or len(text) >= self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if zero and self._zero else " ")

    def _sign(self, negative: bool) -> str:
        if negative:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""

    def _integer(self, number: int, verb: str) -> str:
        if verb in "cqU":
            return self._rune(int(number), verb)
        if verb not in _BASES:
            return self._bad(number, verb)
        if self.syntax and is_unsigned(number):
            return f"0x{int(number):x}"
        digits = format(abs(int(number)), _BASES[verb])
        sign = self._sign(number < 0)
        if self.precision is not None:
            if not self.precision and not number:
                return " " * (self.width or 0)
            digits = digits.zfill(self.precision)
        elif self._zero and self.width is not None:
            digits = digits.zfill(self.width - len(sign))
        if "#" in self.flags:
            digits = _PREFIXES.get(verb, "") + digits
            if verb in "oO" and not digits.startswith("0"):
                digits = f"0{digits}"
        if verb == "O":
            digits = f"0o{digits}"
        return self._pad(sign + digits, zero=False)

    def _rune(self, code: int, verb: str) -> str:
        if verb == "U":
            text = f"U+{code % 2**64:0{max(4, self.precision or 0)}X}"
            if "#" in self.flags and 0 <= code <= 0x10FFFF and is_print(chr(code)):
                text += f" '{chr(code)}'"
            return self._pad(text, zero=False)
        if verb == "q":
            return self._pad(quote_rune(code, ascii_only="+" in self.flags))
        valid = 0 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000
        return self._pad(chr(code) if valid else "\ufffd")

    def _float(self, number: float, verb: str, *, signed: bool = False) -> str:
        style = Style(
            verb="g" if verb == "v" else verb,
            precision=self.precision,
            sharp="#" in self.flags,
            plus=signed or "+" in self.flags,
            space=" " in self.flags,
        )
        sign, digits = styled(number, style)
        if digits in {"Inf", "NaN"}:
            return self._pad(sign + digits, zero=False)
        if self._zero and self.width is not None:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self._pad(sign + digits)

    def _complex(self, value: complex, verb: str) -> str:
        if verb not in _FLOAT_VERBS:
            return self._bad(value, verb)
        return f"({self._float(value.real, verb)}{self._float(value.imag, verb, signed=True)}i)"

    def _string(self, text: str, verb: str) -> str:
        if self.syntax and verb == "v":
            return self._pad(quote(self._cut(text)))
        match verb:
            case "v" | "s":
                return self._pad(self._cut(text))
            case "q":
                cut = self._cut(text)
                if "#" in self.flags and can_backquote(cut):
                    return self._pad(f"`{cut}`")
                return self._pad(quote(cut, ascii_only="+" in self.flags))
            case "x" | "X":
                return self._hex(to_bytes(text), verb)
            case _:
                return self._bad(text, verb)

    def _bytes(self, data: bytes, verb: str, depth: int) -> str:
        if self.syntax:
            name = "[]byte" if not depth else "[]uint8"
            return f"{name}{{{', '.join(f'0x{byte:x}' for byte in data)}}}"
        match verb:
            case "s" | "q":
                return self._string(from_bytes(data), verb)
            case "x" | "X":
                return self._hex(data, verb)
            case _:
                return "[" + " ".join(self._integer(Uint8(byte), verb) for byte in data) + "]"

    def _hex(self, data: bytes, verb: str) -> str:
        data = data if self.precision is None else data[: self.precision]
        prefix = "0x" if "#" in self.flags else ""
        if " " in self.flags:
            text = " ".join(f"{prefix}{byte:02x}" for byte in data)
        else:
            text = prefix + data.hex() if data else ""
        return self._pad(text.upper() if verb == "X" else text)
