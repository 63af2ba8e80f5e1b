"""Events: what is told of pods and their owners, counted when it repeats, and forgotten."""

import datetime as dt

import pytest

EVENTS = "v1/events"
DEPLOYMENTS = "apps/v1/deployments"


def deployment(replicas=1, **annotations):
    marked = {f"fluvial.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}, "annotations": marked},
            "spec": {"containers": [{"name": "c", "image": "example.com/web:1"}]},
        },
    }


def told(cluster, kind):
    """Return reason, message and type of each event about a kind."""
    return {
        (each["reason"], each["message"], each["type"])
        for each in cluster.api.every(EVENTS)
        if each["involvedObject"]["kind"] == kind
    }


def reasons(cluster, kind):
    return {each[0] for each in told(cluster, kind)}


async def test_a_rollout_is_told(cluster):
    await cluster.create("Deployment", "web", deployment(2))
    wanted = {"Scheduled", "Pulled", "Created", "Started"}
    await cluster.until(lambda: reasons(cluster, "Pod") >= wanted)
    await cluster.until(lambda: reasons(cluster, "ReplicaSet") == {"SuccessfulCreate"})
    (replica_set,) = cluster.api.every("apps/v1/replicasets")
    name = replica_set["metadata"]["name"]
    text = f"Scaled up replica set {name} from 0 to 2"
    await cluster.until(
        lambda: ("ScalingReplicaSet", text, "Normal") in told(cluster, "Deployment")
    )
    started = next(each for each in cluster.api.every(EVENTS) if each["reason"] == "Started")
    assert started["involvedObject"]["fieldPath"] == "spec.containers{c}"
    assert started["source"] == {"component": "kubelet"}


async def test_the_way_down_is_told(cluster):
    await cluster.create("Deployment", "web", deployment(1))
    await cluster.until(lambda: "Started" in reasons(cluster, "Pod"))
    await cluster.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 0}})
    await cluster.until(lambda: "Killing" in reasons(cluster, "Pod"))
    await cluster.until(lambda: "SuccessfulDelete" in reasons(cluster, "ReplicaSet"))


@pytest.mark.parametrize(
    ("script", "expected", "reason"),
    [
        ({"image_pull_failure": "true"}, ("Failed", "Error: ErrImagePull"), "no image"),
        ({"unschedulable": "true"}, ("FailedScheduling", "0/1 nodes are available"), "no node"),
        ({"crash_loop": "true"}, ("BackOff", "Back-off restarting failed container c"), "crash"),
    ],
)
async def test_trouble_is_a_warning(cluster, script, expected, reason):
    await cluster.create("Deployment", "web", deployment(1, **script))
    await cluster.until(
        lambda: any(
            each[0] == expected[0] and each[1].startswith(expected[1]) and each[2] == "Warning"
            for each in told(cluster, "Pod")
        )
    )
    assert reason


async def test_what_repeats_is_counted(cluster):
    await cluster.create("Deployment", "web", deployment(1, crash_loop="true"))

    def count():
        return max(e["count"] for e in cluster.api.every(EVENTS) if e["reason"] == "Started")

    await cluster.until(lambda: "Started" in reasons(cluster, "Pod"))
    await cluster.until(lambda: "BackOff" in reasons(cluster, "Pod"))
    for _ in range(4):
        await cluster.advance(30)
    await cluster.until(lambda: count() > 2)
    started = [each for each in cluster.api.every(EVENTS) if each["reason"] == "Started"]
    assert len(started) == 1


async def test_events_are_forgotten_after_an_hour(cluster, timer):
    await cluster.create("Deployment", "web", deployment(1))
    await cluster.until(lambda: "Started" in reasons(cluster, "Pod"))
    await cluster.settled()
    before = timer.now()
    while timer.now() < before + dt.timedelta(hours=1, minutes=6):
        await cluster.advance(300)
    await cluster.until(lambda: not told(cluster, "Pod"))


async def test_a_job_says_that_it_is_done(cluster):
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    await cluster.create("Job", "once", {"template": template}, api="batch/v1")
    await cluster.until(lambda: ("Completed", "Job completed", "Normal") in told(cluster, "Job"))


async def test_a_rescale_is_told_with_its_reason(cluster):
    await cluster.create("Deployment", "web", deployment(1))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 3}
    await cluster.create("HorizontalPodAutoscaler", "web", spec, api="autoscaling/v2")
    text = "New size: 2; reason: Current number of replicas below Spec.MinReplicas"
    await cluster.until(
        lambda: ("SuccessfulRescale", text, "Normal") in told(cluster, "HorizontalPodAutoscaler")
    )
