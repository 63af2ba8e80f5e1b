"""What a plain scalar means in each dialect, and which strings must not be written plain."""

import enum
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

__all__ = ["Dialect", "Scalar", "go_float", "is_integer", "needs_quotes", "resolve"]

Scalar = str | int | float | bool | None


class Dialect(enum.Enum):
    """Which of the two Go readers is followed; see the package's docstring.

    TEXT reads structure only: every scalar is the string that stands there.
    """

    SIGS = "sigs"
    KYAML = "kyaml"
    TEXT = "text"


_NULL = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CORE: dict[str, Scalar] = {
    **_NULL,
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_WORDS: dict[Dialect, dict[str, Scalar]] = {
    Dialect.TEXT: {},
    Dialect.KYAML: _CORE,
    Dialect.SIGS: {
        **_CORE,
        **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
        **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    },
}
_SIGNED_BINARY = re.compile(r"^0b[-+][01]+\Z", re.ASCII)
_INTEGER = re.compile(
    r"^[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)\Z", re.ASCII
)
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_DATE = re.compile(
    r"^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$)| +(?=[\d:.]+$))"
    r"(\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?\Z",
    re.ASCII,
)
_SEXAGESIMAL = re.compile(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z", re.ASCII)
_LARGEST, _SMALLEST = 2**64, -(2**63)


def _integer(text: str) -> int | None:
    """Read an integer as Go's ParseInt with base 0 does; None when it is none that fits."""
    if _SIGNED_BINARY.match(text):
        return int(f"{text[2]}{text[3:]}", base=2)
    if not _INTEGER.match(text):
        return None
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        value = int(digits, 8)
    else:
        value = int(digits, 0)
    if text[0] == "-":
        value = -value
    return value if _SMALLEST <= value < _LARGEST else None


def is_integer(text: str) -> bool:
    """Say whether a plain scalar is an integer, and not a float without a fraction."""
    return _integer(text.replace("_", "")) is not None


def _timestamp(text: str) -> str | None:
    """Read a date as Go's v3 reader does, and print it as its JSON; None when it is none."""
    match = _DATE.match(text)
    if not match:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    hour, minute, second = (int(match[n] or 0) for n in (4, 5, 6))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    fraction = (match[7] or "").rstrip("0").rstrip(".")
    zone = match[8] or "Z"
    if zone != "Z":
        hours, _, minutes = zone[1:].partition(":")
        zone = f"{zone[0]}{int(hours):02}:{int(minutes or 0):02}"
        zone = "Z" if zone[1:] == "00:00" else zone
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


@lru_cache(maxsize=65536)
def resolve(text: str, dialect: Dialect = Dialect.SIGS) -> Scalar:
    """Return what the plain scalar `text` means.

    Whole floats come back as integers, as Go's JSON prints them: `1e3` is 1000, `1.0` is 1.
    """
    if dialect is Dialect.TEXT:
        return text
    words = _WORDS[dialect]
    if text in words:
        return words[text]
    first = text[0]
    if not (first in "0123456789" or first in "+-."):
        return text
    if first == ".":
        number = _float(text) if _FLOAT.match(text) else None
        return text if number is None else number
    if dialect is Dialect.KYAML and first in "0123456789":
        date = _timestamp(text)
        if date is not None:
            return date
    plain = text.replace("_", "")
    whole = _integer(plain)
    if whole is not None:
        return whole
    if _FLOAT.match(plain):
        number = _float(plain)
        return text if number is None else number
    return text


def _float(text: str) -> int | float | None:
    """Read a float as Go's JSON then prints it: whole numbers as integers, by shortest digits.

    None for what overflows, which Go takes for a string.
    """
    number = float(text)
    if math.isinf(number):
        return None
    if not number.is_integer():
        return number
    whole = int(Decimal(repr(number)))
    return whole if _SMALLEST <= whole < _LARGEST else number


@lru_cache(maxsize=65536)
def needs_quotes(text: str) -> bool:
    """Say whether a reader of YAML 1.1 would take the plain scalar `text` for something else."""
    if not isinstance(resolve(text), str):
        return True
    return bool(_SEXAGESIMAL.match(text)) or (text[0].isdigit() and _timestamp(text) is not None)


def go_float(number: float) -> str:
    """Print a float as Go's `strconv.FormatFloat(f, 'g', -1, 64)`."""
    if math.isinf(number):
        return "-.inf" if number < 0 else ".inf"
    if math.isnan(number):
        return ".nan"
    digits, _, exponent = f"{number!r}e".partition("e")
    exponent = exponent.rstrip("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, part = digits.lstrip("-").partition(".")
    part = "" if part == "0" else part
    point = len(whole) + int(exponent or 0)
    significant = whole + part
    stripped = significant.lstrip("0")
    point -= len(significant) - len(stripped)
    stripped = stripped.rstrip("0") or "0"
    power = point - 1
    if stripped == "0":
        return f"{sign}0"
    if power < -4 or power >= 6:
        mantissa = stripped[0] + (f".{stripped[1:]}" if len(stripped) > 1 else "")
        return f"{sign}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{stripped}"
    if len(stripped) <= point:
        return sign + stripped + "0" * (point - len(stripped))
    return f"{sign}{stripped[:point]}.{stripped[point:]}"
