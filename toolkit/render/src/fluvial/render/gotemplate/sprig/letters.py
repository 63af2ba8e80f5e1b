"""Single letters as Go's unicode package maps and classes them, where Python maps whole texts.

Go's upper case of `ß` is `ß`, its lower case of a final sigma is the usual one.
"""

import unicodedata
from typing import Final

__all__ = ["SPACES", "is_space", "lower", "lower_letter", "title_letter", "upper", "upper_letter"]

_SPACES: Final = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
SPACES: Final = "".join(sorted(_SPACES))
"""White space, for `str.strip`: Python's own has the separators of information besides."""


def is_space(char: str) -> bool:
    """Say whether a letter is white space."""
    return char in _SPACES


def upper_letter(char: str) -> str:
    """Return the capital of one letter, if that is one letter."""
    mapped = char.upper()
    if len(mapped) == 1:
        return mapped
    title = char.title()
    return title if len(title) == 1 and unicodedata.category(title) != "Lt" else char


def lower_letter(char: str) -> str:
    """Return the small form of one letter."""
    return "i" if char == "İ" else char.lower()


def title_letter(char: str) -> str:
    """Return the title form of one letter, if that is one letter."""
    mapped = char.title()
    return mapped if len(mapped) == 1 else char


def upper(text: str) -> str:
    """Make all capitals, letter by letter."""
    return text.upper() if text.isascii() else "".join(map(upper_letter, text))


def lower(text: str) -> str:
    """Make all small, letter by letter."""
    return text.lower() if text.isascii() else "".join(map(lower_letter, text))
