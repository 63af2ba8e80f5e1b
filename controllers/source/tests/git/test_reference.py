import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.source.git.errors import ReferenceInvalid, ReferenceNotFound, RepositoryEmpty
from fluvial.source.git.reference import (
    Reference,
    candidates,
    explain_absence,
    normalize_revision,
    patterns,
)

A, B, C, D = "a" * 40, "b" * 40, "c" * 40, "d" * 40

ADVERTISED = {
    "HEAD": A,
    "refs/heads/main": A,
    "refs/heads/master": B,
    "refs/heads/feature/x": C,
    "refs/tags/v1.0.0": C,
    "refs/tags/v1.0.0^{}": A,
    "refs/tags/v1.2.0": B,
    "refs/tags/v2.0.0-rc.1": D,
    "refs/tags/nightly": D,
    "refs/pull/7/head": D,
}

RESOLVED = [
    (Reference(branch="main"), f"main@sha1:{A}", "a branch"),
    (Reference(branch="feature/x"), f"feature/x@sha1:{C}", "a branch with a slash"),
    (Reference(), f"master@sha1:{B}", "nothing means master"),
    (Reference(tag="nightly"), f"nightly@sha1:{D}", "a light tag"),
    (Reference(tag="v1.0.0"), f"v1.0.0@sha1:{A}", "an annotated tag is peeled"),
    (Reference(semver=">=1.0.0"), f"v1.2.0@sha1:{B}", "the highest, prereleases aside"),
    (Reference(semver="1.0.x"), f"v1.0.0@sha1:{A}", "the highest in the range"),
    (Reference(semver=">=1.0.0-0"), f"v2.0.0-rc.1@sha1:{D}", "prereleases on request"),
    (Reference(name="refs/pull/7/head"), f"refs/pull/7/head@sha1:{D}", "any full reference"),
    (Reference(name="refs/tags/v1.0.0"), f"refs/tags/v1.0.0@sha1:{A}", "peeled by full name too"),
    (Reference(name="HEAD"), f"HEAD@sha1:{A}", "what the remote points at"),
    (Reference(commit=D), f"sha1:{D}", "a commit alone"),
    (Reference(commit=D, branch="main"), f"main@sha1:{D}", "a commit on a branch"),
    (Reference(commit=D, name="refs/heads/x"), f"refs/heads/x@sha1:{D}", "a commit with a name"),
    (Reference(name="refs/heads/main", tag="v1.2.0"), f"refs/heads/main@sha1:{A}", "name > tag"),
    (Reference(tag="v1.0.0", semver="1.2.x"), f"v1.0.0@sha1:{A}", "tag > semver, as the code has"),
    (Reference(semver="1.2.x", branch="main"), f"v1.2.0@sha1:{B}", "semver > branch"),
]


@pytest.mark.parametrize(("reference", "revision", "reason"), RESOLVED)
def test_resolution(reference, revision, reason):
    reference.validate()
    [target] = candidates(reference, ADVERTISED)
    assert target.revision == revision, reason


def test_what_is_asked_for_is_enough():
    for reference, revision, reason in RESOLVED:
        asked = patterns(reference)
        prefixes = [pattern.removesuffix("*") for pattern in asked if pattern.endswith("*")]
        answer = {
            ref: commit
            for ref, commit in ADVERTISED.items()
            if ref in asked or any(ref.startswith(prefix) for prefix in prefixes)
        }
        assert candidates(reference, answer)[0].revision == revision, reason


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (Reference(branch="gone"), "couldn't find remote ref 'refs/heads/gone'"),
        (Reference(tag="v9"), "couldn't find remote ref 'refs/tags/v9'"),
        (Reference(name="refs/pull/8/head"), "couldn't find remote ref 'refs/pull/8/head'"),
        (Reference(semver=">=3"), "no match found for semver: >=3"),
    ],
)
def test_what_is_not_there(reference, message):
    with pytest.raises(ReferenceNotFound, match=message):
        candidates(reference, ADVERTISED)


def test_equal_versions_are_all_candidates():
    tags = {"refs/tags/v1.0.0": A, "refs/tags/1.0.0": B, "refs/tags/1.0.0+b": C}
    found = candidates(Reference(semver="1.x"), {**tags, "refs/tags/0.9.0": D})
    assert [target.label for target in found] == ["1.0.0", "1.0.0+b", "v1.0.0"]


def test_a_repository_of_another_hash_is_refused():
    with pytest.raises(ReferenceNotFound, match="not in a SHA-1 repository"):
        candidates(Reference(branch="main"), {"refs/heads/main": "e" * 64})


def test_an_empty_remote_is_named_as_such():
    explain_absence(ADVERTISED)
    with pytest.raises(RepositoryEmpty):
        explain_absence({})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("branch", "--upload-pack=x", "an option"),
        ("tag", "-d", "an option"),
        ("name", "../../x", "leaves its place"),
        ("branch", "../../x", "leaves its place"),
        ("branch", "a\nb", "a line break"),
        ("branch", "a b", "a blank"),
        ("name", "refs/heads/a@{1}", "a reflog entry"),
        ("branch", "a@{1}", "a reflog entry"),
        ("name", "main", "no full reference"),
        ("branch", "/a", "a slash in front"),
        ("branch", "a/", "a slash at the end"),
        ("name", "refs/heads/a/", "a slash at the end"),
        ("branch", "a//b", "an empty part"),
        ("branch", "a..b", "a range"),
        ("branch", "a^{commit}", "an expression"),
        ("branch", "a~1", "an expression"),
        ("branch", "a:b", "a refspec"),
        ("branch", "*", "a pattern"),
        ("branch", "a.lock", "a lock file"),
        ("branch", ".a", "a hidden file"),
        ("branch", "a/.b", "a hidden file"),
        ("branch", "a.", "a dot at the end"),
        ("branch", "@", "short for HEAD"),
        ("branch", "a\\b", "a backslash"),
        ("branch", "x" * 1025, "too long"),
        ("commit", "HEAD", "no commit"),
        ("commit", "abc123", "an abbreviation"),
        ("commit", "A" * 40, "upper case"),
        ("commit", "--" + "a" * 38, "an option"),
        ("semver", "latest", "no range"),
    ],
)
def test_references_that_can_name_nothing(field, value, reason):
    with pytest.raises(ReferenceInvalid, match=f"spec.ref.{field}"):
        Reference(**{field: value}).validate()


@given(st.text(max_size=30))
def test_what_passes_is_safe_as_an_argument(text):
    try:
        Reference(branch=text, tag=text).validate()
    except ReferenceInvalid:
        return
    assert not text.startswith("-")
    assert ".." not in text
    assert not set(text) & set("\n\0 :*")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"main/{A}", f"main@sha1:{A}"),
        (f"feature/x/{A}", f"feature/x@sha1:{A}"),
        (f"HEAD/{A}", f"sha1:{A}"),
        (f"main@sha1:{A}", f"main@sha1:{A}"),
        (f"sha1:{A}", f"sha1:{A}"),
        ("main/short", "main/short"),
    ],
)
def test_old_revisions_are_read(old, new):
    assert normalize_revision(old) == new
