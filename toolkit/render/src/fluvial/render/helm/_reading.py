"""Texts of templates that are to be read as YAML: what is refused before YAML is looked at."""

import re
from typing import Final

from fluvial.render.gotemplate._values import to_bytes

__all__ = ["utf8_problem"]

_INVALID: Final = re.compile("[\ud800-\udfff]")


def utf8_problem(text: str) -> str:
    """Return what Go's YAML reader says of the first bytes that are no UTF-8; empty without any."""
    found = None if text.isascii() else _INVALID.search(text)
    if found is None:
        return ""
    data = to_bytes(text[found.start() :])
    first = data[0]
    size = 2 if first >> 5 == 0b110 else 3 if first >> 4 == 0b1110 else 4 if first >> 3 == 30 else 0
    if not size:
        return "invalid leading UTF-8 octet"
    if len(data) < size:
        return "incomplete UTF-8 octet sequence"
    if any(byte >> 6 != 0b10 for byte in data[1:size]):
        return "invalid trailing UTF-8 octet"
    value = first & (0xFF >> (size + 1))
    for byte in data[1:size]:
        value = value << 6 | byte & 0x3F
    if value < (0, 0, 0x80, 0x800, 0x10000)[size]:
        return "invalid length of a UTF-8 sequence"
    return "invalid Unicode character"
