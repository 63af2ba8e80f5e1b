import msgspec
import pytest

from fluvial.canary.routers import OPT_OUT, InvalidRoute, PodSelection, Services

PODS = PodSelection("app", "podinfo")
PORT = {"name": "http", "protocol": "TCP", "port": 9898, "targetPort": 9898}


@pytest.fixture
def services(client):
    return Services(client)


async def test_all_three_are_created(api, services, canary):
    await services.initialize(canary(), PODS)
    await services.reconcile(canary(), PODS)
    selectors = {
        name: api.get("Service", name)["spec"]["selector"]
        for name in ("podinfo", "podinfo-primary", "podinfo-canary")
    }
    assert selectors == {
        "podinfo": {"app": "podinfo-primary"},
        "podinfo-primary": {"app": "podinfo-primary"},
        "podinfo-canary": {"app": "podinfo"},
    }
    made = api.get("Service", "podinfo-canary")
    assert made["spec"]["ports"] == [PORT]
    assert made["spec"]["type"] == "ClusterIP"
    assert made["metadata"]["labels"] == {"app": "podinfo-canary"}
    assert made["metadata"]["annotations"] == OPT_OUT
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "name": "podinfo",
            "uid": "u-1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


async def test_a_second_time_writes_nothing(api, services, canary):
    for _ in range(2):
        await services.initialize(canary(), PODS)
        await services.reconcile(canary(), PODS)
    assert [write.method for write in api.writes()] == ["POST"] * 3


@pytest.mark.parametrize(
    ("service", "expected", "reason"),
    [
        ({"targetPort": 0}, {"targetPort": 9898}, "zero is unset"),
        ({"targetPort": "http"}, {"targetPort": "http"}, "a port by name"),
        ({"targetPort": 80}, {"targetPort": 80}, "a port by number"),
        ({"portName": "grpc"}, {"name": "grpc"}, "the port's name tells the protocol"),
        ({"appProtocol": "h2c"}, {"appProtocol": "h2c"}, "copied to the first port"),
    ],
)
async def test_the_first_port(api, services, canary, service, expected, reason):  # noqa: PLR0917 - a table
    await services.reconcile(canary(service=service), PODS)
    assert api.get("Service", "podinfo")["spec"]["ports"] == [PORT | expected], reason


async def test_discovered_ports_follow_the_first_one(api, services, canary):
    pods = PodSelection("app", "podinfo", {"metrics": 9797})
    await services.reconcile(canary(service={"headless": True}), pods)
    spec = api.get("Service", "podinfo")["spec"]
    assert spec["clusterIP"] == "None"
    assert [port["port"] for port in spec["ports"]] == [9898, 9797]


async def test_drift_of_selector_and_ports_is_corrected(api, services, canary):
    await services.reconcile(canary(), PODS)
    drifted = api.get("Service", "podinfo")
    drifted["spec"]["selector"] = {"app": "elsewhere", "tier": "web"}
    drifted["spec"]["ports"] = [PORT | {"port": 1}]
    api.put(drifted)
    await services.reconcile(canary(), PODS)
    spec = api.get("Service", "podinfo")["spec"]
    assert spec["selector"] == {"app": "podinfo-primary"}
    assert spec["ports"] == [PORT]


async def test_metadata_follows_the_canary_but_for_unmanaged_keys(api, services, canary):
    await services.reconcile(canary(service={"apex": {"labels": {"team": "a", "old": "x"}}}), PODS)
    changed = api.get("Service", "podinfo")
    changed["metadata"]["annotations"] |= {"cloud/ip": "1.2.3.4", "stray": "x"}
    api.put(changed)
    service = {
        "apex": {"labels": {"team": "b"}},
        "unmanagedMetadata": {"annotations": ["cloud/ip"], "labels": ["absent"]},
    }
    await services.reconcile(canary(service=service), PODS)
    metadata = api.get("Service", "podinfo")["metadata"]
    assert metadata["labels"] == {"team": "b", "app": "podinfo"}
    assert metadata["annotations"] == {**OPT_OUT, "cloud/ip": "1.2.3.4"}


def adopted(**metadata):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "podinfo", "namespace": "default", **metadata},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "podinfo"},
            "ports": [{**PORT, "nodePort": 30123}],
        },
    }


async def test_a_service_that_was_there_is_taken_over(api, services, canary):
    api.put(adopted(labels={"mine": "yes"}, annotations={"note": "kept"}))
    await services.reconcile(canary(service={"apex": {"labels": {"team": "a"}}}), PODS)
    taken = api.get("Service", "podinfo")
    assert taken["spec"]["selector"] == {"app": "podinfo-primary"}
    assert taken["spec"]["ports"] == [{**PORT, "nodePort": 30123}]
    assert taken["spec"]["type"] == "NodePort"
    assert taken["metadata"]["labels"] == {"mine": "yes"}
    assert taken["metadata"]["annotations"] == {"note": "kept", **OPT_OUT}


async def test_an_adopted_service_is_given_back(api, services, canary):
    api.put(adopted())
    await services.reconcile(canary(), PODS)
    await services.finalize(canary(), PODS)
    assert api.get("Service", "podinfo")["spec"]["selector"] == {"app": "podinfo"}


async def test_it_is_given_back_as_kubectl_recorded_it(api, services, canary):
    recorded = msgspec.json.encode({"spec": {"selector": {"app": "podinfo", "tier": "web"}}})
    key = "kubectl.kubernetes.io/last-applied-configuration"
    api.put(adopted(annotations={key: recorded.decode()}))
    await services.reconcile(canary(), PODS)
    await services.finalize(canary(), PODS)
    selector = api.get("Service", "podinfo")["spec"]["selector"]
    assert selector == {"app": "podinfo", "tier": "web"}


async def test_a_broken_record_is_named(api, services, canary):
    key = "kubectl.kubernetes.io/last-applied-configuration"
    api.put(adopted(annotations={key: "{"}))
    with pytest.raises(InvalidRoute, match=r"Service podinfo: the annotation .* is no JSON"):
        await services.finalize(canary(), PODS)


async def test_an_own_service_is_left_to_the_collector(api, services, canary):
    await services.reconcile(canary(), PODS)
    await services.finalize(canary(), PODS)
    assert api.get("Service", "podinfo")["spec"]["selector"] == {"app": "podinfo-primary"}
