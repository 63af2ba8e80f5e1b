"""Health: what is checked, what the conditions say, and what may interrupt the wait."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.ids import ObjectId
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.checking import checked
from fluvial.toolkit.apply import Action, Change, ChangeSet
from fluvial.toolkit.testing import FakeClock

DONE = ("True", "ReconciliationSucceeded")
GROUP = "kustomize.toolkit.fluxcd.io"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  replicas: 1
"""

OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n"

OWN = ObjectId(GROUP, "Kustomization", "default", "apps")
MAP = ObjectId("", "ConfigMap", "default", "a")
SKIPPED = ObjectId("", "ConfigMap", "default", "skipped")
CHANGES = ChangeSet(
    [
        Change(MAP, "v1", Action.CREATED),
        Change(SKIPPED, "v1", Action.SKIPPED),
        Change(OWN, "v1", Action.UNCHANGED),
    ]
)
REFERENCES = [
    {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "namespace": "x"},
    {"kind": "StatefulSet", "name": "db", "namespace": "x"},
    {"apiVersion": "v1", "kind": "Service", "name": "web", "namespace": "x"},
    {"apiVersion": f"{GROUP}/v1", "kind": "Kustomization", "name": "apps", "namespace": "default"},
]


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        ({}, [], "nothing was asked for"),
        ({"wait": True}, [MAP], "all that was applied, less the skipped and itself"),
        ({"wait": True, "healthChecks": REFERENCES}, [MAP], "wait outranks the list"),
        (
            {"healthChecks": REFERENCES},
            [
                ObjectId("apps", "Deployment", "x", "web"),
                ObjectId("apps", "StatefulSet", "x", "db"),
                ObjectId("", "Service", "x", "web"),
            ],
            "only the group counts, apps where none is given; never itself",
        ),
    ],
)
def test_checked(kustomization, spec, expected, reason):
    obj = decode(KUSTOMIZATION, kustomization(**spec))
    assert checked(obj, CHANGES.checked) == expected, reason


def available(api):
    """Do what the cluster does when all replicas are up."""
    live = api.get("Deployment", "web")
    status = {
        "observedGeneration": live["metadata"]["generation"],
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1),
        "conditions": [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }
    api.put({**live, "status": status})


def unavailable(api):
    live = api.get("Deployment", "web")
    status = {"observedGeneration": live["metadata"]["generation"], "replicas": 0}
    api.put({**live, "status": status})


@pytest.fixture
def waiting(api):
    """Whether the controller is in its health check."""

    def holds():
        condition = api.condition("Healthy")
        return condition and condition["status"] == "Unknown" and api.has("Deployment", "web")

    return holds


async def test_ready_follows_health(api, source, running_controller, kustomization, waiting):
    revision = await source.push({"web.yaml": WEB})
    api.put(kustomization(wait=True, timeout="2m"))
    async with running_controller():
        await api.until(waiting)
        message = f"Running health checks for revision {revision} with a timeout of 2m0s"
        assert api.condition("Healthy")["message"] == message
        assert api.condition("Reconciling")["message"] == message
        assert api.status().get("lastAppliedRevision") is None
        unavailable(api)
        available(api)
        await api.until_ready(*DONE)
        await api.until(
            lambda: any(one.startswith("Health check passed in") for one in api.messages())
        )
    assert api.condition("Healthy")["reason"] == "Succeeded"
    assert [c["type"] for c in api.status()["conditions"]] == ["Ready", "Healthy"]


async def test_time_is_up(api, source, running_controller, kustomization, waiting):
    await source.push({"web.yaml": WEB})
    api.put(kustomization(wait=True, timeout="40s"))
    clock = FakeClock()
    async with running_controller(clock):
        await api.until(waiting)
        unavailable(api)
        await clock.scheduled(40.0)
        await clock.advance(40.0)
        await api.until_ready("False", "HealthCheckFailed")
        await clock.scheduled(60.0, tolerance=0.0)
    message = api.condition("Ready")["message"]
    assert message == (
        "health check failed after 40s: timeout waiting for: "
        "[Deployment/default/web status: 'InProgress']"
    )
    assert api.condition("Healthy")["message"] == message
    assert api.status()["history"][0]["lastReconciledStatus"] == "HealthCheckFailed"
    assert [e["id"] for e in api.status()["inventory"]["entries"]] == [
        "default_web_apps_Deployment"
    ]


async def test_recovery_is_told(api, source, running_controller, kustomization, waiting):
    await source.push({"web.yaml": WEB})
    api.put(kustomization(wait=True, timeout="40s"))
    clock = FakeClock()
    async with running_controller(clock):
        await api.until(waiting)
        await clock.scheduled(40.0)
        await clock.advance(40.0)
        await api.until_ready("False", "HealthCheckFailed")
        available(api)
        await clock.scheduled(60.0, tolerance=0.0)
        await clock.advance(60.0)
        await api.until_ready(*DONE)
        await api.until(
            lambda: any(one.startswith("Health check passed in") for one in api.messages())
        )
    assert [one["lastReconciledStatus"] for one in api.status()["history"]] == [
        "ReconciliationSucceeded",
        "HealthCheckFailed",
    ]


async def test_a_newer_revision_interrupts_the_wait_where_the_gate_says_so(
    api, source, running_controller, kustomization, waiting
):
    await source.push({"web.yaml": WEB})
    api.put(kustomization(wait=True, timeout="1h"))
    gates = "CancelHealthCheckOnNewRevision=true"
    async with running_controller(FakeClock(), feature_gates=gates):
        await api.until(waiting)
        await source.push({"other.yaml": OTHER})
        await api.until_ready(*DONE)
    assert not api.has("Deployment", "web")
    assert [one["lastReconciledStatus"] for one in api.status()["history"]] == [
        "ReconciliationSucceeded",
        "HealthCheckCanceled",
    ]


async def test_the_condition_goes_with_the_checks(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization(wait=True))
    async with running_controller():
        await api.until_ready(*DONE)
        assert api.condition("Healthy")["status"] == "True"
        live = api.get("Kustomization", "apps")
        api.put({**live, "spec": {**live["spec"], "wait": False}})
        await api.until(lambda: api.status()["observedGeneration"] == 2)
    assert api.condition("Healthy") is None


async def test_a_quiet_interval_leaves_the_condition_as_it_is(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization(wait=True))
    clock = FakeClock()
    async with running_controller(clock, interval_jitter_percentage=0):
        await api.until_ready(*DONE)
        await clock.scheduled(600.0)
        before, seen = api.get("Kustomization", "apps"), len(api.requests)
        await clock.advance(600.0)
        await api.until(lambda: any("dryRun" in r.query for r in api.requests[seen:]))
        await clock.scheduled(600.0)
    assert api.get("Kustomization", "apps") == before
