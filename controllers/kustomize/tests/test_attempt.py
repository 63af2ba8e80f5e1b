"""What an attempt knows: how long it may wait, and whether there is anything to prove."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.meta import Artifact
from fluvial.kustomize.attempt import health_timeout, is_settled

ARTIFACT = Artifact(
    path="p", url="http://u", revision="main@sha1:1", digest="sha256:0", last_update_time=""
)


@pytest.mark.parametrize(
    ("spec", "seconds", "reason"),
    [
        ({"interval": "10m"}, 570.0, "the interval less half a minute"),
        ({"interval": "40s"}, 30.0, "never below half a minute"),
        ({"timeout": "5m"}, 300.0, "as the spec says"),
        ({"timeout": "10s"}, 30.0, "also when the spec says less"),
        ({"timeout": "2h", "interval": "10m"}, 7200.0, "also beyond the interval"),
    ],
)
def test_health_timeout(kustomization, spec, seconds, reason):
    assert health_timeout(decode(KUSTOMIZATION, kustomization(**spec))) == seconds, reason


@pytest.mark.parametrize(
    ("status", "expected", "reason"),
    [
        (("True", 3, "main@sha1:1"), True, "applied, observed and ready"),
        (("False", 3, "main@sha1:1"), False, "the last attempt failed"),
        (("Unknown", 3, "main@sha1:1"), False, "the last attempt was killed"),
        (("True", 2, "main@sha1:1"), False, "another spec"),
        (("True", 3, "main@sha1:0"), False, "another revision"),
        ((None, -1, ""), False, "never looked at"),
    ],
)
def test_is_settled(kustomization, status, expected, reason):
    ready, observed, applied = status
    raw = kustomization()
    raw["metadata"]["generation"] = 3
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "Any",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    raw["status"] = {
        "observedGeneration": observed,
        "lastAppliedRevision": applied,
        "conditions": [condition] if ready else [],
    }
    assert is_settled(decode(KUSTOMIZATION, raw), ARTIFACT) is expected, reason
