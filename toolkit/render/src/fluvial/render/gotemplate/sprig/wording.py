"""Cases of identifiers and line breaks, as the libraries that Sprig uses make them."""

from typing import Final

__all__ = ["camel", "kebab", "snake", "wrap"]

_CONNECTORS: Final = frozenset("-_ ")


def _connects(char: str) -> bool:
    return char in _CONNECTORS or char.isspace()


def snake(text: str) -> str:
    """Write `HTTPServer` as `http_server`."""
    return _lowered(text, "_")


def kebab(text: str) -> str:
    """Write `HTTPServer` as `http-server`."""
    return _lowered(text, "-")


def _kind(char: str) -> str:
    if _connects(char):
        return "gap"
    if char.isupper():
        return "upper"
    if char.isdigit():
        return "digit"
    return "lower" if char.islower() else "other"


def _words(text: str) -> list[str]:
    """Split at connectors, before a capital that starts a word, and before digits as in `2xx`."""
    words: list[str] = []
    word = ""
    for place, char in enumerate(text):
        kind = _kind(char)
        if kind == "gap":
            words.append(word)
            word = ""
            continue
        if word and _starts(text, place, kind, word):
            words.append(word)
            word = ""
        word += char
    return [*words, word]


def _starts(text: str, place: int, kind: str, word: str) -> bool:
    before = _kind(text[place - 1])
    if kind == "upper":
        after = _kind(text[place + 1]) if place + 1 < len(text) else "gap"
        return before in {"lower", "digit"} or (before == "upper" and after == "lower")
    if kind == "digit" and not any(char.isdigit() for char in word):
        following = text[place:].lstrip("0123456789")
        return _kind(following[:1] or "_") == "lower"
    return False


def _lowered(text: str, connector: str) -> str:
    return connector.join(_words(text)).lower()


def camel(text: str) -> str:
    """Write `foo-bar` as `FooBar`; connectors at both ends stay, and all but one between words."""
    start = len(text) - len(text.lstrip("-_ \t\n"))
    stop = len(text.rstrip("-_ \t\n"))
    out = [text[:start]]
    raise_next = True
    for place in range(start, stop):
        char = text[place]
        if _connects(char):
            if raise_next:
                out.append(char)
            raise_next = True
        elif raise_next:
            out.append(char.upper())
            raise_next = False
        else:
            out.append(char.lower() if text[place - 1].isupper() else char)
    return "".join([*out, text[max(start, stop) :]])


def wrap(text: str, width: int, newline: str, *, long_words: bool) -> str:
    """Break at blanks so that lines have at most `width` characters."""
    width = max(width, 1)
    lines = []
    rest = text
    while len(rest) > width:
        if rest[0] == " ":
            rest = rest[1:]
            continue
        space = rest.rfind(" ", 0, width + 1)
        if space >= 0:
            lines.append(rest[:space])
            rest = rest[space + 1 :]
        elif long_words:
            lines.append(rest[:width])
            rest = rest[width:]
        else:
            space = rest.find(" ", width)
            if space < 0:
                break
            lines.append(rest[:space])
            rest = rest[space + 1 :]
    return newline.join([*lines, rest])
