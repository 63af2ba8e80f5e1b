"""Ranges of versions as Masterminds/semver 3.5 reads them; the values are the `semver` library's.

The grammar is that of spec.ref.semver, spec.version of charts and semverCompare. Its peculiarities
are kept, for they decide which release a cluster runs: a partial version is a range, `>1.2` means
`>=1.3.0`, and a prerelease in one term lets prereleases through in every term joined to it.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from semver import Version

__all__ = ["Constraint", "ConstraintInvalid", "coerce_version", "parse_version"]

_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"v?([0-9]+)\.([0-9]+)\.([0-9]+)(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?"
)
_LOOSE = re.compile(r"v?([0-9]+(?:\.[0-9]+){0,2})([-+].*)?", re.DOTALL)
_PART: Final = r"(?:[0-9]+|[xX*])"
_OPERATOR: Final = r"!=|>=|=>|<=|=<|~>|=|>|<|~|\^|"
_TERM = re.compile(
    rf"({_OPERATOR})\s*v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?"
    rf"(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?"
)
_BOUND: Final = rf"v?{_PART}(?:\.{_PART}){{0,2}}(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
_HYPHEN = re.compile(rf"\s*({_BOUND})\s+-\s+({_BOUND})\s*")
_GAP = re.compile(r"\s*,\s*|\s+")
_WILD: Final = frozenset({"x", "X", "*", None})
_LONGEST: Final = 256
_LARGEST: Final = 2**64 - 1


class ConstraintInvalid(ValueError):  # noqa: N818  (in the words of the field)
    """The text is not a range; the message quotes it."""


def parse_version(text: str) -> Version | None:
    """Read a tag or chart version: three parts, an optional `v`, prerelease and build metadata.

    Zeros may lead in the three parts (date-like tags such as `v2025.02.03`), not in numeric
    identifiers of a prerelease. Returns None for anything else: such tags are passed over silently.
    """
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    prerelease = match[4]
    if prerelease and any(_zero_padded(part) for part in prerelease.split(".")):
        return None
    major, minor, patch = int(match[1]), int(match[2]), int(match[3])
    if max(major, minor, patch) > _LARGEST:
        return None
    return Version(major, minor, patch, prerelease=prerelease, build=match[5])


def coerce_version(text: str) -> Version | None:
    """Read a version as charts may write it: like `parse_version`, and missing parts are zero."""
    match = _LOOSE.fullmatch(text)
    if match is None:
        return None
    return parse_version(match[1] + ".0" * (2 - match[1].count(".")) + (match[2] or ""))


def _zero_padded(identifier: str) -> bool:
    return len(identifier) > 1 and identifier[0] == "0" and identifier.isdigit()


class _Term(NamedTuple):
    """One comparison. `given` counts the parts before the first wildcard; 3 is a full version."""

    operator: str
    version: Version
    given: int

    @property
    def partial(self) -> bool:
        return self.given < 3


class Constraint:
    """A parsed range: groups of terms, of which one group must hold wholly."""

    __slots__ = ("_groups", "_text")

    def __init__(self, text: str, groups: list[list[_Term]]) -> None:
        self._text = text
        self._groups = groups

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a range. Raises ConstraintInvalid for what is no range, the empty text included."""
        if len(text) > _LONGEST:
            raise ConstraintInvalid(f"improper constraint: {text[:80]}…")
        return cls(text, [_group(text, alternative) for alternative in text.split("||")])

    def check(self, version: Version) -> bool:
        """Say whether `version` is in the range."""
        return any(self._holds(group, version) for group in self._groups)

    def __repr__(self) -> str:
        return f"Constraint({self._text!r})"

    @staticmethod
    def _holds(group: list[_Term], version: Version) -> bool:
        if version.prerelease and not any(term.version.prerelease for term in group):
            return False
        return all(_CHECKS[term.operator](term, version) for term in group)


def _group(text: str, alternative: str) -> list[_Term]:
    """Read the terms between two `||`; a hyphen range counts as the two terms it stands for."""
    spelt = _HYPHEN.sub(r">=\1 <=\2 ", alternative).strip()
    terms: list[_Term] = []
    position = 0
    while True:
        match = _TERM.match(spelt, position)
        if match is None:
            raise ConstraintInvalid(f"improper constraint: {text}")
        terms.append(_term(text, match))
        if match.end() == len(spelt):
            return terms
        gap = _GAP.match(spelt, match.end())
        if gap is None:
            raise ConstraintInvalid(f"improper constraint: {text}")
        position = gap.end()


def _term(text: str, match: re.Match[str]) -> _Term:
    parts = [match[2], match[3], match[4]]
    given = next((index for index, part in enumerate(parts) if part in _WILD), 3)
    major, minor, patch = [int(part) for part in parts[:given]] + [0] * (3 - given)
    prerelease = match[5]
    padded = prerelease and any(_zero_padded(part) for part in prerelease.split("."))
    if padded or max(major, minor, patch) > _LARGEST:
        raise ConstraintInvalid(f"improper constraint: {text}")
    return _Term(match[1], Version(major, minor, patch, prerelease=prerelease), given)


def _same_range(term: _Term, version: Version) -> bool:
    """`~1.2.3`, `1.2.x` and `*`: not below, and equal in what is given, the patch aside."""
    bound = term.version
    if term.given in {0, 3} and not any((bound.major, bound.minor, bound.patch)):
        return True
    if version < bound or version.major != bound.major:
        return False
    return term.given == 1 or version.minor == bound.minor


def _equal(term: _Term, version: Version) -> bool:
    return _same_range(term, version) if term.partial else version == term.version


def _not_equal(term: _Term, version: Version) -> bool:
    bound = term.version
    if not term.partial:
        return version != bound
    if version.major != bound.major:
        return True
    if term.given == 1:
        return False
    if version.minor != bound.minor:
        return True
    if term.given == 2:
        differs: bool = (version.prerelease or "") != (bound.prerelease or "")
        return differs
    return bool(version.patch != bound.patch)


def _greater(term: _Term, version: Version) -> bool:
    bound = term.version
    if term.given in {0, 3}:
        return version > bound
    if version.major != bound.major:
        return bool(version.major > bound.major)
    return term.given != 1 and bool(version.minor > bound.minor)


def _less(term: _Term, version: Version) -> bool:
    return version < term.version


def _greater_or_equal(term: _Term, version: Version) -> bool:
    return version >= term.version


def _less_or_equal(term: _Term, version: Version) -> bool:
    bound = term.version
    if not term.partial:
        return version <= bound
    if version.major != bound.major:
        return bool(version.major < bound.major)
    return term.given == 1 or bool(version.minor <= bound.minor)


def _compatible(term: _Term, version: Version) -> bool:
    """`^`: everything up to the next change of the leftmost part that is not zero."""
    bound = term.version
    if version < bound or version.major != bound.major:
        return False
    if bound.major > 0 or term.given == 1:
        return True
    if version.minor != bound.minor:
        return False
    if bound.minor > 0 or term.given == 2:
        return True
    return bool(version.patch == bound.patch)


_CHECKS: Final[dict[str, Callable[[_Term, Version], bool]]] = {
    "": _equal,
    "=": _equal,
    "!=": _not_equal,
    ">": _greater,
    "<": _less,
    ">=": _greater_or_equal,
    "=>": _greater_or_equal,
    "<=": _less_or_equal,
    "=<": _less_or_equal,
    "~": _same_range,
    "~>": _same_range,
    "^": _compatible,
}
