"""`decide`, as a table: what was observed, and what follows from it."""

from types import MappingProxyType
from typing import NamedTuple

import pytest

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.meta import Artifact
from fluvial.kustomize.state import Proceed, Refuse, State, decide, retry_interval
from fluvial.toolkit import Stalled, Transient, Waiting
from fluvial.toolkit.dependencies import Dependency

NEW = "main@sha1:2"
ARTIFACT = Artifact(
    path="gitrepository/default/app/2.tar.gz",
    url="http://source/gitrepository/default/app/2.tar.gz",
    revision=NEW,
    digest="sha256:" + "0" * 64,
    last_update_time="2026-01-01T00:00:00Z",
)
MISSING = object()


def dependency(
    *,
    ready="True",
    generation=1,
    observed=1,
    applied=NEW,
    source="app",
    source_namespace=None,
    **more,
):
    reference = {"kind": "GitRepository", "name": source}
    if source_namespace:
        reference["namespace"] = source_namespace
    return {
        "metadata": {"name": "base", "namespace": "default", "generation": generation},
        "spec": {"sourceRef": reference},
        "status": {
            "observedGeneration": observed,
            "lastAppliedRevision": applied,
            "conditions": [{"type": "Ready", "status": ready}] if ready else [],
            **more,
        },
    }


class Case(NamedTuple):
    reason: str
    expected: tuple | None = None
    """The class of the refusal, its reason and a part of its message; None: it proceeds."""
    spec: dict = MappingProxyType({})
    flags: dict = MappingProxyType({})
    source: object = ARTIFACT
    dependency: object = None
    error: DecodeError | None = None


CROSS = {"sourceRef": {"kind": "GitRepository", "name": "app", "namespace": "other"}}
EXTERNAL = {"sourceRef": {"kind": "ExternalArtifact", "name": "app"}}
BASE = {"dependsOn": [{"name": "base"}]}
LOCKED = {"no_cross_namespace_refs": True}


def with_expression(text):
    return {"dependsOn": [{"name": "base", "readyExpr": text}]}


def health(**expressions):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "current": "true", **expressions}


