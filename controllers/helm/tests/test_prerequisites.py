"""What must hold before anything is released."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_CHART
from fluvial.apis.meta import DependencyReference
from fluvial.helm.flags import HelmFlags
from fluvial.helm.prerequisites import (
    ChartSource,
    check_dependencies,
    check_source,
    check_spec,
)
from fluvial.toolkit import Stalled, Transient, Waiting
from fluvial.toolkit.dependencies import Dependency

ARTIFACT = {
    "path": "a.tgz",
    "url": "http://localhost/a.tgz",
    "revision": "1.0.0",
    "digest": "sha256:00",
    "lastUpdateTime": "2026-01-01T00:00:00Z",
}
CHART = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "HelmChart",
    "metadata": {"name": "c", "namespace": "default", "generation": 2},
    "spec": {"chart": "a", "interval": "1m", "sourceRef": {"kind": "GitRepository", "name": "g"}},
    "status": {"observedGeneration": 2, "artifact": ARTIFACT},
}


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"healthCheckExprs": [{"apiVersion": "v1", "current": "("}]}, "InvalidCELExpression", ""),
        ({"dependsOn": [{"name": "a", "readyExpr": "other.x"}]}, "InvalidCELExpression", "other"),
        ({"test": {"enable": True}}, "ReconcileError", "spec.test.enable"),
        ({"driftDetection": {"mode": "warn"}}, "ReconcileError", "spec.driftDetection.mode"),
        ({"waitStrategy": {"name": "legacy"}}, "ReconcileError", "spec.waitStrategy.name"),
        ({"install": {"serverSideApply": False}}, "ReconcileError", "serverSideApply"),
        ({"upgrade": {"serverSideApply": "disabled"}}, "ReconcileError", "serverSideApply"),
        ({"chartRef": {"kind": "ExternalArtifact", "name": "e"}}, "AccessDenied", "feature gate"),
    ],
)
def test_what_only_an_edit_can_cure(model, spec, reason, message):
    problem = check_spec(model(**spec), HelmFlags())
    assert isinstance(problem, Stalled)
    assert problem.reason == reason
    assert message in problem.message


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"test": {"enable": False}},
        {"driftDetection": {"mode": "disabled"}},
        {"waitStrategy": {"name": "poller"}},
        {"install": {"serverSideApply": True}, "upgrade": {"serverSideApply": "auto"}},
    ],
)
def test_what_is_as_this_version_does_it_anyway(model, spec):
    assert check_spec(model(**spec), HelmFlags()) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"chartRef": {"kind": "HelmChart", "name": "c", "namespace": "other"}},
        {"dependsOn": [{"name": "a", "namespace": "other"}]},
    ],
)
def test_references_to_other_namespaces_can_be_refused(model, spec):
    assert check_spec(model(**spec), HelmFlags()) is None
    problem = check_spec(model(**spec), HelmFlags(no_cross_namespace_refs=True))
    assert isinstance(problem, Stalled)
    assert problem.reason == "AccessDenied"
    assert "other/" in problem.message


def test_the_first_dependency_that_is_not_ready_is_named(model, helm_release):
    found = [Dependency(DependencyReference(name="db", namespace="data"), None)]
    problem = check_dependencies(model(), helm_release(), found, HelmFlags())
    assert isinstance(problem, Waiting)
    assert problem.message == "dependency 'data/db' not found"


def source(**changes):
    raw = {**CHART, **changes}
    return ChartSource("HelmChart/default/c", raw, decode(HELM_CHART, raw).status.artifact)


def status(**changes):
    return {"status": {**CHART["status"], **changes}}


STALLED = [{"type": "Stalled", "status": "True", "reason": "X", "message": "no such chart",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]  # fmt: skip
NOT_READY = [{**STALLED[0], "type": "Ready", "status": "False", "message": "cloning"}]


@pytest.mark.parametrize(
    ("found", "message", "reason"),
    [
        (ChartSource("HelmChart/default/c", None), "not found", "there is none"),
        (source(**status(observedGeneration=1)), "not reconciled yet", "an older generation"),
        (source(**status(conditions=STALLED)), "no such chart", "it is stalled"),
        (source(**status(artifact=None)), "no artifact yet", "no artifact"),
        (source(**status(artifact=None, conditions=NOT_READY)), "cloning", "and it says why"),
    ],
)
def test_a_source_that_cannot_be_used_is_waited_for(found, message, reason):
    problem = check_source(found)
    assert isinstance(problem, Waiting), reason
    assert problem.reason == "SourceNotReady"
    assert message in problem.message, reason


def test_a_source_need_not_be_ready_to_be_used():
    artifact = check_source(source(**status(conditions=NOT_READY)))
    assert getattr(artifact, "revision", None) == "1.0.0"


def test_a_source_that_cannot_be_read_is_tried_again():
    problem = check_source(ChartSource("HelmChart/default/c", {}, error="HelmChart c: bad"))
    assert isinstance(problem, Transient)
    assert "bad" in problem.message
