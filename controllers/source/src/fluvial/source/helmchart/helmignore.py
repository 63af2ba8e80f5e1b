"""`.helmignore`: which files of a chart's folder are not part of the chart.

The rules are Helm's and not Git's: the first pattern that speaks decides, a negated one takes out
all that it does not match, and a pattern without a slash looks at the last part of a path only.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from fluvial.toolkit.artifacts.ignore import compile_glob

__all__ = ["FILE_NAME", "HelmIgnore", "HelmIgnoreInvalid"]

FILE_NAME: Final = ".helmignore"
_ALWAYS: Final = "templates/.?*"
"""Hidden files among the templates, whatever the file says."""


class HelmIgnoreInvalid(ValueError):  # noqa: N818  (in the words of the field)
    """A line that Helm refuses; the message quotes it."""


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    negated: bool
    folders_only: bool
    whole_path: bool

    def matches(self, path: str) -> bool:
        subject = path if self.whole_path else path.rpartition("/")[2]
        return self.pattern.fullmatch(subject) is not None


class HelmIgnore:
    """The rules of one chart."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self._rules = tuple(rules)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file's text. Raises HelmIgnoreInvalid."""
        lines = (line.strip() for line in (*text.split("\n"), _ALWAYS))
        return cls([_rule(line) for line in lines if line and not line.startswith("#")])

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Say whether a file stays out, or a folder with all that is in it."""
        for rule in self._rules:
            skipped = rule.folders_only and not folder
            if rule.negated:
                if skipped or not rule.matches(path):
                    return True
            elif not skipped and rule.matches(path):
                return True
        return False


def _rule(line: str) -> _Rule:
    if "**" in line:
        raise HelmIgnoreInvalid(f"{FILE_NAME}: {line!r}: double-star (**) syntax is not supported")
    negated = line.startswith("!")
    text = line.removeprefix("!")
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    whole_path = "/" in text
    pattern = compile_glob(text.removeprefix("/"))
    if pattern is None:
        raise HelmIgnoreInvalid(f"{FILE_NAME}: {line!r}: syntax error in pattern")
    return _Rule(pattern, negated, folders_only, whole_path)
