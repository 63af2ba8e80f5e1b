"""Calls of webhooks: what is said when one cannot be asked, and where a Service leads."""

import asyncio
import base64
import socket

import pytest

from fluvial.cluster.endpoints.admission.calls import Caller, CallError
from fluvial.cluster.endpoints.admission.review import ReviewError, Sent, read
from fluvial.cluster.endpoints.admission.services import ServiceError, Services


@pytest.fixture
def caller(endpoints):
    return Caller(Services(endpoints.access))


async def failure(caller, config, seconds=5):
    with pytest.raises(CallError) as error:
        await caller.call(config, b'{"request": {"uid": "u"}}', seconds)
    return str(error.value)


@pytest.mark.parametrize(
    ("status", "body", "expected", "reason"),
    [
        (404, "x", "the server could not find the requested resource", "no such path"),
        (429, "x", "the server has received too many requests and has asked us to try again", ""),
        (503, "x", "the server is currently unable to handle the request", "unavailable"),
        (500, "boom", 'an error on the server ("boom") has prevented the request', "quoted"),
        (500, "", 'an error on the server ("unknown") has prevented the request', "nothing to say"),
        (302, "x", "the server responded with the status code 302", "not followed"),
        (418, '{"kind": "Status", "message": "teapot"}', "teapot", "a Status speaks for itself"),
    ],
)
async def test_an_answer_that_is_no_success(caller, hook, *, status, body, expected, reason):
    hook.raw = (status, body)
    assert (await failure(caller, hook.config)).startswith(expected), reason


async def test_a_certificate_of_another_authority(caller, hook):
    found = await failure(caller, {"url": hook.config["url"]})
    assert found.endswith("x509: certificate signed by unknown authority")


async def test_a_certificate_for_another_name(caller, hook):
    url = hook.config["url"].replace("127.0.0.1", "127.0.0.2")
    found = await failure(caller, {**hook.config, "url": url})
    assert "connect: connection refused" in found or "certificate is not valid" in found


@pytest.mark.parametrize("bundle", ["!!", base64.b64encode(b"no certificate").decode()])
async def test_a_bundle_that_is_none(caller, hook, bundle):
    found = await failure(caller, {**hook.config, "caBundle": bundle})
    assert found.startswith("unable to load root certificates")


async def test_a_server_without_tls(caller):
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = await failure(caller, {"url": f"https://127.0.0.1:{port}/x"})
    assert "server gave HTTP response to HTTPS client" in found


async def test_nobody_listens(caller):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{probe.getsockname()[1]}/x"
        found = await failure(caller, {"url": url})
    where = url.removeprefix("https://").removesuffix("/x")
    assert found == f'Post "{url}?timeout=5s": dial tcp {where}: connect: connection refused'


async def test_time_is_up(caller, hook):
    async def never(request):
        await asyncio.Event().wait()

    hook.answer = never
    found = await failure(caller, hook.config, seconds=1)
    assert found.endswith("context deadline exceeded")


SENT = Sent("u", "v1", b"")
OLD = Sent("u", "v1beta1", b"")
HEAD = b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": '


@pytest.mark.parametrize(
    ("body", "mutating", "expected", "reason"),
    [
        (b"no json", False, "no JSON object", "not JSON"),
        (b"{}", False, "webhook response was absent", "no response"),
        (HEAD + b'{"uid": "x"}}', False, 'expected response.uid="u", got "x"', "another uid"),
        (HEAD + b"{}}", False, 'expected response.uid="u", got ""', "no uid"),
        (HEAD.replace(b"/v1", b"/v2") + b'{"uid": "u"}}', False, "got admission.k8s.io/v2", "kind"),
        (HEAD + b'{"uid": "u", "patch": "W10="}}', False, "may not return response.patch", ""),
        (
            HEAD + b'{"uid": "u", "patchType": "JSONPatch"}}',
            False, "may not return response.patchType", "",
        ),
        (HEAD + b'{"uid": "u", "patch": "W10="}}', True, "but not response.patchType", "no type"),
        (
            HEAD + b'{"uid": "u", "patchType": "JSONPatch"}}',
            True, "but not response.patch", "no patch",
        ),
        (
            HEAD + b'{"uid": "u", "patchType": "JSONPatch", "patch": "e30="}}',
            True, "undecodable patch", "no list",
        ),
        (
            HEAD + b'{"uid": "u", "patchType": "JSONPatch", "patch": "%%"}}',
            True, "undecodable patch", "no base64",
        ),
        (
            HEAD + b'{"uid": "u", "patchType": "Merge", "patch": "W3sib3AiOiJ4In1d"}}',
            True, 'unsupported patch type "Merge"', "another type",
        ),
    ],
)  # fmt: skip
def test_answers_that_are_none(body, mutating, expected, reason):
    with pytest.raises(ReviewError) as error:
        read(SENT, body, mutating=mutating)
    assert expected in str(error.value), reason


def test_older_answers_need_no_identity():
    found = read(OLD, b'{"response": {"allowed": true, "patch": "W10="}}', mutating=True)
    assert (found.allowed, found.patch) == (True, [])


@pytest.mark.parametrize(
    ("service", "slices", "port", "expected", "reason"),
    [
        (None, [], 443, 'service "s" not found', "no Service"),
        ({"ports": [{"port": 80}]}, [], 443, 'no service port 443 found for service "s"', "port"),
        ({"ports": [{"port": 443}]}, [], 443, 'no endpoints available for service "s"', "empty"),
        (
            {"ports": [{"port": 443, "name": "web"}]},
            [("other", 1, True)], 443, 'no endpoints available for service "s"', "another name",
        ),
        (
            {"ports": [{"port": 443, "name": "web"}]},
            [("web", 1, False)], 443, 'no endpoints available for service "s"', "none is ready",
        ),
        (
            {"ports": [{"port": 443, "name": "web"}]},
            [("web", 8443, True)], 443, ("10.1.0.1", 8443), "the port of the endpoint",
        ),
        (
            {"type": "ExternalName", "externalName": "example.com"},
            [], 8443, ("example.com", 8443), "elsewhere",
        ),
    ],
)  # fmt: skip
async def test_where_a_service_leads(endpoints, api, *, service, slices, port, expected, reason):
    meta = {"name": "s", "namespace": "default"}
    if service is not None:
        await api.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service})
    for index, (name, number, ready) in enumerate(slices):
        await api.create(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"s-{index}",
                    "namespace": "default",
                    "labels": {"kubernetes.io/service-name": "s"},
                },
                "addressType": "IPv4",
                "ports": [{"name": name, "port": number}],
                "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": ready}}],
            }
        )
    reference = {"namespace": "default", "name": "s", "port": port}
    services = Services(endpoints.access)
    if isinstance(expected, str):
        with pytest.raises(ServiceError) as error:
            services.resolve(reference)
        assert str(error.value) == expected, reason
    else:
        assert services.resolve(reference) == expected, reason
