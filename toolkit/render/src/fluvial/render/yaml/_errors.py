"""Where something stands in a file, and the error that says so."""

import re
from typing import NamedTuple

__all__ = ["Position", "YamlError", "snippet"]

_SECRET = re.compile(r"^kind:\s*[\"']?Secret\b|^\s*sops:|\"kind\":\s*\"Secret\"", re.MULTILINE)
_VALUE = re.compile(r"^(\s*(?:- )?[^\s:#]+:).*$")
_WIDEST = 120


class Position(NamedTuple):
    """A place in a file; both numbers count from 1."""

    line: int
    column: int


def snippet(text: str, line: int, column: int = 0) -> str:
    """Quote one line of `text` (counted from 1) with a caret under `column`.

    The values of Secrets are masked, because errors reach statuses and logs. Empty when the line
    does not exist or is blank.
    """
    lines = text.splitlines()
    if not 1 <= line <= len(lines) or not lines[line - 1].strip():
        return ""
    quoted = lines[line - 1].replace("\t", " ")
    if _SECRET.search(text):
        masked = _VALUE.sub(r"\1 ***", quoted)
        return f"{line:>5} | {masked if masked != quoted else '***'}"
    start = max(0, column - _WIDEST) if len(quoted) > _WIDEST else 0
    quoted = quoted[start : start + _WIDEST]
    caret = f"\n      | {' ' * (column - 1 - start)}^" if column else ""
    return f"{line:>5} | {quoted}{caret}"


class YamlError(ValueError):
    """A text that is no YAML, or none that the dialect accepts.

    `line` and `column` count from 1 and are 0 when unknown; `quote` is the offending line.
    """

    def __init__(
        self, problem: str, *, file: str, line: int = 0, column: int = 0, text: str = ""
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.column = column
        self.quote = snippet(text, line, column) if text else ""
        place = f"{file}:{line}:{column}" if line else file
        super().__init__(f"{place}: {problem}" + (f"\n{self.quote}" if self.quote else ""))
