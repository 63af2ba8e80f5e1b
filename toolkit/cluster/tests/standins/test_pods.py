"""Simulated pods: scheduling, scripts, restarts, and the ranking of deletion."""

import datetime as dt

import pytest

from fluvial.cluster.standins.pods import available_in, deletion_rank

PODS = "v1/pods"
SPEC = {"containers": [{"name": "c", "image": "example.com/app:1"}]}


async def run(cluster, spec=None, **annotations):
    marks = {f"fluvial.dev/{key.replace('_', '-')}": text for key, text in annotations.items()}
    await cluster.create("Pod", "p", spec or dict(SPEC), api="v1", annotations=marks)
    await cluster.settled()
    return cluster.peek(PODS, "p")


def state(pod):
    return pod["status"]["containerStatuses"][0]


def condition(pod, type_):
    return next(each for each in pod["status"]["conditions"] if each["type"] == type_)


async def test_any_other_image_runs_and_is_ready(cluster):
    pod = await run(cluster)
    assert pod["spec"]["nodeName"] == "fluvial"
    assert pod["status"]["phase"] == "Running"
    assert condition(pod, "Ready")["status"] == "True"
    assert pod["status"]["qosClass"] == "BestEffort"
    assert pod["status"]["podIP"].startswith("127.")
    assert "running" in state(pod)["state"]


async def test_ready_only_after_the_scripted_delay(cluster):
    pod = await run(cluster, rollout_delay="30s")
    assert condition(pod, "Ready")["reason"] == "ContainersNotReady"
    await cluster.advance(29)
    assert condition(cluster.peek(PODS, "p"), "Ready")["status"] == "False"
    await cluster.advance(1)
    assert condition(cluster.peek(PODS, "p"), "Ready")["status"] == "True"


async def test_never_ready(cluster):
    await run(cluster, never_ready="true")
    await cluster.advance(3600)
    pod = cluster.peek(PODS, "p")
    assert pod["status"]["phase"] == "Running"
    assert condition(pod, "Ready")["status"] == "False"


