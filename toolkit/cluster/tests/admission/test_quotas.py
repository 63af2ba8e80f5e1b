"""What objects use of quotas, and which quotas are about them."""

from decimal import Decimal

import pytest

from fluvial.cluster.builtin.quotausage import applies, missing, shown, usage_of
from fluvial.cluster.standins.quotas import kinds_of


def container(name="c", **resources):
    return {"name": name, "image": "i", "resources": resources}


def pod(*containers, inits=(), phase="Running", **spec):
    parts = {"containers": list(containers), "initContainers": list(inits), **spec}
    return {"spec": parts, "status": {"phase": phase}}


SMALL, LARGE = {"cpu": "100m"}, {"cpu": "300m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("plural", "obj", "expected", "reason"),
    [
        ("configmaps", {}, {"count/configmaps": "1", "configmaps": "1"}, "both names"),
        ("endpoints", {}, {"count/endpoints": "1"}, "only the general name"),
        ("pods", pod(container()), {"count/pods": "1", "pods": "1"}, "asks for nothing"),
        ("pods", pod(container(), phase="Failed"), {"count/pods": "1"}, "ended: a place only"),
        (
            "pods",
            pod(container(requests=SMALL), container("d", requests=SMALL)),
            {"count/pods": "1", "pods": "1", "cpu": "0.2", "requests.cpu": "0.2"},
            "containers together",
        ),
        (
            "pods",
            pod(container(requests=SMALL), inits=[container("i", requests=LARGE)]),
            {
                "count/pods": "1", "pods": "1", "cpu": "0.3", "requests.cpu": "0.3",
                "memory": str(2**30), "requests.memory": str(2**30),
            },
            "an init container runs alone: the larger of both",
        ),
        (
            "pods",
            pod(container(limits=SMALL)),
            {"count/pods": "1", "pods": "1", "limits.cpu": "0.1"},
            "limits count by themselves",
        ),
        (
            "services",
            {"spec": {"type": "NodePort", "ports": [{}, {}]}},
            {"count/services": "1", "services": "1", "services.nodeports": "2"},
            "each port of the node",
        ),
        (
            "services",
            {"spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}},
            {"count/services": "1", "services": "1", "services.loadbalancers": "1"},
            "a balancer without ports of the node",
        ),
        (
            "persistentvolumeclaims",
            {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "2"}}}},
            {
                "count/persistentvolumeclaims": "1",
                "persistentvolumeclaims": "1",
                "requests.storage": "2",
                "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
                "fast.storageclass.storage.k8s.io/requests.storage": "2",
            },
            "by class too",
        ),
    ],
)  # fmt: skip
def test_usage(plural, obj, expected, reason):
    found = usage_of("", plural, obj)
    assert found == {name: Decimal(value) for name, value in expected.items()}, reason


def test_kinds_of_groups_are_counted_by_their_whole_name():
    assert usage_of("apps", "deployments", {}) == {"count/deployments.apps": Decimal(1)}
    assert kinds_of(["count/deployments.apps", "cpu", "services.nodeports"]) == {
        ("apps", "deployments"),
        ("", "pods"),
        ("", "services"),
    }


def of(operator, *values):
    term = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [term]}}


@pytest.mark.parametrize(
    ("spec", "obj", "expected", "reason"),
    [
        ({}, pod(container()), True, "no scope"),
        ({"scopes": ["BestEffort"]}, pod(container()), True, "asks for nothing"),
        ({"scopes": ["BestEffort"]}, pod(container(limits=SMALL)), False, "asks for something"),
        ({"scopes": ["NotBestEffort"]}, pod(container(requests=SMALL)), True, "asks"),
        ({"scopes": ["Terminating"]}, pod(container(), activeDeadlineSeconds=1), True, "will end"),
        ({"scopes": ["NotTerminating"]}, pod(container()), True, "runs on"),
        ({"scopes": ["Terminating", "BestEffort"]}, pod(container()), False, "all of them"),
        (of("In", "high"), pod(container(), priorityClassName="high"), True, "one of"),
        (of("NotIn", "high"), pod(container(), priorityClassName="high"), False, "none of"),
        (of("Exists"), pod(container()), False, "has none"),
        (of("DoesNotExist"), pod(container()), True, "has none, and is to"),
    ],
)
def test_scopes(spec, obj, expected, reason):
    assert applies({"spec": spec}, "pods", obj) is expected, reason


def test_scopes_take_only_pods():
    assert not applies({"spec": {"scopes": ["BestEffort"]}}, "services", {})
    assert applies({"spec": {}}, "services", {})


def test_what_containers_must_say():
    found = pod(container("b"), container("a", requests=SMALL), inits=[container("i")])
    assert missing(["requests.cpu", "pods"], found) == "must specify requests.cpu for: b,i"
    assert not missing(["pods"], found)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("requests.cpu", "0.25", "250m"),
        ("requests.memory", str(3 * 2**30), "3Gi"),
        ("requests.memory", "1000", "1k"),
        ("pods", "0", "0"),
    ],
)
def test_amounts_are_shown_in_their_units(name, value, expected):
    assert shown(name, Decimal(value)) == expected
