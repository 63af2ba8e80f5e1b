import pytest

DEPLOYMENTS = "apps/v1/deployments"
SETS = "apps/v1/replicasets"
PODS = "v1/pods"


def spec(replicas=2, image="example.com/app:1", annotations=None, **more):
    return {
        "replicas": replicas,
        "progressDeadlineSeconds": 60,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {"app": "a"}},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
        "template": {
            "metadata": {"labels": {"app": "a"}, "annotations": annotations or {}},
            "spec": {"containers": [{"name": "app", "image": image}]},
        },
        **more,
    }


def new_image(image, annotations=None):
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    if annotations:
        template["metadata"] = {"annotations": annotations}
    return {"spec": {"template": template}}


def condition(obj, type_):
    found = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in found if each["type"] == type_), {})


async def progressing(cluster, reason, name="a"):
    def reached():
        obj = cluster.peek(DEPLOYMENTS, name)
        return obj if condition(obj, "Progressing").get("reason") == reason else None

    return await cluster.until(reached)


async def test_becomes_available_with_the_conditions_of_upstream(cluster):
    await cluster.create("Deployment", "a", spec(), annotations={"team": "web"})
    done = await progressing(cluster, "NewReplicaSetAvailable")
    (owned,) = cluster.api.every(SETS)
    status = done["status"]
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (2, 2, 2)
    assert status["observedGeneration"] == done["metadata"]["generation"]
    assert "unavailableReplicas" not in status
    assert condition(done, "Available")["reason"] == "MinimumReplicasAvailable"
    name = owned["metadata"]["name"]
    message = f'ReplicaSet "{name}" has successfully progressed.'
    assert condition(done, "Progressing")["message"] == message
    hashed = owned["metadata"]["labels"]["pod-template-hash"]
    assert name == f"a-{hashed}"
    assert owned["spec"]["selector"]["matchLabels"] == {"app": "a", "pod-template-hash": hashed}
    assert owned["metadata"]["annotations"] == {
        "team": "web",
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "2",
        "deployment.kubernetes.io/max-replicas": "3",
    }
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    pods = cluster.api.every(PODS)
    assert {pod["metadata"]["labels"]["pod-template-hash"] for pod in pods} == {hashed}
    assert all(
        pod["metadata"]["ownerReferences"][0]["uid"] == owned["metadata"]["uid"] for pod in pods
    )


