"""Text. Positions count bytes, as in Go."""

import string
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._quote import quote as go_quote
from fluvial.render.gotemplate._values import StringMap, Strings, byte_len, from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.chance import chance
from fluvial.render.gotemplate.sprig.conversion import strval
from fluvial.render.gotemplate.sprig.letters import (
    SPACES,
    is_space,
    lower,
    lower_letter,
    title_letter,
    upper,
    upper_letter,
)
from fluvial.render.gotemplate.sprig.wording import camel, kebab, snake, wrap

__all__ = ["FUNCTIONS"]

_LONGEST: Final = 64 * 2**20
_OUT_OF_RANGE: Final = "runtime error: slice bounds out of range"


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
        if stop < 0:
            raise FunctionError(f"{_OUT_OF_RANGE} [:{stop}]")
        if stop > size:
            raise FunctionError(f"{_OUT_OF_RANGE} [:{stop}] with length {size}")
        return _sliced(text, 0, stop)
    if stop < 0 or stop > size:
        if start > size:
            raise FunctionError(f"{_OUT_OF_RANGE} [{start}:{size}]")
        return _sliced(text, start, None)
    if start > stop:
        raise FunctionError(f"{_OUT_OF_RANGE} [{start}:{stop}]")
    return _sliced(text, start, stop)


def abbrev(width: int, text: str) -> str:
    """Shorten with an ellipsis."""
    return abbrev_both(0, width, text)


def abbrev_both(offset: int, width: int, text: str) -> str:
    """Shorten at both ends with ellipses; widths count bytes."""
    size = byte_len(text)
    if width < 4 or (offset > 0 and width < 7) or size <= width:
        return text
    offset = min(offset, size)
    if size - offset < width - 3:
        offset = size - (width - 3)
    if offset <= 4:
        return _sliced(text, 0, width - 3) + "..."
    if width < 7:
        return ""
    if offset + width - 3 < size:
        inner = width - 3
        tail = _sliced(text, offset, None)
        return "..." + (tail if byte_len(tail) <= inner else _sliced(tail, 0, inner - 3) + "...")
    return "..." + _sliced(text, size - (width - 3), None)


def indent(spaces: int, text: str) -> str:
    """Indent every line, empty ones too."""
    if spaces < 0:
        raise FunctionError("strings: negative Repeat count")
    pad = " " * _bounded(spaces, text.count("\n") + 1)
    return pad + text.replace("\n", "\n" + pad)


def nindent(spaces: int, text: str) -> str:
    """Indent, after a newline."""
    return "\n" + indent(spaces, text)


def _bounded(count: int, size: int) -> int:
    if count * max(size, 1) > _LONGEST:
        raise FunctionError(f"a text of {count * max(size, 1)} characters is too long")
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
    return " ".join(f"'{text_of(value)}'" for value in values if value is not None)


def cat(*values: Any) -> str:
    """Join with blanks; nil ones are left out."""
    shown = [text_of(value) for value in values if value is not None]
    return " ".join(shown)


def _separates(char: str) -> bool:
    """Say whether a word ends before a character, as strings.Title has it."""
    if char.isascii():
        return not (char.isalnum() or char == "_")
    category = unicodedata.category(char)
    return category[0] != "L" and category != "Nd" and is_space(char)


def title(text: str) -> str:
    """Capitalise the first letter of each word, and leave the rest."""
    out = []
    start = True
    for char in text:
        out.append(title_letter(char) if start else char)
        start = _separates(char)
    return "".join(out)


def untitle(text: str) -> str:
    """Make the first letter of each word small."""
    out = []
    start = True
    for char in text:
        space = is_space(char)
        out.append(lower_letter(char) if start and not space else char)
        start = space
    return "".join(out)


def swapcase(text: str) -> str:
    """Swap cases; a small letter at the start or after white space gets its title form."""
    out = []
    start = True
    for char in text:
        category = unicodedata.category(char)
        if category in {"Lu", "Lt"}:
            out.append(lower_letter(char))
            start = False
        elif category == "Ll":
            out.append(title_letter(char) if start else upper_letter(char))
            start = False
        else:
            out.append(char)
            start = is_space(char)
    return "".join(out)


def _latin(text: str) -> str:
    """Take each byte for a letter, as the library does that Sprig uses."""
    return text if text.isascii() else to_bytes(text).decode("latin-1")


def initials(text: str) -> str:
    """Return the first byte of each word, as a letter."""
    words = _latin(text)
    before = " " + words
    return "".join(
        char for last, char in zip(before, words, strict=False)
        if not is_space(char) and is_space(last)
    )  # fmt: skip


def nospace(text: str) -> str:
    """Remove white space; with any there, bytes beyond ASCII become letters of their own."""
    letters = _latin(text)
    kept = "".join(char for char in letters if not is_space(char))
    return text if len(kept) == len(letters) else kept


def shuffle(text: str) -> str:
    """Put the letters in a random order."""
    letters = list(text)
    chance().shuffle(letters)
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
    if separator:
        parts = text.split(separator, count - 1 if count > 0 else -1)
    else:
        head = list(text) if count < 0 else list(text[: count - 1])
        parts = [*head, *filter(None, [text[len(head) :]])]
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
    found = text.count(old)
    _bounded(found, len(new))
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
    return text.strip(SPACES)


def _random(alphabet: str) -> Callable[..., str]:
    def random_text(count: int) -> str:
        return chance().text(_bounded(max(count, 0), 1), alphabet)

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
