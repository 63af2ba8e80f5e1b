"""Which files of a source go into its artifact: `.sourceignore` and `spec.ignore`.

The syntax is that of gitignore, the matcher is upstream's and differs from Git's: patterns are
tried last to first over the whole path, a pattern that matches the beginning of a path matches all
below it, and excluded folders are still descended into, so that `/*` with `!/a/b` keeps `a/b/c`.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Self

__all__ = ["FILE_NAME", "IgnoreRules", "Pattern", "compile_glob"]

FILE_NAME: Final = ".sourceignore"
"""The file of a source that lists what stays out of its artifact."""

_VCS: Final = (".git/", ".gitignore", ".gitmodules", ".gitattributes")
_DEFAULTS: Final = (
    *("*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"),
    *(".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml"),
    *("cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"),
    *("**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"),
)
_ANY_DEPTH: Final = "**"


class Pattern(NamedTuple):
    """One line of an ignore file.

    `domain` is the folder of the file, as the parts of its path: the pattern is blind outside of
    it. `parts` are the pattern's segments; an anchored one starts with an empty part.
    """

    domain: tuple[str, ...]
    parts: tuple[str, ...]
    include: bool
    """Whether it takes back an exclusion (`!`)."""
    folders_only: bool
    """Whether it ends in a slash."""

    @classmethod
    def parse(cls, line: str, domain: Sequence[str] = ()) -> Self | None:
        """Read a line; None for a comment or a blank one."""
        if line.startswith("#") or not line.strip():
            return None
        include = line.startswith("!")
        text = line[1:] if include else line
        if not text.endswith("\\ "):
            text = text.rstrip(" ")
        folders_only = text.endswith("/")
        if folders_only:
            text = text[:-1]
        return cls(tuple(domain), tuple(text.split("/")), include, folders_only)

    def matches(self, path: Sequence[str], *, folder: bool) -> bool:
        """Say whether the pattern speaks about a path, given as its parts."""
        below = len(self.domain)
        if len(path) <= below or tuple(path[:below]) != self.domain:
            return False
        if len(self.parts) > 1:
            return self._matches_path(path[below:], folder=folder)
        return self._matches_name(path[below:], folder=folder)

    def _matches_name(self, path: Sequence[str], *, folder: bool) -> bool:
        """Without a slash: any part of the path may match, so what lies below it does too."""
        for index, name in enumerate(path):
            if _segment_matches(self.parts[0], name):
                return folder or not self.folders_only or index < len(path) - 1
        return False

    def _matches_path(self, path: Sequence[str], *, folder: bool) -> bool:
        """With a slash: from the top of the domain, without backtracking over `**`."""
        position, matched, anywhere = 0, False, False
        for index, part in enumerate(self.parts):
            if part == "":
                anywhere = False
            elif part == _ANY_DEPTH:
                if index == len(self.parts) - 1:
                    break
                anywhere = True
            elif _ANY_DEPTH in part or position == len(path):
                return False
            elif anywhere:
                anywhere = False
                found = _first_match(part, path, position)
                matched = found < len(path)
                position = min(found + 1, len(path))
            elif _segment_matches(part, path[position]):
                matched = True
                position += 1
            else:
                return False
        return matched and (folder or not self.folders_only or position < len(path))


def _first_match(part: str, path: Sequence[str], start: int) -> int:
    """Return the index of the first part of `path` that matches, or its length."""
    for index in range(start, len(path)):
        if _segment_matches(part, path[index]):
            return index
    return len(path)


class IgnoreRules:
    """The patterns of one source, in force from last to first."""

    def __init__(self, patterns: Iterable[Pattern], *, keep_defaults: bool = False) -> None:
        own = tuple(patterns)
        # One pattern of the user's anywhere takes all defaults but the VCS ones out of force,
        # in artifacts; Flux's command line keeps them.
        defaults = _VCS if own and not keep_defaults else (*_VCS, *_DEFAULTS)
        parsed = (Pattern.parse(line) for line in defaults)
        self._patterns = (*(pattern for pattern in parsed if pattern), *own)[::-1]

    @classmethod
    def of(
        cls,
        files: Iterable[tuple[Sequence[str], str]],
        extra: str = "",
        *,
        keep_defaults: bool = False,
    ) -> Self:
        """Build from `.sourceignore` files, each with the parts of its folder, and `spec.ignore`.

        The root's file comes first, then those of its folders in the order of a walk: later ones
        win, and `extra` wins over all.
        """
        patterns = (
            pattern
            for folder, text in (*files, ((), extra))
            for line in text.split("\n")
            if (pattern := Pattern.parse(line.removesuffix("\r"), folder)) is not None
        )
        return cls(patterns, keep_defaults=keep_defaults)

    def ignores(self, path: str, *, folder: bool = False) -> bool:
        """Say whether a file or folder stays out. `path` is relative to the source's root."""
        parts = path.split("/")
        for pattern in self._patterns:
            if pattern.matches(parts, folder=folder):
                return not pattern.include
        return False


def _segment_matches(pattern: str, name: str) -> bool:
    compiled = compile_glob(pattern)
    return compiled is not None and compiled.fullmatch(name) is not None


@functools.lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> re.Pattern[str] | None:
    """Translate a pattern of Go's path.Match; None where that finds it malformed."""
    chunks = [""]
    index = 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "[^/]"
        elif character == "\\":
            if index == len(pattern):
                return None
            chunks[-1] += re.escape(pattern[index])
            index += 1
        elif character == "[":
            translated, index = _class(pattern, index)
            if translated is None:
                return None
            chunks[-1] += translated
        else:
            chunks[-1] += re.escape(character)
    first, *rest = chunks
    if not rest:
        return re.compile(first, re.DOTALL)
    # What stands between two stars may be taken where it is first found; atomic groups say so, and
    # keep a pattern of many stars from being tried in exponentially many ways.
    middle = "".join(f"(?>[^/]*?{chunk})" for chunk in rest[:-1] if chunk)
    return re.compile(f"{first}{middle}[^/]*{rest[-1]}", re.DOTALL)


def _class(pattern: str, index: int) -> tuple[str | None, int]:
    """Translate `[abc]`, `[a-z]` and `[^a-z]`; None where it is not closed or holds a stray `-`."""
    negated = pattern[index : index + 1] == "^"
    index += negated
    ranges: list[str] = []
    while index < len(pattern) and not (pattern[index] == "]" and ranges):
        low, index = _class_member(pattern, index)
        high = low
        if pattern[index : index + 1] == "-":
            high, index = _class_member(pattern, index + 1)
        if low is None or high is None:
            return None, index
        # An empty range is legal and matches nothing.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    if index >= len(pattern):
        return None, index
    body = "".join(ranges)
    if not body:
        return ("[^/]" if negated else "(?!)"), index + 1
    return f"(?!/)[{'^' if negated else ''}{body}]", index + 1


def _class_member(pattern: str, index: int) -> tuple[str | None, int]:
    if index >= len(pattern) or pattern[index] in "-]":
        return None, index
    if pattern[index] == "\\":
        index += 1
    return (pattern[index], index + 1) if index < len(pattern) else (None, index)
