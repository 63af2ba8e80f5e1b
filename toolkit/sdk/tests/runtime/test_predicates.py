import pytest

from fluvial.toolkit import predicates as p
from fluvial.toolkit.informer import Change

REQUESTED = "reconcile.fluxcd.io/requestedAt"


def obj(generation=1, annotations=None, status=None, **metadata):
    return {
        "metadata": {"generation": generation, "annotations": annotations, **metadata},
        "status": status,
    }


def updated(old, new):
    return Change("updated", old, new)


def artifact(revision="r1", digest="d1"):
    return obj(status={"artifact": {"revision": revision, "digest": digest}})


def ready(status="True", generation=1):
    conditions = [{"type": "Ready", "status": status}]
    return obj(status={"observedGeneration": generation, "conditions": conditions})


@pytest.mark.parametrize(
    ("change", "expected", "reason"),
    [
        (Change("added", None, obj()), True, "seen for the first time"),
        (updated(obj(1), obj(2)), True, "another spec"),
        (updated(obj(), obj(status={"x": 1})), False, "only the status"),
        (updated(obj(), obj(labels={"a": "b"})), False, "only a label"),
        (updated(obj(), obj(deletionTimestamp="now")), True, "marked for deletion"),
        (updated(obj(), obj(annotations={REQUESTED: "1"})), True, "requested"),
        (
            updated(obj(annotations={REQUESTED: "1"}), obj(annotations={REQUESTED: "2"})),
            True,
            "requested again",
        ),
        (updated(obj(annotations={REQUESTED: "1"}), obj()), False, "a request was taken away"),
        (updated(obj(), obj(annotations={"x": "1"})), False, "somebody's annotation"),
        (updated(obj(), obj(annotations={"fluvial.dev/x": "1"})), True, "an annotation of ours"),
        (updated(obj(annotations={"fluvial.dev/x": "1"}), obj()), True, "ours was taken away"),
    ],
)
def test_what_wakes_a_controller_for_its_own_kind(change, expected, reason):
    assert p.spec_or_request(change) is expected, reason


@pytest.mark.parametrize(
    ("change", "expected", "reason"),
    [
        (Change("added", None, artifact()), True, "an artifact at start-up"),
        (Change("added", None, obj()), False, "a source without artifact"),
        (updated(obj(), artifact()), True, "the first artifact"),
        (updated(artifact(), artifact("r2")), True, "another revision"),
        (updated(artifact(), artifact(digest="d2")), True, "rebuilt: another digest"),
        (updated(artifact(), artifact()), False, "the same"),
        (updated(artifact(), obj()), False, "the artifact is gone: nothing to apply"),
        (Change("deleted", artifact(), None), False, "the source is gone: nothing to apply"),
    ],
)
def test_what_wakes_the_users_of_a_source(change, expected, reason):
    assert p.artifact_changed(change) is expected, reason


@pytest.mark.parametrize(
    ("change", "expected", "reason"),
    [
        (updated(ready("False"), ready()), True, "became ready"),
        (updated(obj(), ready()), True, "ready for the first time"),
        (updated(ready(), ready(generation=2)), True, "ready at another generation"),
        (updated(ready(), ready()), False, "ready as before"),
        (updated(ready(), ready("False")), False, "no longer ready: nobody waits for that"),
        (Change("deleted", ready(), None), False, "gone"),
    ],
)
def test_what_wakes_dependents(change, expected, reason):
    assert p.ready_changed(change) is expected, reason