CASES = [
    Case("an artifact and nothing else to wait for"),
    Case(
        "the source may be created later",
        (Waiting, "ArtifactFailed", "Source 'GitRepository/default/app' not found"),
        source=MISSING,
    ),
    Case(
        "a source without artifact will get one",
        (Waiting, "ArtifactFailed", "Source artifact not found"),
        source=None,
    ),
    Case(
        "a source that cannot be read is repaired by somebody else",
        (Transient, "ArtifactFailed", "digest"),
        source=None,
        error=DecodeError("GitRepository default/app", "status.artifact.digest", "a string"),
    ),
    Case("another namespace is allowed by default", spec=CROSS),
    Case(
        "tenants may be locked in",
        (Stalled, "AccessDenied", "'GitRepository/other/app'"),
        spec=CROSS,
        flags=LOCKED,
    ),
    Case(
        "naming one's own namespace crosses nothing",
        spec={"sourceRef": {"kind": "GitRepository", "name": "app", "namespace": "default"}},
        flags=LOCKED,
    ),
    Case(
        "a locked-in tenant cannot look at others' dependencies",
        (Stalled, "AccessDenied", "'Kustomization/other/base'"),
        spec={"dependsOn": [{"name": "base", "namespace": "other"}]},
        flags=LOCKED,
        dependency=dependency(),
    ),
    Case(
        "refused before anything is waited for: only an edit helps",
        (Stalled, "AccessDenied", ""),
        spec=CROSS,
        flags=LOCKED,
        source=MISSING,
    ),
    Case(
        "ExternalArtifact is off by default",
        (Stalled, "AccessDenied", "feature gate ExternalArtifact"),
        spec=EXTERNAL,
    ),
    Case(
        "ExternalArtifact when switched on",
        spec=EXTERNAL,
        flags={"feature_gates": "ExternalArtifact=true"},
    ),
    Case(
        "nothing encrypted is applied",
        (Stalled, "BuildFailed", "spec.decryption"),
        spec={"decryption": {"provider": "sops"}},
    ),
    Case(
        "a health expression that does not parse stays wrong",
        (Stalled, "InvalidCELExpression", "configuration error"),
        spec={"healthCheckExprs": [health(current="status.(")]},
    ),
    Case(
        "two health expressions for one kind contradict each other",
        (Stalled, "InvalidCELExpression", "two entries"),
        spec={"healthCheckExprs": [health(), health()]},
    ),
    Case(
        "readyExpr must be a boolean",
        (Stalled, "InvalidCELExpression", "not a boolean"),
        spec=with_expression("1 + 1"),
        dependency=dependency(),
    ),
    Case(
        "readyExpr knows self and dep only",
        (Stalled, "InvalidCELExpression", "configuration error"),
        spec=with_expression("other.ready == true"),
        dependency=dependency(),
    ),
    Case("a ready dependency at the same revision", spec=BASE, dependency=dependency()),
    Case(
        "a missing dependency may be created",
        (Waiting, "DependencyNotReady", "dependency 'default/base' not found"),
        spec=BASE,
        dependency=MISSING,
    ),
    Case(
        "a dependency that is not ready",
        (Waiting, "DependencyNotReady", "'default/base' is not ready"),
        spec=BASE,
        dependency=dependency(ready="False"),
    ),
    Case(
        "a dependency without conditions was never looked at",
        (Waiting, "DependencyNotReady", "is not ready"),
        spec=BASE,
        dependency=dependency(ready=None),
    ),
    Case(
        "Ready speaks of an older spec",
        (Waiting, "DependencyNotReady", "last generation"),
        spec=BASE,
        dependency=dependency(generation=2),
    ),
    Case(
        "of one source both are to be at one revision",
        (Waiting, "DependencyNotReady", "revision is not up to date"),
        spec=BASE,
        dependency=dependency(applied="main@sha1:1"),
    ),
    Case(
        "revisions of different sources cannot be compared",
        spec=BASE,
        dependency=dependency(source="infra", applied="main@sha1:1"),
    ),
    Case(
        "the same name in another namespace is another source",
        spec=BASE,
        dependency=dependency(source_namespace="infra", applied="main@sha1:1"),
    ),
    Case(
        "a true readyExpr stands for the built-in rule",
        spec=with_expression("dep.status.lastAppliedRevision != ''"),
        dependency=dependency(ready="False"),
    ),
    Case(
        "a false readyExpr",
        (Waiting, "DependencyNotReady", "according to readyExpr"),
        spec=with_expression("dep.metadata.name == self.metadata.name"),
        dependency=dependency(),
    ),
    Case(
        "a readyExpr over a field that is not there yet",
        (Waiting, "DependencyNotReady", "cannot be evaluated"),
        spec=with_expression("dep.status.missing.field == 1"),
        dependency=dependency(),
    ),
    Case(
        "the gate asks for both, the expression and the rule",
        (Waiting, "DependencyNotReady", "is not ready"),
        spec=with_expression("true"),
        flags={"feature_gates": "AdditiveCELDependencyCheck=true"},
        dependency=dependency(ready="False"),
    ),
    Case(
        "the source comes first: a dependency is nothing to report without one",
        (Waiting, "ArtifactFailed", ""),
        spec=BASE,
        source=None,
        dependency=MISSING,
    ),
]


def observed(case, raw):
    obj = decode(KUSTOMIZATION, raw)
    found = (
        ()
        if case.dependency is None
        else (None if case.dependency is MISSING else case.dependency,)
    )
    return State(
        obj=obj,
        raw=raw,
        source=None if case.source is MISSING else case.source,
        source_found=case.source is not MISSING,
        source_error=case.error,
        dependencies=tuple(
            Dependency(reference, one)
            for reference, one in zip(obj.spec.depends_on, found, strict=bool(found))
        ),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_decide(case, kustomization, make_flags):
    action = decide(observed(case, kustomization(**case.spec)), make_flags(**case.flags))
    if case.expected is None:
        assert action == Proceed(ARTIFACT)
        return
    kind, reason, part = case.expected
    assert isinstance(action, Refuse)
    assert type(action.error) is kind
    assert action.error.reason == reason
    assert part in action.error.message


def test_a_missing_source_is_looked_for_at_the_retry_interval(kustomization, make_flags):
    action = decide(observed(Case("", source=MISSING), kustomization()), make_flags())
    assert action.error.requeue_after == 60.0


@pytest.mark.parametrize(
    ("spec", "seconds", "reason"),
    [
        ({"retryInterval": "90s"}, 90.0, "its own field"),
        ({"retryInterval": "", "interval": "1h"}, 3600.0, "else the interval"),
    ],
)
def test_retry_interval(kustomization, spec, seconds, reason):
    assert retry_interval(decode(KUSTOMIZATION, kustomization(**spec))) == seconds, reason
