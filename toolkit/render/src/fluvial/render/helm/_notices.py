"""What helm remarks on while it combines values: something that was given has no effect.

Nothing fails for it, and the remarks may show values. So they go to whoever asks for them, which
a command does, and are not part of errors.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fluvial.render.gotemplate._format import sprintf
from fluvial.render.gotemplate._quote import is_print, quote

__all__ = ["Notice", "Tell", "ignored", "remark", "silent"]


class Notice(NamedTuple):
    """A line of a log: `level` is INFO, WARN or ERROR, `facts` stand beside the message."""

    level: str
    message: str
    facts: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Write it as helm's log does: words with blanks or other marks in quotes."""
        pairs = (("level", self.level), ("msg", self.message), *self.facts)
        return " ".join(f"{key}={_word(value)}" for key, value in pairs)


Tell = Callable[[Notice], None]


def silent(_notice: Notice) -> None:
    """Tell nobody."""


def remark(tell: Tell, text: str, *values: Any) -> None:
    """Tell a text with the verbs of printf for `values`."""
    tell(Notice("INFO", sprintf(text, list(values))))


def ignored(tell: Tell, message: str, **facts: str) -> None:
    """Warn that a setting of Chart.yaml, or a value that it names, does not count."""
    tell(Notice("WARN", message, tuple(facts.items())))


def _word(text: str) -> str:
    plain = text and all(char not in ' ="' and is_print(char) for char in text)
    return text if plain else quote(text)
