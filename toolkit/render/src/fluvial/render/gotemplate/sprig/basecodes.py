"""Base64 and base32: Go's decoders tell where the first wrong byte is."""

import base64
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import from_bytes, to_bytes

__all__ = ["FUNCTIONS", "decode64"]

_ALPHABET64: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_ALPHABET32: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_BREAKS: Final = frozenset(b"\r\n")
_PADDING: Final = ord("=")


def b64enc(text: str) -> str:
    """Encode as base64."""
    return base64.b64encode(to_bytes(text)).decode()


def decode64(text: str) -> bytes:
    """Decode base64; line breaks are skipped. Raises FunctionError that names the wrong byte."""
    data = to_bytes(text)
    bad = _bad_place64(data)
    if bad is not None:
        raise FunctionError(f"illegal base64 data at input byte {bad}")
    return base64.b64decode(data.translate(None, b"\r\n"))


def _bad_place64(data: bytes) -> int | None:
    """Walk through groups of four; after padding nothing may follow but line breaks."""
    held = 0
    place = 0
    while place < len(data):
        byte = data[place]
        place += 1
        if byte in _BREAKS:
            continue
        if byte in _ALPHABET64:
            held = (held + 1) % 4
            continue
        if byte != _PADDING or held < 2:
            return place - 1
        if held == 2:
            place = _skip(data, place)
            if place == len(data):
                return len(data)
            if data[place] != _PADDING:
                return place - 1
            place += 1
        place = _skip(data, place)
        return None if place == len(data) else place
    return len(data) - held if held else None


def _skip(data: bytes, place: int) -> int:
    while place < len(data) and data[place] in _BREAKS:
        place += 1
    return place


def b64dec(text: str) -> str:
    """Decode base64; bad input gives the text of the error."""
    try:
        return from_bytes(decode64(text))
    except FunctionError as error:
        return str(error)


def b32enc(text: str) -> str:
    """Encode as base32."""
    return base64.b32encode(to_bytes(text)).decode()


def b32dec(text: str) -> str:
    """Decode base32; bad input gives the text of the error."""
    data = to_bytes(text).translate(None, b"\r\n")
    place = 0
    groups = bytearray()
    while place < len(data):
        group = data[place : place + 8]
        letters = next((n for n, byte in enumerate(group) if byte not in _ALPHABET32), len(group))
        if letters < len(group):
            if group[letters] != _PADDING:
                return _illegal32(place + letters)
            if letters < 2:
                return _illegal32(place + letters)
            for at in range(letters, 8):
                if place + at >= len(data) or data[place + at] != _PADDING:
                    return _illegal32(min(place + at, len(data)))
            if letters in {3, 6}:
                return _illegal32(place + letters)
            groups += base64.b32decode(group)
            break
        if letters < 8:
            return _illegal32(place)
        groups += base64.b32decode(group)
        place += 8
    return from_bytes(bytes(groups))


def _illegal32(place: int) -> str:
    return f"illegal base32 data at input byte {place}"


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "b32dec": b32dec,
    "b32enc": b32enc,
    "b64dec": b64dec,
    "b64enc": b64enc,
}
