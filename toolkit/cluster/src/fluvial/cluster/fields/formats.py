"""The string formats that a CRD schema can ask for; unknown formats mean nothing."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime

__all__ = ["FORMATS", "is_of_format"]

_HOSTNAME = re.compile(
    r"^([a-zA-Z0-9]([a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?)*\.?$"
)
_EMAIL = re.compile(r"^[^\s@<>]+@[^\s@<>]+$")
_UUID = re.compile(r"^(?i:[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})$")
_MAC = re.compile(r"^([0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(\2[0-9A-Fa-f]{2}){4,18})$")
_DATE_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$")
_GO_DURATION = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
                          r"((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$|^[+-]?0$")  # fmt: skip
_WORD_DURATION = re.compile(
    r"^\s*\d+\s*(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?"
    r"|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*$"
)
_URI = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.\-]*:|^/")
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")
_ISBN = re.compile(r"^(97[89])?\d{9}[\dX]$")
_CREDIT_CARD = re.compile(r"^\d{12,19}$")
_SSN = re.compile(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$")
_HEX_COLOUR = re.compile(r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")
_RGB = re.compile(r"^rgb\(\s*(\d{1,3}%?)\s*,\s*(\d{1,3}%?)\s*,\s*(\d{1,3}%?)\s*\)$")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _date_time(text: str) -> bool:
    if not _DATE_TIME.match(text):
        return False
    head = text[:19].upper()
    return _parses(datetime.fromisoformat)(head)


def _date(text: str) -> bool:
    return bool(re.match(r"^\d{4}-\d{2}-\d{2}$", text)) and _parses(date.fromisoformat)(text)


def _byte(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _cidr(text: str) -> bool:
    return "/" in text and _parses(ipaddress.ip_interface)(text)


def _uri(text: str) -> bool:
    return bool(_URI.match(text)) and not _CONTROL_OR_SPACE.search(text)


def _versioned_uuid(version: str) -> Callable[[str], bool]:
    return lambda text: bool(_UUID.match(text)) and text.replace("-", "")[12] == version


def _isbn(text: str, size: int) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    return bool(_ISBN.match(digits)) and len(digits) == size


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(pattern.match(text))


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _date_time,
    "datetime": _date_time,
    "date": _date,
    "duration": lambda text: bool(_GO_DURATION.match(text) or _WORD_DURATION.match(text)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _cidr,
    "uri": _uri,
    "email": _matches(_EMAIL),
    "hostname": lambda text: len(text) <= 255 and bool(_HOSTNAME.match(text)),
    "uuid": _matches(_UUID),
    "uuid3": _versioned_uuid("3"),
    "uuid4": _versioned_uuid("4"),
    "uuid5": _versioned_uuid("5"),
    "mac": _matches(_MAC),
    "byte": _byte,
    "isbn": lambda text: _isbn(text, 10) or _isbn(text, 13),
    "isbn10": lambda text: _isbn(text, 10),
    "isbn13": lambda text: _isbn(text, 13),
    "creditcard": _matches(_CREDIT_CARD),
    "ssn": _matches(_SSN),
    "hexcolor": _matches(_HEX_COLOUR),
    "rgbcolor": _matches(_RGB),
    "password": lambda _: True,
    "bsonobjectid": lambda text: bool(re.match(r"^[0-9a-fA-F]{24}$", text)),
    "k8s-short-name": _matches(_LABEL),
    "k8s-long-name": lambda text: len(text) <= 253 and all(map(_LABEL.match, text.split("."))),
}
"""Format name to its check."""


def is_of_format(text: str, name: str) -> bool:
    """Tell whether a string is of a format; every string is of an unknown one."""
    check = FORMATS.get(name)
    return check is None or check(text)