async def test_a_crash_loop_backs_off_further_and_further(cluster):
    pod = await run(cluster, crash_loop="true")
    assert state(pod)["restartCount"] == 1, "the first restart is at once"
    assert state(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state(pod)["state"]["waiting"]["message"].startswith(
        "back-off 10s restarting failed container=c pod=p_default("
    )
    assert state(pod)["lastState"]["terminated"]["exitCode"] == 1
    assert pod["status"]["phase"] == "Running"
    counts = []
    for seconds in (9, 1, 19, 1, 40):
        await cluster.advance(seconds)
        counts.append(state(cluster.peek(PODS, "p"))["restartCount"])
    assert counts == [1, 2, 2, 3, 4]


async def test_an_image_that_cannot_be_pulled(cluster):
    pod = await run(cluster, image_pull_failure="true")
    assert state(pod)["state"]["waiting"]["reason"] == "ErrImagePull"
    await cluster.advance(10)
    pod = cluster.peek(PODS, "p")
    assert state(pod)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert pod["status"]["phase"] == "Pending"


async def test_an_image_name_that_cannot_be_read(cluster):
    pod = await run(cluster, {"containers": [{"name": "c", "image": "Not An Image"}]})
    assert state(pod)["state"]["waiting"]["reason"] == "InvalidImageName"


@pytest.mark.parametrize(
    ("spec", "annotations", "message"),
    [
        (SPEC, {"unschedulable": "true"}, "0/1 nodes are available: 1 Insufficient cpu."),
        (
            {**SPEC, "nodeSelector": {"disk": "ssd"}},
            {},
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
        ),
    ],
)
async def test_unschedulable(cluster, spec, annotations, message):
    pod = await run(cluster, spec, **annotations)
    assert "nodeName" not in pod["spec"]
    assert pod["status"]["phase"] == "Pending"
    found = condition(pod, "PodScheduled")
    assert (found["reason"], found["message"]) == ("Unschedulable", message)


async def test_a_node_that_fits_later_takes_the_pod(cluster):
    await run(cluster, {**SPEC, "nodeSelector": {"disk": "ssd"}})
    await cluster.patch(
        "v1/nodes", "fluvial", {"metadata": {"labels": {"disk": "ssd"}}}, namespace=None
    )
    await cluster.settled()
    assert cluster.peek(PODS, "p")["status"]["phase"] == "Running"


async def test_another_schedulers_pod_is_left_alone(cluster):
    pod = await run(cluster, {**SPEC, "schedulerName": "mine"})
    assert "status" not in pod


@pytest.mark.parametrize(
    ("code", "policy", "phase", "restarts"),
    [
        ("0", "Never", "Succeeded", 0),
        ("3", "Never", "Failed", 0),
        ("0", "OnFailure", "Succeeded", 0),
        ("3", "OnFailure", "Running", 1),
    ],
)
async def test_restart_policies(cluster, code, policy, phase, restarts):
    pod = await run(cluster, {**SPEC, "restartPolicy": policy}, exit_code=code)
    assert (pod["status"]["phase"], state(pod)["restartCount"]) == (phase, restarts)


async def test_init_containers_run_first_and_sidecars_stay(cluster):
    spec = {
        "initContainers": [
            {"name": "first", "image": "example.com/init"},
            {"name": "side", "image": "example.com/side", "restartPolicy": "Always"},
        ],
        **SPEC,
    }
    pod = await run(cluster, spec)
    first, side = pod["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert "running" in side["state"]
    assert condition(pod, "Initialized")["status"] == "True"
    assert condition(pod, "Ready")["status"] == "True"


async def test_a_readiness_gate_holds_it_back(cluster):
    pod = await run(cluster, {**SPEC, "readinessGates": [{"conditionType": "example.com/lb"}]})
    assert condition(pod, "Ready")["reason"] == "ReadinessGatesNotReady"
    gate = {"type": "example.com/lb", "status": "True"}
    status = {"conditions": [*pod["status"]["conditions"], gate]}
    await cluster.api.patch_merge(PODS, "default", "p", {"status": status}, "status")
    await cluster.settled()
    assert condition(cluster.peek(PODS, "p"), "Ready")["status"] == "True"


async def test_a_deleted_pod_goes_once_its_containers_have_ended(cluster):
    await run(cluster)
    await cluster.api.delete(PODS, "default", "p")
    await cluster.until(lambda: cluster.peek(PODS, "p") is None)


async def test_the_node_reports_itself(cluster):
    node = cluster.peek("v1/nodes", "fluvial", None)
    found = {each["type"]: each["status"] for each in node["status"]["conditions"]}
    assert found == {
        "Ready": "True",
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
    }
    assert node["status"]["allocatable"]["pods"]


NOW = dt.datetime(2026, 5, 4, 12, 0, 30, tzinfo=dt.UTC)


def listed(name, *, ready=None, node="n", phase="Running", cost=None, restarts=0, made="00"):
    conditions = []
    if ready is not None:
        conditions = [
            {"type": "Ready", "status": "True", "lastTransitionTime": f"2026-05-04T12:00:{ready}Z"}
        ]
    meta = {"name": name, "creationTimestamp": f"2026-05-04T12:00:{made}Z"}
    if cost is not None:
        meta["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": str(cost)}
    statuses = [{"restartCount": restarts}]
    return {
        "metadata": meta,
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": statuses},
    }


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (listed("b", node=""), listed("a", ready="01"), "not assigned before assigned"),
        (listed("b", phase="Pending"), listed("a"), "pending before running"),
        (listed("b"), listed("a", ready="01"), "not ready before ready"),
        (listed("b", ready="01", cost=-5), listed("a", ready="01"), "lower cost first"),
        (listed("b", ready="20"), listed("a", ready="01"), "ready for a shorter time"),
        (listed("b", ready="01", restarts=3), listed("a", ready="01"), "more restarts"),
        (listed("b", ready="01", made="09"), listed("a", ready="01"), "newer first"),
    ],
)
def test_which_pod_goes_first(first, second, reason):
    assert sorted([second, first], key=deletion_rank) == [first, second], reason


@pytest.mark.parametrize(
    ("pod", "seconds", "expected"),
    [
        (listed("a"), 0, None),
        (listed("a", ready="10"), 0, 0.0),
        (listed("a", ready="10"), 20, 0.0),
        (listed("a", ready="10"), 25, 5.0),
    ],
)
def test_availability(pod, seconds, expected):
    assert available_in(pod, seconds, NOW) == expected
