"""What the statuses say, and how what cannot be served is refused."""

import asyncio
import socket

import pytest

from fluvial.cluster.gateway.controller import CLASSES, GATEWAYS, ROUTES
from fluvial.cluster.gateway.definitions import definitions, definitions_yaml
from fluvial.render import yaml


def by_type(conditions):
    return {each["type"]: each for each in conditions}


async def test_a_gateway_and_its_listeners_say_what_they_serve(world):
    await world.service("web")
    await world.route("web", [{"backendRefs": [{"name": "web", "port": 80}]}])
    gateway = await world.until(
        GATEWAYS, "main", lambda obj: obj["status"]["listeners"][0]["attachedRoutes"] and obj
    )
    (listener,) = gateway["status"]["listeners"]
    assert listener["attachedRoutes"] == 1
    conditions = by_type(gateway["status"]["conditions"])
    assert conditions["Accepted"]["status"] == conditions["Programmed"]["status"] == "True"
    assert conditions["Programmed"]["observedGeneration"] == gateway["metadata"]["generation"]
    assert gateway["status"]["addresses"][0]["value"].startswith("127.")
    assert by_type(listener["conditions"])["Conflicted"]["status"] == "False"
    found = await world.api.get(CLASSES, None, "fluvial")
    assert by_type(found["status"]["conditions"])["Accepted"]["status"] == "True"


async def test_classes_of_other_controllers_are_left_alone(bare):
    spec = {"controllerName": "example.com/other"}
    await bare.make("GatewayClass", "other", spec, namespace=None)
    await bare.make(
        "GatewayClass", "fluvial", {"controllerName": "fluvial.dev/gateway"}, namespace=None
    )
    await bare.gateway("theirs", gatewayClassName="other")
    await bare.gateway("ours")
    await bare.programmed("ours")
    assert "status" not in await bare.api.get(GATEWAYS, "default", "theirs")
    assert "status" not in await bare.api.get(CLASSES, None, "other")


BACKEND = {"backendRefs": [{"name": "web", "port": 80}]}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            {"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}]},
            "spec.rules[0].filters[0].type: RequestRedirect is not supported",
        ),
        ({"retry": {"attempts": 2}}, "spec.rules[0].retry is not supported"),
        (
            {"matches": [{"path": {"type": "RegularExpression", "value": "/(?=a)"}}]},
            "spec.rules[0].matches[0].path: invalid regular expression: invalid perl operator: (?=",
        ),
        (
            {
                "matches": [{"path": {"type": "Exact", "value": "/a"}}],
                "filters": [
                    {
                        "type": "URLRewrite",
                        "urlRewrite": {
                            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
                        },
                    }
                ],
            },
            "ReplacePrefixMatch needs matches of type PathPrefix, not Exact",
        ),
        (
            {
                "filters": [
                    {
                        "type": "RequestHeaderModifier",
                        "requestHeaderModifier": {"set": [{"name": "Host", "value": "a"}]},
                    }
                ]
            },
            "the header 'Host' cannot be changed",
        ),
    ],
    ids=["redirect", "retry", "pattern", "rewrite", "host"],
)
async def test_what_cannot_be_done_is_refused_and_the_old_rules_go(world, rule, text):
    await world.service("web")
    await world.route("web", [BACKEND])
    await world.eventually(503)
    found = await world.change("web", {"spec": {"rules": [BACKEND | rule]}})
    assert (found["Accepted"]["status"], found["Accepted"]["reason"]) == (
        "False",
        "UnsupportedValue",
    )
    assert text in found["Accepted"]["message"]
    await world.eventually(404)
    found = await world.change("web", {"spec": {"rules": [BACKEND]}})
    assert found["Accepted"]["status"] == "True"
    await world.eventually(503)


