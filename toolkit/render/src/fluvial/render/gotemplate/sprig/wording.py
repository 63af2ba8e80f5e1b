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
    """Split at connectors, before a capital that starts a word, and around digits after capitals."""
    words: list[str] = []
    word = ""
    for place, char in enumerate(text):
        kind = _kind(char)
        before = _kind(text[place - 1]) if place else "gap"
        after = _kind(text[place + 1]) if place + 1 < len(text) else "gap"
        if kind == "gap":
            words.append(word)
            word = ""
            continue
        starts = (kind == "upper" and before in {"lower", "digit"}) or (
            kind == "upper" and before == "upper" and after == "lower"
        )
        if starts and word:
            words.append(word)
            word = ""
        word += char
    return [*words, word]


def _lowered(text: str, connector: str) -> str:
    return connector.join(_words(text)).lower()


def camel(text: str) -> str:
    """Write `foo-bar` as `FooBar`; what is before the first letter stays."""
    out = []
    raise_next = True
    for place, char in enumerate(text):
        if _connects(char):
            if not out or all(_connects(known) for known in out):
                out.append(char)
            elif all(_connects(later) for later in text[place:]):
                out.append(char)
            raise_next = True
        elif raise_next:
            out.append(char.upper())
            raise_next = False
        else:
            out.append(char.lower() if char.isupper() and text[place - 1].isupper() else char)
            raise_next = False
    return "".join(out)


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
