"""An index.yaml: which versions of which charts a repository has, and where they are."""

import heapq
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from semver import Version

from fluvial.apis.semver import Constraint, ConstraintInvalid, coerce_version
from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._load import read_metadata
from fluvial.render.helm.repository._errors import ChartNotFound, IndexInvalid
from fluvial.render.helm.repository._sections import Piece, cut
from fluvial.render.yaml import YamlError

__all__ = ["LARGEST_INDEX", "ChartVersion", "Index", "is_range", "is_version"]

LARGEST_INDEX: Final = 200 << 20
"""Bytes of an index that is read at all."""

_MOST_NOTES: Final = 100
_LONGEST_NOTE: Final = 300
_FEW: Final = 64
_LOWEST: Final = Version(0, 0, 0, prerelease="0")


class ChartVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One package in a repository."""

    name: str
    """The chart's name."""
    version: str
    """Its version, as it is written."""
    urls: list[str]
    """Where the package is: absolute, or relative to the repository. The first one counts."""
    digest: str = ""
    """The SHA-256 of the package in hexadecimal digits, with or without `sha256:`; may be empty."""
    created: str = ""
    """When it was packaged, as it is written."""
    app_version: str = ""
    """The version of what it installs."""
    deprecated: bool = False
    """Whether its authors advise against it."""


class Index:
    """The index of a repository, of which only what is asked for is parsed.

    An entry that is broken is passed over, and said so in `notes`; the others serve.
    """

    def __init__(self, data: bytes, largest: int = LARGEST_INDEX) -> None:
        """Raise IndexInvalid for what is empty, larger than `largest` bytes, or no index."""
        if not data:
            raise IndexInvalid("empty index.yaml file")
        if len(data) > largest:
            raise IndexInvalid(f"the index is larger than {largest} bytes")
        self._data = data.removeprefix(b"\xef\xbb\xbf")
        self._sections = cut(self._data)
        if not self._sections.head.get("apiVersion"):
            raise IndexInvalid("no API version specified")
        self.generated = str(self._sections.head.get("generated") or "")
        self.notes: list[str] = []

    def names(self) -> Iterator[str]:
        """Yield the names of the charts."""
        yield from self._sections.names()

    def __contains__(self, name: str) -> bool:
        return self._sections.pieces(name) is not None

    def find(self, name: str, version: str = "", *, fetchable: bool = False) -> ChartVersion:
        """Return the version of a chart that helm takes.

        That is the entry that is called exactly `version`, else the newest in this range, where
        an empty one is every release. `fetchable` passes over entries without an address.

        Raises ChartNotFound, also for what is no range.
        """
        pieces = self._sections.pieces(name)
        if pieces is None:
            raise ChartNotFound("no chart name found")
        if not pieces:
            raise ChartNotFound("no chart version found")
        try:
            constraint = Constraint.parse(version or "*")
        except ConstraintInvalid:
            raise ChartNotFound(f'improper constraint: "{version}"') from None
        versions = [self._version_of(name, piece) for piece in pieces]
        if version:
            for piece, found in zip(pieces, versions, strict=True):
                entry = self._read(name, piece) if found == version else None
                if entry is not None and (entry.urls or not fetchable):
                    return entry
        for piece in _newest_first(pieces, versions, constraint):
            entry = self._read(name, piece)
            if entry is not None and (entry.urls or not fetchable):
                return entry
        raise ChartNotFound(f"no chart version found for {name}-{version}")

    def versions(self, name: str) -> list[ChartVersion]:
        """Return what there is of a chart, the newest first. Raises ChartNotFound."""
        pieces = self._sections.pieces(name)
        if pieces is None:
            raise ChartNotFound("no chart name found")
        entries = [entry for piece in pieces if (entry := self._read(name, piece))]
        return sorted(
            entries,
            key=lambda entry: _precedence(coerce_version(entry.version) or _LOWEST),
            reverse=True,
        )

    def has_url(self, url: str) -> bool:
        """Say whether a package is at this very address."""
        # Nearly always it is not, and then nothing needs to be parsed.
        if url.encode() not in self._data:
            return False
        return any(url in entry.urls for name in self.names() for entry in self.versions(name))

    def _version_of(self, name: str, piece: Piece) -> str:
        """Return the version of an entry, which is read if need be; empty for a broken one."""
        cheap = piece.version()
        if cheap is not None:
            return cheap
        entry = self._read(name, piece)
        return entry.version if entry else ""

    def _read(self, name: str, piece: Piece) -> ChartVersion | None:
        """Read and check an entry; a broken one becomes a note."""
        try:
            return _entry(piece.read())
        except YamlError as error:
            problem = f"line {error.line} of the entry: {error.problem}"
        except (msgspec.DecodeError, ChartError) as error:
            problem = str(error)
        if len(self.notes) < _MOST_NOTES:
            text = f"skipping loading invalid entry for chart {name!r}: {problem}"
            self.notes.append(text[:_LONGEST_NOTE])
        return None


def _entry(raw: Any) -> ChartVersion:
    """Check an entry. Raises ChartError."""
    if not isinstance(raw, dict):
        raise ChartError("empty entry" if raw is None else "an entry must be a mapping")
    urls, digest = raw.get("urls") or [], raw.get("digest") or ""
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ChartError("urls must be a list of strings")
    if not isinstance(digest, str):
        raise ChartError("digest must be a string")
    metadata = read_metadata(raw)
    return ChartVersion(
        name=metadata["name"],
        version=metadata["version"],
        urls=urls,
        digest=digest,
        created=str(raw.get("created") or ""),
        app_version=metadata.get("appVersion", ""),
        deprecated=metadata.get("deprecated", False),
    )


def is_version(text: str) -> bool:
    """Say whether a text is one version, as charts may write it, and so no range to look up."""
    return coerce_version(text) is not None


def is_range(version: str) -> bool:
    """Say whether a text is written as a range; helm warns when another one has no exact match."""
    if any(letter in version for letter in "^~<>=!*") or "||" in version or " - " in version:
        return True
    core = version.replace("+", "-").partition("-")[0]
    return "x" in core or "X" in core


def _precedence(version: Version) -> tuple[int, int, int, bool, Version]:
    """Return a key to sort by; the parts in front save most comparisons of whole versions."""
    return version.major, version.minor, version.patch, version.prerelease is None, version


def _newest_first(
    pieces: list[Piece], versions: list[str], constraint: Constraint
) -> Iterator[Piece]:
    """Yield what is in the range: the newest, and of equal ones the first."""

    def matching() -> Iterator[tuple[tuple[int, int, int, bool, Version], int]]:
        for position, text in enumerate(versions):
            version = coerce_version(text)
            if version is not None and constraint.check(version):
                yield _precedence(version), -position

    seen = 0
    # Nearly always the first one serves: no need to sort a million.
    for count in (_FEW, len(pieces)):
        best = heapq.nlargest(count, matching())
        for _, position in best[seen:]:
            yield pieces[-position]
        seen = len(best)
