"""What the demo shows: lines on any output, and below them a live table on a terminal."""

import sys
import time
from collections.abc import Sequence
from typing import Final, TextIO

__all__ = ["LiveScreen", "Screen", "bar", "open_screen"]

_UP_AND_CLEAR: Final = "\x1b[{}A\x1b[J"
_BOLD: Final = "\x1b[1m{}\x1b[0m"
_TICKS: Final = " ▏▎▍▌▋▊▉█"


def bar(percent: float, width: int = 20) -> str:
    """Draw a share as a bar, to an eighth of a character."""
    eighths = round(max(0.0, min(100.0, percent)) / 100 * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_TICKS[rest] if rest else "")).ljust(width, "·")


class Screen:
    """Lines with the time since the start; no table."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begin = time.monotonic()

    @property
    def live(self) -> bool:
        """Whether `table` shows anything."""
        return False

    def heading(self, text: str) -> None:
        """Begin a step."""
        self._write(f"\n{text}")

    def line(self, text: str) -> None:
        """Tell what happened, and when."""
        self._write(f"  {time.monotonic() - self._begin:5.1f} s  {text}")

    def plain(self, text: str) -> None:
        """Print text as it is."""
        self._write(text)

    def table(self, rows: Sequence[str]) -> None:
        """Replace the live table; nothing where there is none."""

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class LiveScreen(Screen):
    """The same with a table at the bottom that is drawn anew; plain ANSI sequences."""

    def __init__(self, stream: TextIO, width: int) -> None:
        super().__init__(stream)
        self._width = width
        self._rows: list[str] = []

    @property
    def live(self) -> bool:
        """Whether `table` shows anything."""
        return True

    def heading(self, text: str) -> None:
        """Begin a step, in bold."""
        super().heading(_BOLD.format(text))

    def table(self, rows: Sequence[str]) -> None:
        """Draw the table in place of the one before; a row that is too long is cut."""
        self._erase()
        self._rows = [row[: self._width - 1] for row in rows]
        self._draw()

    def _write(self, text: str) -> None:
        self._erase()
        super()._write(text)
        self._draw()

    def _erase(self) -> None:
        if self._rows:
            self._stream.write(_UP_AND_CLEAR.format(len(self._rows)))

    def _draw(self) -> None:
        if self._rows:
            self._stream.write("\n".join(self._rows) + "\n")
        self._stream.flush()


def open_screen(stream: TextIO = sys.stdout, width: int = 120) -> Screen:
    """Return the screen for a stream: live on a terminal, lines else."""
    return LiveScreen(stream, width) if stream.isatty() else Screen(stream)
