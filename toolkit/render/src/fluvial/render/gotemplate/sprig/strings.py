"""Text. Positions count bytes, as in Go."""

import secrets
import string
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote as go_quote
from fluvial.render.gotemplate._values import StringMap, Strings, byte_len, from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.conversion import strval
from fluvial.render.gotemplate.sprig.wording import camel, kebab, snake, wrap

__all__ = ["FUNCTIONS"]

_LONGEST: Final = 64 * 2**20


def _sliced(text: str, start: int, stop: int | None) -> str:
    if text.isascii():
        return text[start:stop]
    return from_bytes(to_bytes(text)[start:stop])


def trunc(count: int, text: str) -> str:
    """Keep the first bytes, or the last ones when the count is negative."""
    if count < 0:
        return _sliced(text, byte_len(text) + count, None) if byte_len(text) + count > 0 else text
    return _sliced(text, 0, count)


def substr(start: int, stop: int, text: str) -> str:
    """Cut out bytes; a negative start is the beginning, a negative stop the end."""
    size = byte_len(text)
    if start < 0:
        return _sliced(text, 0, _within(stop, size))
    if stop < 0 or stop > size:
        return _sliced(text, _within(start, size), None)
    if start > stop:
        raise FunctionError(f"runtime error: slice bounds out of range [{start}:{stop}]")
    return _sliced(text, start, stop)


def _within(bound: int, size: int) -> int:
    if not 0 <= bound <= size:
        raise FunctionError(f"runtime error: slice bounds out of range [:{bound}]")
    return bound


def abbrev(width: int, text: str) -> str:
    """Shorten with an ellipsis."""
    return abbrev_both(0, width, text) if width >= 4 else text


def abbrev_both(offset: int, width: int, text: str) -> str:
    """Shorten at both ends with ellipses."""
    size = len(text)
    if width < 4 or (offset > 0 and width < 7) or size <= width:
        return text
    offset = min(offset, size)
    if size - offset < width - 3:
        offset = size - (width - 3)
    if offset <= 4:
        return text[: width - 3] + "..."
    if width < 7:
        return text
    if offset + width - 3 < size:
        return "..." + abbrev(width - 3, text[offset:])
    return "..." + text[size - (width - 3) :]


def indent(spaces: int, text: str) -> str:
    """Indent every line, empty ones too."""
    if spaces < 0:
        raise FunctionError("strings: negative Repeat count")
    pad = " " * _bounded(spaces, 1)
    _bounded(len(pad), text.count("\n") + 1)
    return pad + text.replace("\n", "\n" + pad)


def nindent(spaces: int, text: str) -> str:
    """Indent, after a newline."""
    return "\n" + indent(spaces, text)


def _bounded(count: int, size: int) -> int:
    if count * max(size, 1) > _LONGEST:
        raise FunctionError(f"a text of {count * size} characters is too long")
    return count


def repeat(count: int, text: str) -> str:
    """Write a text several times."""
    if count < 0:
        raise FunctionError("strings: negative Repeat count")
    return text * _bounded(count, len(text))


def quote(*values: Any) -> str:
    """Quote each value's text as Go does; nil ones are left out."""
    return " ".join(go_quote(strval(value)) for value in values if value is not None)


def squote(*values: Any) -> str:
    """Put each value's text in single quotes, as it is."""
    return " ".join(f"'{strval(value)}'" for value in values if value is not None)


def cat(*values: Any) -> str:
    """Join with blanks; nil ones are left out."""
    return " ".join(strval(value) for value in values if value is not None)


def title(text: str) -> str:
    """Capitalise the first letter of each word, and leave the rest."""
    out = []
    inside = False
    for char in text:
        out.append(char if inside else _title_case(char))
        inside = char.isalnum() or char == "_"
    return "".join(out)


def _title_case(char: str) -> str:
    upper = char.title()
    return upper if len(upper) == 1 else char


def untitle(text: str) -> str:
    """Make the first letter of each word small."""
    out = []
    start = True
    for char in text:
        out.append(char.lower() if start else char)
        start = char.isspace()
    return "".join(out)


