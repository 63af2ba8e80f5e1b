"""StatefulSets and DaemonSets over an API."""

PODS = "v1/pods"
SETS = "apps/v1/statefulsets"
DAEMONS = "apps/v1/daemonsets"
REVISIONS = "apps/v1/controllerrevisions"
CLAIMS = "v1/persistentvolumeclaims"


def template(image="example.com/db:1", annotations=None):
    return {
        "metadata": {"labels": {"app": "db"}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "db", "image": image}]},
    }


def stateful(**more):
    return {
        "replicas": 3,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "template": template(),
        **more,
    }


def names(cluster):
    return [pod["metadata"]["name"] for pod in cluster.api.every(PODS)]


def images(cluster):
    return [pod["spec"]["containers"][0]["image"] for pod in cluster.api.every(PODS)]


async def test_numbered_pods_with_names_of_their_own(cluster):
    await cluster.create("StatefulSet", "db", stateful())
    await cluster.until(lambda: len(names(cluster)) == 3)
    await cluster.settled()
    assert names(cluster) == ["db-0", "db-1", "db-2"]
    pod = cluster.peek(PODS, "db-1")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    (revision,) = cluster.api.every(REVISIONS)
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert labels["apps.kubernetes.io/pod-index"] == "1"
    assert labels["controller-revision-hash"] == revision["metadata"]["name"]
    status = cluster.peek(SETS, "db")["status"]
    assert status == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revision["metadata"]["name"],
        "updateRevision": revision["metadata"]["name"],
        "collisionCount": 0,
    }


async def test_one_after_the_other(cluster):
    slow = template(annotations={"fluvial.dev/rollout-delay": "10s"})
    await cluster.create("StatefulSet", "db", stateful(template=slow))
    seen = []
    for _ in range(3):
        await cluster.settled()
        seen.append(len(names(cluster)))
        await cluster.advance(10)
    assert seen == [1, 2, 3]


async def test_an_update_goes_from_the_top_and_then_is_current(cluster):
    await cluster.create("StatefulSet", "db", stateful())
    await cluster.until(lambda: len(names(cluster)) == 3)
    await cluster.settled()
    change = {"spec": {"template": template("example.com/db:2")}}
    order = []

    def updated():
        fresh = [
            name
            for name, image in zip(names(cluster), images(cluster), strict=True)
            if image.endswith("2")
        ]
        order.extend(name for name in fresh if name not in order)
        status = cluster.peek(SETS, "db")["status"]
        return len(fresh) == 3 and status["currentRevision"] == status["updateRevision"]

    await cluster.patch(SETS, "db", change)
    await cluster.until(updated)
    assert order == ["db-2", "db-1", "db-0"]
    await cluster.settled()
    assert cluster.peek(SETS, "db")["status"]["updatedReplicas"] == 3


async def test_a_partition_keeps_the_lower_ones_old(cluster):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    await cluster.create("StatefulSet", "db", stateful(updateStrategy=strategy))
    await cluster.until(lambda: len(names(cluster)) == 3)
    await cluster.settled()
    await cluster.patch(SETS, "db", {"spec": {"template": template("example.com/db:2")}})
    await cluster.until(lambda: "example.com/db:2" in images(cluster))
    await cluster.settled()
    assert [image[-1] for image in images(cluster)] == ["1", "1", "2"]
    status = cluster.peek(SETS, "db")["status"]
    assert (status["updatedReplicas"], status["currentReplicas"]) == (1, 2)
    assert status["currentRevision"] != status["updateRevision"]


async def test_claims_are_made_bound_and_kept(cluster):
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    await cluster.create("StatefulSet", "db", stateful(replicas=1, volumeClaimTemplates=[claim]))

    def ready():
        return (cluster.peek(SETS, "db").get("status") or {}).get("readyReplicas") == 1

    await cluster.until(ready)
    bound = cluster.peek(CLAIMS, "data-db-0")
    assert bound["status"]["phase"] == "Bound"
    assert bound["status"]["capacity"] == {"storage": "1Gi"}
    volume = cluster.peek("v1/persistentvolumes", bound["spec"]["volumeName"], None)
    assert volume["status"]["phase"] == "Bound"
    assert volume["spec"]["claimRef"]["name"] == "data-db-0"
    (mounted,) = cluster.peek(PODS, "db-0")["spec"]["volumes"]
    assert mounted == {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}
    await cluster.patch(SETS, "db", {"spec": {"replicas": 0}})
    await cluster.until(lambda: not names(cluster))
    await cluster.settled()
    assert cluster.peek(CLAIMS, "data-db-0")["metadata"]["uid"] == bound["metadata"]["uid"]
    await cluster.api.delete(CLAIMS, "default", "data-db-0")
    await cluster.until(lambda: not cluster.api.every("v1/persistentvolumes"))


async def test_old_revisions_are_forgotten(cluster):
    await cluster.create("StatefulSet", "db", stateful(replicas=1, revisionHistoryLimit=1))
    for version in (1, 2, 3, 4):
        image = f"example.com/db:{version}"
        await cluster.patch(SETS, "db", {"spec": {"template": template(image)}})
        await cluster.until(lambda image=image: images(cluster) == [image])
        await cluster.settled()
    numbers = sorted(each["revision"] for each in cluster.api.every(REVISIONS))
    assert numbers == [3, 4]


def daemon(**more):
    return {"selector": {"matchLabels": {"app": "db"}}, "template": template(), **more}


async def test_one_pod_on_the_node(cluster):
    await cluster.create("DaemonSet", "agent", daemon())
    await cluster.until(lambda: len(names(cluster)) == 1)
    await cluster.settled()
    assert cluster.peek(DAEMONS, "agent")["status"] == {
        "currentNumberScheduled": 1,
        "desiredNumberScheduled": 1,
        "numberAvailable": 1,
        "numberMisscheduled": 0,
        "numberReady": 1,
        "observedGeneration": 1,
        "updatedNumberScheduled": 1,
    }


async def test_a_daemons_pod_is_replaced_by_an_update(cluster):
    await cluster.create("DaemonSet", "agent", daemon())
    await cluster.until(lambda: len(names(cluster)) == 1)
    await cluster.settled()
    await cluster.patch(DAEMONS, "agent", {"spec": {"template": template("example.com/db:2")}})
    await cluster.until(lambda: images(cluster) == ["example.com/db:2"])
    await cluster.settled()
    status = cluster.peek(DAEMONS, "agent")["status"]
    assert (status["updatedNumberScheduled"], status["observedGeneration"]) == (1, 2)


async def test_on_delete_waits_for_the_user(cluster):
    await cluster.create("DaemonSet", "agent", daemon(updateStrategy={"type": "OnDelete"}))
    await cluster.until(lambda: len(names(cluster)) == 1)
    await cluster.settled()
    await cluster.patch(DAEMONS, "agent", {"spec": {"template": template("example.com/db:2")}})
    await cluster.settled()
    assert images(cluster) == ["example.com/db:1"]
    assert "updatedNumberScheduled" not in cluster.peek(DAEMONS, "agent")["status"]
    await cluster.api.delete(PODS, "default", names(cluster)[0])
    await cluster.until(lambda: images(cluster) == ["example.com/db:2"])


async def test_a_node_that_does_not_fit_is_not_wanted(cluster):
    picky = template()
    picky["spec"]["nodeSelector"] = {"gpu": "yes"}
    await cluster.create("DaemonSet", "agent", daemon(template=picky))
    await cluster.settled()
    assert names(cluster) == []
    assert cluster.peek(DAEMONS, "agent")["status"]["desiredNumberScheduled"] == 0
