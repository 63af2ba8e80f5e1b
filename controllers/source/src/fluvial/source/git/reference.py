"""What `spec.ref` asks for, and what a remote's references make of it. Pure: no I/O.

The order of precedence is the one of upstream's code: commit, name, tag, semver, branch; its
documentation has semver before tag.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from fluvial.source.git.errors import ReferenceInvalid, ReferenceNotFound, RepositoryEmpty
from fluvial.source.semver import Constraint, ConstraintInvalid, parse_version

__all__ = [
    "DEFAULT_BRANCH",
    "Reference",
    "Target",
    "candidates",
    "explain_absence",
    "normalize_revision",
    "patterns",
]

DEFAULT_BRANCH: Final = "master"
PEELED: Final = "^{}"

_COMMIT = re.compile(r"[0-9a-f]{40}")
# git check-ref-format(1), rules 1 and 3 to 9; control characters, space and ~^:?*[\ included.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|^\.|^@$")


class Reference(msgspec.Struct, frozen=True):
    """A reference as the spec has it; empty fields are absent ones."""

    branch: str = ""
    tag: str = ""
    semver: str = ""
    name: str = ""
    commit: str = ""

    def validate(self) -> None:
        """Check every field that is set.

        Raises ReferenceInvalid, naming the field, for what Git would refuse as a name, for what
        could be taken as an option, for a commit that is no 40 hexadecimal digits, and for a range
        outside of the grammar.
        """
        for field in ("branch", "tag", "name"):
            value: str = getattr(self, field)
            if value:
                _check_name(field, value)
        if self.commit and not _COMMIT.fullmatch(self.commit):
            raise ReferenceInvalid(
                f"spec.ref.commit {self.commit[:80]!r} is not 40 lower-case hexadecimal digits"
            )
        if self.semver:
            try:
                Constraint.parse(self.semver)
            except ConstraintInvalid as error:
                raise ReferenceInvalid(f"spec.ref.semver: {error}") from None


class Target(NamedTuple):
    """What a reference stands for at one moment.

    `ref` is what to ask the remote for: a full reference, or the commit itself. `label` is what
    comes before the `@` of the revision, or empty.
    """

    label: str
    ref: str
    commit: str

    @property
    def revision(self) -> str:
        """`main@sha1:…`, `v1.0.0@sha1:…`, `refs/pull/1/head@sha1:…` or `sha1:…`."""
        return f"{self.label}@sha1:{self.commit}" if self.label else f"sha1:{self.commit}"

    def at(self, commit: str) -> "Target":
        """Return the same at the commit that really arrived: the remote may have moved on."""
        return self._replace(commit=commit)


def _check_name(field: str, value: str) -> None:
    where = f"spec.ref.{field} {value[:80]!r}"
    if value.startswith("-"):
        raise ReferenceInvalid(f"{where} starts with a dash")
    if value.startswith("/") or value.endswith("/"):
        raise ReferenceInvalid(f"{where} starts or ends with a slash")
    if _FORBIDDEN.search(value) or len(value) > 1024:
        raise ReferenceInvalid(f"{where} is not a valid reference name (see git check-ref-format)")
    if field == "name" and value != "HEAD" and not value.startswith("refs/"):
        raise ReferenceInvalid(f"{where} is not a full reference such as refs/heads/main")


def patterns(reference: Reference) -> list[str]:
    """Return what to ask a remote's listing for; empty when a commit already says it all."""
    if reference.commit:
        return []
    if reference.name:
        return [reference.name, reference.name + PEELED]
    if reference.tag:
        return [f"refs/tags/{reference.tag}", f"refs/tags/{reference.tag}{PEELED}"]
    if reference.semver:
        return ["refs/tags/*"]
    return [f"refs/heads/{reference.branch or DEFAULT_BRANCH}"]


def candidates(reference: Reference, advertised: Mapping[str, str]) -> list[Target]:
    """Return what `reference` stands for, given the remote's references by full name.

    One target, but for a range: tags whose versions are equal (they differ in a `v` or in build
    metadata only) all are candidates, and the newest commit among them is the one to take.
    Raises ReferenceNotFound when the remote has nothing that fits.
    """
    if reference.commit:
        label = reference.name or reference.branch
        return [Target(label, reference.commit, reference.commit)]
    if reference.name:
        return [_target(reference.name, reference.name, advertised)]
    if reference.tag:
        return [_target(reference.tag, f"refs/tags/{reference.tag}", advertised)]
    if reference.semver:
        return [
            _target(tag, f"refs/tags/{tag}", advertised) for tag in _latest(reference, advertised)
        ]
    branch = reference.branch or DEFAULT_BRANCH
    return [_target(branch, f"refs/heads/{branch}", advertised)]


def explain_absence(advertised: Mapping[str, str]) -> None:
    """Raise RepositoryEmpty when a remote's whole listing is empty."""
    if not advertised:
        raise RepositoryEmpty("remote repository has no references")


def _target(label: str, ref: str, advertised: Mapping[str, str]) -> Target:
    commit = advertised.get(ref + PEELED) or advertised.get(ref)
    if commit is None:
        raise ReferenceNotFound(f"couldn't find remote ref {ref!r}")
    if not _COMMIT.fullmatch(commit):
        raise ReferenceNotFound(f"{ref!r} is not in a SHA-1 repository: {commit[:80]!r}")
    return Target(label, ref, commit)


def _latest(reference: Reference, advertised: Mapping[str, str]) -> list[str]:
    constraint = Constraint.parse(reference.semver)
    prefix = "refs/tags/"
    tags = [ref[len(prefix) :] for ref in advertised if ref.startswith(prefix)]
    parsed = ((parse_version(tag), tag) for tag in tags if not tag.endswith(PEELED))
    matching = [(version, tag) for version, tag in parsed if version and constraint.check(version)]
    if not matching:
        raise ReferenceNotFound(f"no match found for semver: {reference.semver}")
    highest = max(version for version, _ in matching)
    return sorted(tag for version, tag in matching if version == highest)


def normalize_revision(revision: str) -> str:
    """Return a revision of the form before 2023 (`main/<sha>`, `HEAD/<sha>`) in today's form."""
    if "@" in revision or revision.startswith("sha1:"):
        return revision
    label, _, commit = revision.rpartition("/")
    if not _COMMIT.fullmatch(commit):
        return revision
    return f"{label}@sha1:{commit}" if label and label != "HEAD" else f"sha1:{commit}"
