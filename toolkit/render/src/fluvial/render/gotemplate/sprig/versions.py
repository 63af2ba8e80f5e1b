"""Semantic versions: `semver` gives an object with Masterminds' fields and methods."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from semver import Version

from fluvial.apis.semver import Constraint, ConstraintInvalid
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate._values import Uint64, byte_len

__all__ = ["FUNCTIONS", "GoVersion"]

_LONGEST: Final = 256
_LENIENT: Final = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


class GoVersion:
    """A version as templates see it: `.Major`, `.Compare other`; it prints normalised.

    The function semver gives Go's pointer to a version; what `IncMajor` and its kin give is the
    version itself, which has only some of the methods.
    """

    def __init__(self, original: str, version: Version, go_type: str = "*semver.Version") -> None:
        self.original, self.version, self.go_type = original, version, go_type

    def __str__(self) -> str:
        return str(self.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoVersion) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def go_state(self) -> Mapping[str, Any]:
        """The fields that templates cannot reach, which printf shows under verbs without text."""
        version = self.version
        return {
            "major": Uint64(version.major),
            "minor": Uint64(version.minor),
            "patch": Uint64(version.patch),
            "pre": version.prerelease or "",
            "metadata": version.build or "",
            "original": self.original,
        }

    def json_text(self) -> str:
        """Return what encoding/json writes."""
        return str(self)

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        version = self.version
        own: dict[str, Callable[..., Any]] = {
            "Major": lambda: Uint64(version.major),
            "Minor": lambda: Uint64(version.minor),
            "Patch": lambda: Uint64(version.patch),
            "Prerelease": lambda: version.prerelease or "",
            "Metadata": lambda: version.build or "",
            "String": lambda: str(version),
            "IncMajor": lambda: _made(version.bump_major()),
            "IncMinor": lambda: _made(version.bump_minor()),
            "IncPatch": lambda: _made(
                version.replace(prerelease=None, build=None)
                if version.prerelease
                else version.bump_patch()
            ),
        }
        if not self.go_type.startswith("*"):
            return own
        return own | {
            "Original": lambda: self.original,
            "Compare": lambda other: version.compare(_version(other)),
            "Equal": lambda other: version.compare(_version(other)) == 0,
            "LessThan": lambda other: version.compare(_version(other)) < 0,
            "LessThanEqual": lambda other: version.compare(_version(other)) <= 0,
            "GreaterThan": lambda other: version.compare(_version(other)) > 0,
            "GreaterThanEqual": lambda other: version.compare(_version(other)) >= 0,
        }


def _made(version: Version) -> GoVersion:
    return GoVersion(str(version), version, "semver.Version")


def _version(value: Any) -> Version:
    if not isinstance(value, GoVersion):
        raise FunctionError("a version is wanted: use the function semver")
    return value.version


def semver(text: str) -> GoVersion:
    """Read a version leniently: `v1.2` is 1.2.0. Raises FunctionError."""
    if byte_len(text) > _LONGEST:
        raise FunctionError(f"version string is too long (max {_LONGEST} bytes)")
    match = _LENIENT.fullmatch(text)
    if match is None:
        raise FunctionError("invalid semantic version")
    for part in match.groups()[:3]:
        if int(part or 0) >= 2**64:
            reason = f'strconv.ParseUint: parsing "{part}": value out of range'
            raise FunctionError(f"error parsing version segment: {reason}")
    for identifier in (match[4] or "").split("."):
        if len(identifier) > 1 and identifier[0] == "0" and identifier.isdecimal():
            raise FunctionError("version segment starts with 0")
    numbers = [int(part or 0) for part in match.groups()[:3]]
    version = Version(numbers[0], numbers[1], numbers[2], prerelease=match[4], build=match[5])
    return GoVersion(text, version)


def semver_compare(constraint: str, text: str) -> bool:
    """Say whether a version is in a range. Raises FunctionError for a bad range or version."""
    try:
        known = Constraint.parse(constraint)
    except ConstraintInvalid:
        raise FunctionError(f"improper constraint: {quote(constraint)}") from None
    return known.check(semver(text).version)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "semver": semver,
    "semverCompare": semver_compare,
}
