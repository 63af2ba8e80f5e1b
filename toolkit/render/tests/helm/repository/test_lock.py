"""Locks: what ties them to the dependencies that they were made for."""

import datetime as dt
import hashlib

import pytest

from fluvial.render.helm import load_chart
from fluvial.render.helm.repository import (
    Locked,
    LockInvalid,
    check_lock,
    is_range,
    is_version,
    lock_digest,
    lock_name,
    lock_text,
    package_chart,
    package_name,
    satisfies,
)
from fluvial.render.kustomize import MemoryTree

LOCKED = [Locked("kid", "1.2.0", "https://charts.example.com")]
DECLARED = "- {name: kid, version: ^1.0.0, repository: 'https://charts.example.com'}\n"
RECORDED = "sha256:7cfd789b2c587649b7457a4401082c851b240349572ded287a91560bcb299d23"


def chart(api="v2", dependencies=DECLARED, **files):
    head = f"apiVersion: {api}\nname: top\nversion: 0.1.0\n"
    tree = {name.replace("_", "."): text for name, text in files.items()}
    if api == "v2":
        tree["Chart.yaml"] = f"{head}dependencies:\n{dependencies}"
    else:
        tree |= {"Chart.yaml": head, "requirements.yaml": f"dependencies:\n{dependencies}"}
    return load_chart(MemoryTree({name: text.encode() for name, text in tree.items()}))


def locked_chart(digest="", api="v2", dependencies=DECLARED, **files):
    declared = chart(api, dependencies).metadata["dependencies"]
    digest = digest or lock_digest(declared, LOCKED)
    entry = "{name: kid, version: 1.2.0, repository: 'https://charts.example.com'}"
    lock = f"dependencies: [{entry}]\ndigest: {digest}\n"
    name = "requirements_lock" if api == "v1" else "Chart_lock"
    return chart(api, dependencies, **{name: lock, **files})


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_lock_that_fits(api):
    assert check_lock(locked_chart(api=api)) == LOCKED


def test_names_of_repositories_are_resolved_before():
    named = DECLARED.replace("https://charts.example.com", "@mine")
    made = locked_chart(lock_digest(chart().metadata["dependencies"], LOCKED), "v2", named)
    assert check_lock(made, chart().metadata["dependencies"]) == LOCKED
    with pytest.raises(LockInvalid, match="out of sync"):
        check_lock(made)


@pytest.mark.parametrize(
    ("api", "dependencies", "reason"),
    [
        ("v2", DECLARED.replace("^1", "^2"), "another range"),
        ("v2", DECLARED.replace("}", ", alias: x}"), "another alias"),
        ("v2", DECLARED * 2, "one more"),
        ("v1", DECLARED.replace("^1", "^2"), "another range of an old chart"),
    ],
)
def test_a_lock_that_does_not(api, dependencies, reason):
    digest = lock_digest(chart().metadata["dependencies"], LOCKED)
    name = "requirements.lock" if api == "v1" else "Chart.lock"
    with pytest.raises(LockInvalid, match=rf"the lock file \({name}\) is out of sync"):
        check_lock(locked_chart(digest, api, dependencies))


def test_a_lock_of_helm_2():
    """It hashed the dependencies alone."""
    text = (
        '{"dependencies":[{"name":"kid","version":"^1.0.0",'
        '"repository":"https://charts.example.com"}]}'
    )
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert check_lock(locked_chart(digest, "v1")) == LOCKED
    with pytest.raises(LockInvalid):
        check_lock(locked_chart(digest, "v2"))


@pytest.mark.parametrize("lock", ["dependencies: 5\n", "dependencies: [5]\n", "digest: []\n"])
def test_a_lock_that_is_none(lock):
    with pytest.raises(LockInvalid, match=r"^Chart\.lock: "):
        check_lock(chart(Chart_lock=lock))


def test_the_digest_is_helms():
    """Recorded: `helm dependency update` 4.3.1 with these dependencies."""
    declared = chart(
        dependencies="""\
- name: kid
  version: ">=1.0.0 <2"
  repository: http://charts.example.com
  alias: one
  condition: one.enabled
- name: local
  version: ">0.0.0-0"
  repository: file://../local
  tags: [a]
  import-values: [x, {parent: b, child: a, n: 1, f: 1.5, "<": true}]
"""
    ).metadata["dependencies"]
    locked = [
        Locked("kid", "1.2.0", "http://charts.example.com"),
        Locked("local", "3.0.1", "file://../local"),
    ]
    assert lock_digest(declared, locked) == RECORDED