async def test_nothing_is_written_once_it_stands(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    before = len(cluster.api.writes)
    await cluster.advance(3600)
    assert cluster.api.writes[before:] == []


async def test_a_rolling_update_never_goes_below_what_must_be_available(cluster):
    await cluster.create("Deployment", "a", spec(replicas=4))
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    lowest, highest = [], []

    def watch_pods():
        pods = [
            pod for pod in cluster.api.every(PODS) if not pod["metadata"].get("deletionTimestamp")
        ]
        lowest.append(sum(condition(pod, "Ready").get("status") == "True" for pod in pods))
        highest.append(sum(each["spec"]["replicas"] for each in cluster.api.every(SETS)))
        obj = cluster.peek(DEPLOYMENTS, "a")
        return (
            obj["status"].get("observedGeneration") == 2
            and condition(obj, "Progressing")["reason"] == "NewReplicaSetAvailable"
            and obj["status"]["updatedReplicas"] == 4
            and obj["status"]["replicas"] == 4
        )

    await cluster.patch(DEPLOYMENTS, "a", new_image("example.com/app:2"))
    await cluster.until(watch_pods)
    assert min(lowest) >= 3
    assert max(highest) <= 5
    obj = cluster.peek(DEPLOYMENTS, "a")
    assert obj["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    sizes = {
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: each["spec"][
            "replicas"
        ]
        for each in cluster.api.every(SETS)
    }
    assert sizes == {"1": 0, "2": 4}


async def test_rolling_back_takes_the_old_set_under_a_new_revision(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    first = cluster.api.every(SETS)[0]["metadata"]["name"]
    await cluster.patch(DEPLOYMENTS, "a", new_image("example.com/app:2"))
    await cluster.settled()
    await cluster.patch(DEPLOYMENTS, "a", new_image("example.com/app:1"))
    await cluster.settled()
    assert len(cluster.api.every(SETS)) == 2
    back = cluster.peek(SETS, first)
    assert back["spec"]["replicas"] == 2
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


async def test_a_version_that_never_gets_ready_runs_into_its_deadline(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    bad = new_image("example.com/app:2", {"fluvial.dev/never-ready": "true"})
    await cluster.patch(DEPLOYMENTS, "a", bad)
    await progressing(cluster, "ReplicaSetUpdated")
    await cluster.settled()
    await cluster.advance(50)
    still = cluster.peek(DEPLOYMENTS, "a")
    assert condition(still, "Progressing")["reason"] == "ReplicaSetUpdated"
    await cluster.advance(12)
    late = cluster.peek(DEPLOYMENTS, "a")
    found = condition(late, "Progressing")
    assert (found["status"], found["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert found["message"].endswith("has timed out progressing.")
    assert condition(late, "Available")["status"] == "True"


async def test_unavailable_until_ready(cluster):
    slow = {"fluvial.dev/rollout-delay": "5s"}
    await cluster.create("Deployment", "a", spec(annotations=slow))
    await progressing(cluster, "ReplicaSetUpdated")
    await cluster.settled()
    obj = cluster.peek(DEPLOYMENTS, "a")
    assert condition(obj, "Available")["reason"] == "MinimumReplicasUnavailable"
    assert obj["status"]["unavailableReplicas"] == 2
    await cluster.advance(5)
    await progressing(cluster, "NewReplicaSetAvailable")


async def test_min_ready_seconds_delay_availability_not_readiness(cluster):
    await cluster.create("Deployment", "a", spec(minReadySeconds=10))
    await cluster.settled()
    obj = cluster.peek(DEPLOYMENTS, "a")
    assert (obj["status"]["readyReplicas"], obj["status"].get("availableReplicas")) == (2, None)
    await cluster.advance(10)
    assert cluster.peek(DEPLOYMENTS, "a")["status"]["availableReplicas"] == 2


async def test_recreate_starts_the_new_pods_only_after_the_old_ones_are_gone(cluster):
    await cluster.create("Deployment", "a", spec(strategy={"type": "Recreate"}))
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    versions = []

    def done():
        running = [
            pod
            for pod in cluster.api.every(PODS)
            if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
        ]
        images = {pod["spec"]["containers"][0]["image"] for pod in running}
        versions.append(images)
        return len(running) == 2 and images == {"example.com/app:2"}

    await cluster.patch(DEPLOYMENTS, "a", new_image("example.com/app:2"))
    await cluster.until(done)
    assert all(len(images) <= 1 for images in versions)
    await progressing(cluster, "NewReplicaSetAvailable")


async def test_paused_it_scales_but_does_not_roll(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    pause = new_image("example.com/app:2")
    pause["spec"] |= {"paused": True, "replicas": 3}
    await cluster.patch(DEPLOYMENTS, "a", pause)
    await cluster.settled()
    obj = cluster.peek(DEPLOYMENTS, "a")
    assert condition(obj, "Progressing")["reason"] == "DeploymentPaused"
    (only,) = cluster.api.every(SETS)
    assert only["spec"]["replicas"] == 3
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    await cluster.patch(DEPLOYMENTS, "a", {"spec": {"paused": None}})
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.settled()
    assert cluster.peek(DEPLOYMENTS, "a")["status"]["updatedReplicas"] == 3


@pytest.mark.parametrize("replicas", [0, 5], ids=["to zero", "up"])
async def test_scaling_keeps_the_revision(cluster, replicas):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.patch(DEPLOYMENTS, "a", {"spec": {"replicas": replicas}})
    await cluster.until(lambda: len(cluster.api.every(PODS)) == replicas)
    await cluster.settled()
    obj = cluster.peek(DEPLOYMENTS, "a")
    assert obj["status"].get("availableReplicas", 0) == replicas
    assert obj["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert condition(obj, "Progressing")["reason"] == "NewReplicaSetAvailable"


async def test_old_sets_beyond_the_history_limit_go(cluster):
    await cluster.create("Deployment", "a", spec(revisionHistoryLimit=1))
    await progressing(cluster, "NewReplicaSetAvailable")
    for version in (2, 3, 4):
        await cluster.settled()
        await cluster.patch(DEPLOYMENTS, "a", new_image(f"example.com/app:{version}"))
    await cluster.settled()
    revisions = {
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for each in cluster.api.every(SETS)
    }
    assert revisions == {"3", "4"}


async def test_pods_that_cannot_be_created_show_on_set_and_deployment(cluster, forbidden):
    cluster.api.refuse[PODS] = forbidden
    await cluster.create("Deployment", "a", spec())

    def failed():
        found = condition(cluster.peek(DEPLOYMENTS, "a"), "ReplicaFailure")
        return found or None

    found = await cluster.until(failed)
    assert (found["status"], found["reason"]) == ("True", "FailedCreate")
    assert "exceeded quota" in found["message"]
    cluster.api.refuse.clear()
    await cluster.advance(60)
    await progressing(cluster, "NewReplicaSetAvailable")
    assert condition(cluster.peek(DEPLOYMENTS, "a"), "ReplicaFailure") == {}


async def test_deleting_it_collects_sets_and_pods(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.api.delete(DEPLOYMENTS, "default", "a", "Background")
    await cluster.until(lambda: not cluster.api.every(SETS) and not cluster.api.every(PODS))


async def test_orphans_are_adopted_again(cluster):
    await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    await cluster.api.delete(DEPLOYMENTS, "default", "a", "Orphan")
    await cluster.until(lambda: cluster.peek(DEPLOYMENTS, "a") is None)
    (orphan,) = cluster.api.every(SETS)
    assert not orphan["metadata"].get("ownerReferences")
    again = await cluster.create("Deployment", "a", spec())
    await progressing(cluster, "NewReplicaSetAvailable")
    (adopted,) = cluster.api.every(SETS)
    assert adopted["metadata"]["uid"] == orphan["metadata"]["uid"]
    assert adopted["metadata"]["ownerReferences"][0]["uid"] == again["metadata"]["uid"]
