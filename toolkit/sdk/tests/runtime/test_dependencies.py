"""When a dependency is ready."""

import pytest

from fluvial.toolkit.dependencies import unready

READY = {
    "metadata": {"generation": 2, "labels": {"tier": "db"}},
    "status": {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]},
}
STALE = {**READY, "metadata": {"generation": 3}}
BROKEN = {
    **READY,
    "status": {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False"}]},
}
SELF = {"metadata": {"labels": {"needs": "db"}}}
MATCHES = "dep.metadata.labels.tier == self.metadata.labels.needs"


@pytest.mark.parametrize(
    ("dependency", "expression", "additive", "lacks", "reason"),
    [
        (READY, "", False, "", "the built-in rule"),
        (None, "", False, "not found", "there is none"),
        (None, "true", False, "not found", "an expression cannot make up for an object"),
        (STALE, "", False, "last generation", "Ready speaks of an older spec"),
        (BROKEN, "", False, "is not ready", "Ready is False"),
        ({"metadata": {"generation": 1}}, "", False, "last generation", "no status at all"),
        (BROKEN, "dep.metadata.generation == 2", False, "", "an expression replaces the rule"),
        (BROKEN, "dep.metadata.generation == 2", True, "is not ready", "both must hold"),
        (READY, MATCHES, True, "", "both hold, over both objects"),
        (READY, "dep.metadata.generation == 9", False, "according to readyExpr", "it is false"),
        (STALE, MATCHES, False, "cannot be evaluated", "it reads a field that is not there"),
    ],
)
def test_what_a_dependency_lacks(dependency, expression, additive, lacks, reason):
    found = unready(SELF, dependency, expression, additive=additive)
    assert lacks in found, reason
    assert bool(found) == bool(lacks), reason
