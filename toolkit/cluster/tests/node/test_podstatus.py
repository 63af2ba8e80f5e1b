import datetime as dt

import pytest

from fluvial.cluster.node.podstatus import compute, quality_of

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
WAITING = {"waiting": {"reason": "ContainerCreating"}}
RUNNING = {"running": {"startedAt": "2026-05-04T12:00:00Z"}}


def ended(code):
    return {"terminated": {"exitCode": code}}


def entry(state, name="web", *, ready=False, last=None, started=True):
    return {
        "name": name,
        "state": state,
        "lastState": last or {},
        "ready": ready,
        "started": started,
    }


def pod(**spec):
    return {"metadata": {"generation": 1}, "spec": {"containers": [], **spec}}


@pytest.mark.parametrize(
    ("containers", "over", "phase", "ready", "reason"),
    [
        (([], [entry(WAITING)]), False, "Pending", "ContainersNotReady", "nothing runs yet"),
        (([], [entry(RUNNING)]), False, "Running", "ContainersNotReady", "runs, not ready"),
        (([], [entry(RUNNING, ready=True)]), False, "Running", "", "ready"),
        (
            ([], [entry(RUNNING, ready=True), entry(WAITING, "side")]),
            False,
            "Running",
            "ContainersNotReady",
            "one of two",
        ),
        (
            ([], [entry(WAITING, last=ended(1))]),
            False,
            "Running",
            "ContainersNotReady",
            "a crash loop is Running, not Pending",
        ),
        (([], [entry(ended(0))]), True, "Succeeded", "PodCompleted", "ran to its end"),
        (([], [entry(ended(0)), entry(ended(2), "b")]), True, "Failed", "PodFailed", "one failed"),
        (
            ([entry(RUNNING, "i")], [entry(WAITING)]),
            False,
            "Pending",
            "ContainersNotReady",
            "an init container runs",
        ),
        (
            ([entry(ended(0), "i")], [entry(RUNNING, ready=True)]),
            False,
            "Running",
            "",
            "after a good init container",
        ),
    ],
)
def test_phase_and_readiness(containers, over, phase, ready, reason):
    status = compute(pod(), *containers, over=over, now=NOW)
    found = {each["type"]: each for each in status["conditions"]}
    assert (status["phase"], found["Ready"].get("reason", "")) == (phase, ready), reason
    assert found["Ready"]["status"] == ("False" if ready else "True")


def test_an_init_container_that_runs_is_named():
    status = compute(pod(), [entry(RUNNING, "i")], [entry(WAITING)], over=False, now=NOW)
    found = {each["type"]: each for each in status["conditions"]}
    assert found["Initialized"]["message"] == "containers with incomplete status: [i]"


def test_a_sidecar_counts_once_it_started():
    spec = pod(initContainers=[{"name": "proxy", "restartPolicy": "Always"}])
    for started, phase in ((False, "Pending"), (True, "Running")):
        inits = [entry(RUNNING, "proxy", started=started)]
        mains = [entry(RUNNING, ready=True)]
        assert compute(spec, inits, mains, over=False, now=NOW)["phase"] == phase


def test_a_closed_readiness_gate_holds_ready_and_stays():
    gate = {"type": "example.com/gate", "status": "False"}
    spec = pod(readinessGates=[{"conditionType": "example.com/gate"}])
    spec["status"] = {"conditions": [gate]}
    mains = [entry(RUNNING, ready=True)]
    status = compute(spec, [], mains, over=False, now=NOW)
    found = {each["type"]: each for each in status["conditions"]}
    assert found["ContainersReady"]["status"] == "True"
    assert found["Ready"]["reason"] == "ReadinessGatesNotReady"
    assert found["example.com/gate"] == gate
    gate["status"] = "True"
    status = compute(spec, [], mains, over=False, now=NOW)
    assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"


def test_transition_times_move_only_with_the_status():
    spec = pod()
    first = compute(spec, [], [entry(RUNNING)], over=False, now=NOW)
    spec["status"] = first
    later = NOW + dt.timedelta(minutes=1)
    assert compute(spec, [], [entry(RUNNING)], over=False, now=later) == first
    changed = compute(spec, [], [entry(RUNNING, ready=True)], over=False, now=later)
    times = {each["type"]: each["lastTransitionTime"] for each in changed["conditions"]}
    assert times["Ready"] == "2026-05-04T12:01:00Z"
    assert times["Initialized"] == "2026-05-04T12:00:00Z"


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": BOTH}], "Guaranteed"),
        ([{"limits": BOTH, "requests": {"cpu": "500m"}}], "Burstable"),
        ([{"limits": BOTH}, {}], "Burstable"),
    ],
)
def test_quality(resources, expected):
    assert quality_of({"containers": [{"resources": each} for each in resources]}) == expected