def swapcase(text: str) -> str:
    """Swap cases; the first letter of a word becomes a capital."""
    out = []
    start = True
    for char in text:
        if char.isupper() or unicodedata.category(char) == "Lt":
            out.append(char.lower())
        elif char.islower():
            out.append(char.title() if start else char.upper())
        else:
            out.append(char)
        start = char.isspace()
    return "".join(out)


def initials(text: str) -> str:
    """Return the first letter of each word."""
    return "".join(word[0] for word in text.split())


def nospace(text: str) -> str:
    """Remove white space."""
    return "".join(text.split())


def shuffle(text: str) -> str:
    """Put the letters in a random order."""
    letters = list(text)
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def plural(one: str, many: str, count: int) -> str:
    """Choose by number."""
    return one if count == 1 else many


def split(separator: str, text: str) -> StringMap:
    """Split to a map of `_0`, `_1` and so on."""
    return StringMap((f"_{place}", part) for place, part in enumerate(split_list(separator, text)))


def splitn(separator: str, count: int, text: str) -> StringMap:
    """Split to a map of at most `count` parts."""
    if count == 0:
        return StringMap()
    parts = list(text) if not separator else text.split(separator, count - 1 if count > 0 else -1)
    return StringMap((f"_{place}", part) for place, part in enumerate(parts))


def split_list(separator: str, text: str) -> Strings:
    """Split to a list."""
    return Strings(text.split(separator) if separator else list(text))


def trim_all(cutset: str, text: str) -> str:
    """Remove any of some characters at both ends."""
    return text.strip(cutset) if cutset else text


def trim_prefix(prefix: str, text: str) -> str:
    """Remove a prefix."""
    return text.removeprefix(prefix)


def trim_suffix(suffix: str, text: str) -> str:
    """Remove a suffix."""
    return text.removesuffix(suffix)


def replace(old: str, new: str, text: str) -> str:
    """Replace every occurrence."""
    return text.replace(old, new)


def contains(part: str, text: str) -> bool:
    """Say whether a text is part of another."""
    return part in text


def has_prefix(prefix: str, text: str) -> bool:
    """Say whether a text starts so."""
    return text.startswith(prefix)


def has_suffix(suffix: str, text: str) -> bool:
    """Say whether a text ends so."""
    return text.endswith(suffix)


def trim(text: str) -> str:
    """Remove white space at both ends."""
    return text.strip(" \t\n\v\f\r\x85\xa0")


def upper(text: str) -> str:
    """Make all capitals."""
    return text.upper()


def lower(text: str) -> str:
    """Make all small."""
    return text.lower()


def _random(alphabet: str) -> Callable[[int], str]:
    def random_text(count: int) -> str:
        return "".join(secrets.choice(alphabet) for _ in range(_bounded(count, 64)))

    return random_text


def wrap_lines(width: int, text: str) -> str:
    """Break lines at a width."""
    return wrap(text, width, "\n", long_words=False)


def wrap_with(width: int, newline: str, text: str) -> str:
    """Break lines, and long words, with a separator of choice."""
    return wrap(text, width, newline, long_words=True)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abbrev": abbrev,
    "abbrevboth": abbrev_both,
    "camelcase": camel,
    "cat": cat,
    "contains": contains,
    "hasPrefix": has_prefix,
    "hasSuffix": has_suffix,
    "indent": indent,
    "initials": initials,
    "kebabcase": kebab,
    "lower": lower,
    "nindent": nindent,
    "nospace": nospace,
    "plural": plural,
    "quote": quote,
    "randAlpha": _random(string.ascii_letters),
    "randAlphaNum": _random(string.ascii_letters + string.digits),
    "randAscii": _random("".join(map(chr, range(32, 127)))),
    "randNumeric": _random(string.digits),
    "repeat": repeat,
    "replace": replace,
    "shuffle": shuffle,
    "snakecase": snake,
    "split": split,
    "splitList": split_list,
    "splitn": splitn,
    "squote": squote,
    "substr": substr,
    "swapcase": swapcase,
    "title": title,
    "trim": trim,
    "trimAll": trim_all,
    "trimall": trim_all,
    "trimPrefix": trim_prefix,
    "trimSuffix": trim_suffix,
    "trunc": trunc,
    "untitle": untitle,
    "upper": upper,
    "wrap": wrap_lines,
    "wrapWith": wrap_with,
}