def test_the_text():
    declared = chart().metadata["dependencies"]
    when = dt.datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=dt.UTC)
    vendored = [*LOCKED, Locked("lib", "1.x", "")]
    assert (
        lock_text(declared, vendored, when)
        == f"""\
dependencies:
- name: kid
  repository: https://charts.example.com
  version: 1.2.0
- name: lib
  repository: ""
  version: 1.x
digest: {lock_digest(declared, vendored)}
generated: "2026-01-02T03:04:05.600000Z"
"""
    )


def test_the_name():
    assert [lock_name(chart(api)) for api in ("v1", "v2")] == ["requirements.lock", "Chart.lock"]


@pytest.mark.parametrize(
    ("wanted", "version", "fits", "reason"),
    [
        ("^1", "1.2.0", True, "in the range"),
        ("^1", "2.0.0", False, "above"),
        ("^1", "1.2", True, "parts that are missing are zero"),
        ("^1", "x", False, "no version"),
        (">0.0.0-0", "1.0.0-rc.1", True, "a prerelease"),
    ],
)
def test_satisfies(wanted, version, fits, reason):
    assert satisfies("kid", wanted, version) is fits, reason


@pytest.mark.parametrize("wanted", ["", "banana"])
def test_a_range_that_is_none(wanted):
    with pytest.raises(LockInvalid) as caught:
        satisfies("kid", wanted, "1.0.0")
    assert str(caught.value) == (
        'dependency "kid" has an invalid version/constraint format: improper constraint: '
        f'"{wanted}"'
    )


@pytest.mark.parametrize(
    ("text", "a_range", "a_version"),
    [
        ("1.0.0", False, True),
        ("v1.0", False, True),
        ("1.x", True, False),
        ("1.0.0-x.1", False, True),
        ("1.0.0+x", False, True),
        ("^1", True, False),
        ("1 - 2", True, False),
        ("1 || 2", True, False),
        ("1, 2", False, False),
        ("*", True, False),
    ],
)
def test_ranges_and_versions(text, a_range, a_version):
    assert (is_range(text), is_version(text)) == (a_range, a_version)


FILES = {
    "Chart_yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\nunknown: x # gone\n",
    "values_yaml": "a: 1 # kept\n",
    "values.schema.json": "{}",
    "templates/a.yaml": "kind: A\n",
    "README_md": "read\n",
    "charts/kid/Chart.yaml": "apiVersion: v2\nname: kid\nversion: 2.0.0\n",
    "charts/kid/templates/b.yaml": "kind: B\n",
}


def loaded(files):
    return load_chart(
        MemoryTree({name.replace("_", "."): text.encode() for name, text in files.items()})
    )


def test_a_package_holds_the_chart():
    made = loaded(FILES)
    again = load_chart(package_chart(made))
    assert package_name(made) == "shop-1.0.0.tgz"
    assert again.metadata == made.metadata
    for field in ("templates", "files", "values", "schema"):
        assert getattr(again, field) == getattr(made, field), field
    assert [(sub.name, sub.templates) for sub in again.subcharts] == [
        (sub.name, sub.templates) for sub in made.subcharts
    ]
    raw = {file.name: file.data for file in again.raw}
    assert raw["values.yaml"] == b"a: 1 # kept\n"
    assert b"unknown" not in raw["Chart.yaml"]


def test_a_package_is_the_same_every_time():
    assert package_chart(loaded(FILES)) == package_chart(loaded(dict(reversed(FILES.items()))))


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_the_lock_and_the_dependencies_of_a_package(api):
    again = load_chart(package_chart(locked_chart(api=api)))
    names = {file.name for file in again.raw}
    assert names & {"Chart.lock", "requirements.lock"} == {lock_name(again)}
    assert again.metadata["dependencies"] == chart().metadata["dependencies"]
    assert ("requirements.yaml" in names) is (api == "v1")
