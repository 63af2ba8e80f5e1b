import pytest

from fluvial.apis.meta import Artifact, LocalObjectReference
from fluvial.apis.source import GitRepository, GitRepositoryInclude, GitRepositorySpec
from fluvial.source.gitrepository.state import Build, Keep, State, decide, differences

OLD, NEW = f"main@sha1:{'a' * 40}", f"main@sha1:{'b' * 40}"

CASES = [
    (State(None, NEW), Build(NEW, None, f"new upstream revision '{NEW}'"), "nothing stored yet"),
    (State(NEW, NEW), Keep(NEW), "the same revision, the same settings"),
    (
        State(f"main/{'b' * 40}", NEW),
        Keep(NEW),
        "the same revision as a controller of 2022 wrote it",
    ),
    (
        State(OLD, NEW),
        Build(NEW, "NewRevision", f"new upstream revision '{NEW}'"),
        "the remote moved",
    ),
    (
        State(OLD, NEW, ("include", "ignore")),
        Build(NEW, "NewRevision", f"new upstream revision '{NEW}'"),
        "a new revision says it all",
    ),
    (
        State(NEW, NEW, ("ignore", "include")),
        Build(NEW, "IncludeChange", "included artifacts differ from last observed"),
        "what is included moved",
    ),
    (
        State(NEW, NEW, ("ignore", "sparseCheckout")),
        Build(NEW, None, "ignore, sparseCheckout changed"),
        "other settings of the same revision: nothing upstream is newer",
    ),
    (
        State(None, NEW, ("ignore",)),
        Build(NEW, None, f"new upstream revision '{NEW}'"),
        "no artifact could be outdated",
    ),
]


@pytest.mark.parametrize(("state", "action", "reason"), CASES)
def test_decision(state, action, reason):
    assert decide(state) == action, reason


def repository():
    spec = GitRepositorySpec(url="https://git.test/a", interval="1m")
    return GitRepository(spec=spec)


def artifact(revision, digest="sha256:0"):
    return Artifact(
        path="p", url="u", revision=revision, digest=digest, last_update_time="2026-01-01T00:00:00Z"
    )


def test_nothing_differs_at_first():
    assert differences(repository(), []) == ()


def test_no_rules_and_empty_rules_differ():
    obj = repository()
    obj.spec.ignore = ""
    assert differences(obj, []) == ("ignore",)


def test_the_order_of_sparse_folders_counts():
    obj = repository()
    obj.spec.sparse_checkout, obj.status.observed_sparse_checkout = ["a", "b"], ["b", "a"]
    assert differences(obj, []) == ("sparseCheckout",)


@pytest.mark.parametrize(
    ("now", "then", "expected", "reason"),
    [
        ([], [], (), "none"),
        ([artifact("r1")], [artifact("r1")], (), "the same"),
        ([artifact("r2")], [artifact("r1")], ("include",), "another revision"),
        ([artifact("r1", "sha256:1")], [artifact("r1")], ("include",), "another digest"),
        ([artifact("r1")], [], ("include",), "one more"),
    ],
)
def test_included_artifacts(now, then, expected, reason):
    obj = repository()
    obj.status.included_artifacts = then
    assert differences(obj, now) == expected, reason


def test_another_place_for_an_include():
    obj = repository()
    one = GitRepositoryInclude(repository=LocalObjectReference(name="one"))
    two = GitRepositoryInclude(repository=LocalObjectReference(name="one"), to_path="elsewhere")
    obj.spec.include, obj.status.observed_include = [two], [one]
    assert differences(obj, []) == ("include",)
