import pytest

from fluvial.cluster.standins.endpoints import backends_of, slices_of, subsets_of

ENDPOINTS = "v1/endpoints"
SLICES = "discovery.k8s.io/v1/endpointslices"


def service(port=None, **spec):
    port = port or {"port": 80, "targetPort": 8080}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [port], **spec},
    }


def pod(name, ip="127.9.9.9", *, ready=True, deleting=False, ports=(), phase="Running", app="web"):
    meta = {"name": name, "namespace": "default", "uid": f"u-{name}", "labels": {"app": app}}
    if deleting:
        meta["deletionTimestamp"] = "2026-05-04T12:00:00Z"
    return {
        "metadata": meta,
        "spec": {
            "nodeName": "fluvial",
            "containers": [
                {"ports": [{"name": n, "containerPort": p} for n, p in ports]},
            ],
        },
        "status": {
            "phase": phase,
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def shape(subsets):
    """Reduce subsets to ready names, other names and port numbers."""
    return [
        (
            [a["targetRef"]["name"] for a in each.get("addresses") or []],
            [a["targetRef"]["name"] for a in each.get("notReadyAddresses") or []],
            [p["port"] for p in each.get("ports") or []],
        )
        for each in subsets
    ]


NAMED = {"name": "http", "port": 80, "targetPort": "web"}


@pytest.mark.parametrize(
    ("of", "pods", "expected", "reason"),
    [
        (service(), [pod("a"), pod("b")], [(["a", "b"], [], [8080])], "by number"),
        (service({"port": 80}), [pod("a")], [(["a"], [], [80])], "the port itself by default"),
        (service(), [pod("a"), pod("b", ready=False)], [(["a"], ["b"], [8080])], "not ready"),
        (service(), [pod("a", deleting=True)], [], "one that leaves is no address"),
        (service(), [pod("a", phase="Succeeded")], [], "one that is done is none either"),
        (service(), [pod("a", ip="")], [], "no address yet"),
        (service(), [pod("a", app="other")], [], "not selected"),
        (service(NAMED), [pod("a", ports=[("web", 9000)])], [(["a"], [], [9000])], "by name"),
        (
            service(NAMED),
            [pod("a", ports=[("web", 9000)]), pod("b", ports=[("web", 9001)])],
            [(["a"], [], [9000]), (["b"], [], [9001])],
            "a name may mean another number in each pod",
        ),
        (service(NAMED), [pod("a")], [(["a"], [], [])], "a name that the pod does not have"),
        (
            service(publishNotReadyAddresses=True),
            [pod("a", ready=False)],
            [(["a"], [], [8080])],
            "published although not ready",
        ),
    ],
)
def test_subsets(of, pods, expected, reason):
    assert shape(subsets_of(of, backends_of(of, pods))) == expected, reason


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pod("a"), (True, True, False)),
        (pod("a", ready=False), (False, False, False)),
        (pod("a", deleting=True), (False, True, True)),
        (pod("a", ready=False, deleting=True), (False, False, True)),
    ],
    ids=["ready", "not ready", "terminating", "terminating and not ready"],
)
def test_conditions_of_a_slice(made, expected):
    (each,) = slices_of(service(), backends_of(service(), [made]))
    found = each["endpoints"][0]["conditions"]
    assert (found["ready"], found["serving"], found["terminating"]) == expected


async def test_objects_follow_the_pods(cluster):
    spec = {"selector": {"app": "web"}, "ports": [NAMED], "clusterIP": "10.0.0.9"}
    await cluster.create("Service", "web", spec, api="v1", labels={"team": "a"})
    await cluster.settled()
    (empty,) = cluster.api.every(SLICES)
    assert empty["endpoints"] == []
    assert empty["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    container = {
        "name": "c",
        "image": "example.com/a",
        "ports": [{"name": "web", "containerPort": 9000}],
    }
    await cluster.create("Pod", "p", {"containers": [container]}, api="v1", labels={"app": "web"})
    await cluster.until(lambda: cluster.peek(ENDPOINTS, "web").get("subsets"))
    await cluster.settled()
    address = cluster.peek("v1/pods", "p")["status"]["podIP"]
    (subset,) = cluster.peek(ENDPOINTS, "web")["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == [address]
    assert subset["ports"] == [{"name": "http", "port": 9000, "protocol": "TCP"}]
    (filled,) = cluster.api.every(SLICES)
    assert filled["metadata"]["uid"] == empty["metadata"]["uid"], "a slice is updated in place"
    assert filled["endpoints"][0]["addresses"] == [address]
    await cluster.patch("v1/pods", "p", {"metadata": {"labels": {"app": "other"}}})
    await cluster.until(lambda: not cluster.peek(ENDPOINTS, "web").get("subsets"))
    await cluster.api.delete("v1/services", "default", "web", "Background")
    await cluster.until(lambda: not cluster.api.every(SLICES))
    await cluster.until(lambda: not cluster.api.every(ENDPOINTS, "default"))


@pytest.mark.parametrize(
    "spec", [{"ports": [NAMED]}, {"type": "ExternalName", "selector": {"a": "b"}}]
)
async def test_services_without_pods_of_their_own_are_left_alone(cluster, spec):
    await cluster.create("Service", "web", spec, api="v1")
    await cluster.settled()
    assert cluster.api.every(SLICES) == []
    assert cluster.peek(ENDPOINTS, "web") is None
