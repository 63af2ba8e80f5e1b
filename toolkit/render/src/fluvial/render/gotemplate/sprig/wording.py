"""Cases of identifiers and line breaks, as the libraries that Sprig uses make them."""

import unicodedata
from typing import NamedTuple

from fluvial.render.gotemplate._values import from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.letters import is_space, lower_letter, upper_letter

__all__ = ["camel", "kebab", "snake", "wrap"]

_CONNECTOR, _PUNCT, _UPPER, _LETTER, _NUMBER, _OTHER = range(6)

_IDEOGRAPHS = (("\u3400", "\u4d85"), ("\u4e00", "\u9fcc"), ("\U00020000", "\U0002b81d"))
"""Letters that the library takes for none of an alphabet; it knows no newer ones."""


class _Word(NamedTuple):
    """A run of characters of one kind."""

    kind: int
    text: str


def _connects(char: str) -> bool:
    return char in "-_" or is_space(char)


def _is_capital(char: str) -> bool:
    """Say what Go's unicode.IsUpper does: a Roman numeral is none."""
    return unicodedata.category(char) == "Lu"


def _kind(char: str) -> int:
    if _connects(char):
        return _CONNECTOR
    if _is_capital(char):
        return _UPPER
    category = unicodedata.category(char)
    if category[0] == "P":
        return _PUNCT
    if category[0] == "L":
        return _OTHER if any(first <= char <= last for first, last in _IDEOGRAPHS) else _LETTER
    return _NUMBER if category[0] == "N" else _OTHER


def _next_word(text: str, start: int) -> _Word:
    """Take the word at a place: capitals that small letters follow give the last one to these."""
    kind = _kind(text[start])
    stop = start + 1
    if kind == _UPPER and stop < len(text):
        if _kind(text[stop]) == _LETTER:
            while stop < len(text) and _kind(text[stop]) == _LETTER:
                stop += 1
        else:
            while stop < len(text) and _kind(text[stop]) == _UPPER:
                stop += 1
            if stop - start > 1 and stop < len(text) and _kind(text[stop]) == _LETTER:
                stop -= 1
        return _Word(kind, text[start:stop])
    while stop < len(text):
        following = _kind(text[stop])
        if following != kind:
            break
        stop += 1
    return _Word(kind, text[start:stop])


def _words(text: str) -> list[_Word]:
    words = []
    place = 0
    while place < len(text):
        word = _next_word(text, place)
        words.append(word)
        place += len(word.text)
    return words


def snake(text: str) -> str:
    """Write `HTTPServer` as `http_server`."""
    return _joined(_words(text), "_")


def kebab(text: str) -> str:
    """Write `HTTPServer` as `http-server`."""
    return _joined(_words(text), "-")


def _shown(word: _Word, connector: str) -> str:
    if word.kind == _CONNECTOR:
        return connector * len(word.text)
    if word.kind == _UPPER:
        return "".join(map(lower_letter, word.text))
    return word.text


def _joined(words: list[_Word], connector: str) -> str:
    """Join words; numbers stick to the word before, and with small letters behind stand alone."""
    out: list[str] = []
    place = 0

    def kind(at: int) -> int | None:
        return words[at].kind if at < len(words) else None

    def run(at: int) -> int:
        while kind(at) in {_LETTER, _NUMBER}:
            out.append(_shown(words[at], connector))
            at += 1
        return at

    def separate(at: int) -> None:
        if kind(at) not in {None, _CONNECTOR, _PUNCT}:
            out.append(connector)

    while place < len(words):
        before = kind(place)
        out.append(_shown(words[place], connector))
        place += 1
        if place == len(words) or before in {_CONNECTOR, _PUNCT}:
            continue
        if before == _NUMBER:
            place = run(place)
            separate(place)
        elif kind(place) != _NUMBER:
            separate(place)
        elif place + 1 < len(words):
            number = _shown(words[place], connector)
            place += 1
            if kind(place) == _LETTER:
                out += [connector, number]
                place = run(place)
            else:
                out.append(number)
            separate(place)
    return "".join(out)


def camel(text: str) -> str:
    """Write `foo-bar` as `FooBar`; connectors at both ends stay, and all but one between words.

    The capitals after one that starts a word become small: `HTTPServer` is `Httpserver`.
    """
    start = next((n for n, char in enumerate(text) if not _connects(char)), None)
    if start is None:
        # the library writes the last of connectors alone twice
        return text + text[-1:]
    out = [text[:start]]
    before = upper_letter(text[start])
    capital = _is_capital(text[start])
    for char in text[start + 1 :]:
        following = char
        if _connects(before):
            if _connects(char):
                out.append(before)
                before = char
                continue
            following = upper_letter(char)
            capital = _is_capital(char)
        else:
            out.append(before)
            if capital:
                following = lower_letter(char)
                capital = _is_capital(char)
        before = following
    return "".join([*out, before])


def wrap(text: str, width: int, newline: str, *, long_words: bool) -> str:
    """Break at blanks so that lines have at most `width` bytes; long words only on request."""
    width = max(width, 1)
    data = to_bytes(text)
    ending = to_bytes(newline or "\n")
    out: list[bytes] = []
    offset = 0
    while len(data) - offset > width:
        if data[offset] == 0x20:
            offset += 1
            continue
        space = data.rfind(b" ", offset, offset + width + 1)
        stop = space
        if space < 0:
            if long_words:
                stop = offset + width
            else:
                space = stop = data.find(b" ", offset + width)
                if space < 0:
                    break
        out += [data[offset:stop], ending]
        offset = stop + (space >= 0)
    return from_bytes(b"".join([*out, data[offset:]]))
