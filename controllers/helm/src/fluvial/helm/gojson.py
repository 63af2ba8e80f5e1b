"""JSON as Go's `encoding/json` writes it: digests are taken over exactly these bytes."""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

__all__ = ["encode", "sorted_keys"]

_ESCAPED = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}


def encode(value: Any) -> bytes:
    """Encode with HTML characters escaped and a newline at the end; keys in the dicts' own order.

    Floats are written as in ECMAScript, so `3.0` is `3`. Raises ValueError for infinities.
    """
    return b"".join(_parts(value)) + b"\n"


def sorted_keys(value: Any) -> Any:
    """Return a copy with the keys of every map sorted bytewise, as Go prints its maps."""
    if isinstance(value, dict):
        return {
            key: sorted_keys(value[key]) for key in sorted(value, key=lambda k: str(k).encode())
        }
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


def _parts(value: Any) -> Iterable[bytes]:
    if isinstance(value, dict):
        yield b"{"
        for index, (key, item) in enumerate(value.items()):
            if index:
                yield b","
            yield _string(key)
            yield b":"
            yield from _parts(item)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for index, item in enumerate(value):
            if index:
                yield b","
            yield from _parts(item)
        yield b"]"
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, float):
        yield _float(value)
    else:
        yield msgspec.json.encode(value)


def _string(text: str) -> bytes:
    encoded = msgspec.json.encode(text)
    for plain, escaped in _ESCAPED.items():
        encoded = encoded.replace(plain, escaped)
    return encoded


def _float(value: float) -> bytes:
    if not math.isfinite(value):
        raise ValueError(f"JSON has no {value}")
    if value and not 1e-6 <= abs(value) < 1e21:
        mantissa, _, exponent = _shortest(value).partition("e")
        sign = "-" if exponent.startswith("-") else "+"
        return f"{mantissa}e{sign}{exponent.lstrip('+-0')}".encode()
    if value.is_integer():
        return f"{value:.0f}".encode()
    # A Decimal of the shortest digits never prints an exponent in this form.
    return f"{Decimal(repr(value)):f}".encode()


def _shortest(value: float) -> str:
    """Return the fewest digits that read back as `value`, with an exponent."""
    return next(text for digits in range(18) if float(text := f"{value:.{digits}e}") == value)