@pytest.mark.parametrize(
    ("parent", "spec", "reason"),
    [
        ({"sectionName": "missing"}, {}, "NoMatchingParent"),
        ({"port": 1}, {}, "NoMatchingParent"),
        ({"sectionName": "named"}, {"hostnames": ["other.org"]}, "NoMatchingListenerHostname"),
        ({"sectionName": "closed"}, {}, "NotAllowedByListeners"),
    ],
)
async def test_a_route_that_does_not_attach_is_told_why(world, parent, spec, reason):
    listeners = [
        {"name": "named", "port": 8081, "protocol": "HTTP", "hostname": "*.example.com"},
        {
            "name": "closed",
            "port": 8082,
            "protocol": "HTTP",
            "allowedRoutes": {"namespaces": {"from": "None"}},
        },
    ]
    await world.gateway("more", listeners)
    await world.programmed("more")
    found = await world.route("web", [BACKEND], parentRefs=[{"name": "more"} | parent], **spec)
    assert (found["Accepted"]["status"], found["Accepted"]["reason"]) == ("False", reason)


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "web", "port": 81}, "BackendNotFound"),
        ({"name": "web", "namespace": "kube-system", "port": 80}, "RefNotPermitted"),
        ({"name": "web", "kind": "ConfigMap", "port": 80}, "InvalidKind"),
    ],
)
async def test_a_backend_that_cannot_be_used_answers_500(world, ref, reason):
    await world.service("web")
    found = await world.route("web", [{"backendRefs": [ref]}])
    assert found["Accepted"]["status"] == "True"
    assert (found["ResolvedRefs"]["status"], found["ResolvedRefs"]["reason"]) == ("False", reason)
    await world.eventually(500)


async def test_listeners_that_cannot_serve_say_so(world):
    listeners = [
        {"name": "good", "port": 8081, "protocol": "HTTP"},
        {"name": "tls", "port": 8443, "protocol": "HTTPS"},
        {"name": "a", "port": 8082, "protocol": "HTTP"},
        {"name": "b", "port": 8082, "protocol": "HTTP"},
    ]
    await world.gateway("mixed", listeners)
    await world.programmed("mixed")
    status = (await world.api.get(GATEWAYS, "default", "mixed"))["status"]
    assert by_type(status["conditions"])["Accepted"]["reason"] == "ListenersNotValid"
    reasons = {
        each["name"]: by_type(each["conditions"])["Accepted"]["reason"]
        for each in status["listeners"]
    }
    assert reasons == {
        "good": "Accepted",
        "tls": "UnsupportedProtocol",
        "a": "HostnameConflict",
        "b": "HostnameConflict",
    }


async def test_a_port_that_is_taken_is_told_and_does_not_hold_up_the_others(world):
    await world.service("web")
    await world.route("web", [BACKEND])
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        listeners = [{"name": "http", "port": taken.getsockname()[1], "protocol": "HTTP"}]
        await world.gateway("late", listeners)

        def refused(obj):
            found = by_type((obj.get("status") or {}).get("conditions") or [])
            programmed = found.get("Programmed", {})
            return programmed.get("status") == "False" and programmed

        found = await world.until(GATEWAYS, "late", refused)
        assert found["reason"] == "Invalid"
        found = await world.change("web", {"spec": {"rules": [{"backendRefs": []}]}})
        assert found["Accepted"]["status"] == "True"
        await world.eventually(500)


async def test_a_deleted_route_and_gateway_stop_serving(world):
    await world.service("web")
    await world.route("web", [BACKEND])
    await world.eventually(503)
    await world.api.delete(ROUTES, "default", "web")
    await world.eventually(404)
    await world.api.delete(GATEWAYS, "default", "main")
    async with asyncio.timeout(30):
        while True:
            try:
                await world.version()
            except ConnectionRefusedError:
                break
            except ConnectionResetError:
                # It was accepted just before the listener went.
                continue


def test_the_printed_definitions_are_the_three_kinds_and_read_back():
    kinds = [each["spec"]["names"]["kind"] for each in yaml.load_all(definitions_yaml())]
    assert kinds == ["GatewayClass", "Gateway", "HTTPRoute"]
    assert yaml.load_all(definitions_yaml()) == definitions()
