import asyncio
import base64
import ssl

import pytest
from aiohttp import web

from fluvial.apis.flagger import MetricProvider
from fluvial.canary.metrics import NoValues, Prometheus, QueryError


def provider(address, **fields):
    return MetricProvider(type="prometheus", address=address, **fields)


def samples(*results):
    return {"status": "success", "data": {"result": list(results)}}


@pytest.fixture
def server(prometheus, session):
    return Prometheus(session, provider(prometheus.address))


@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        ("99.5", 99.5, "a number"),
        ("1e-3", 0.001, "with an exponent"),
        ("+Inf", float("inf"), "infinity is compared like any number"),
        (samples({"value": [1, "1"]}, {"value": [1, "2"]}), 2.0, "the last element counts"),
    ],
)
async def test_values(prometheus, server, answer, value, reason):
    prometheus.answer = answer
    assert await server.value("up") == value, reason


@pytest.mark.parametrize(
    ("answer", "error", "message", "reason"),
    [
        (samples(), NoValues, "no values found", "nothing selected"),
        ("NaN", NoValues, "no values found", "zero requests divided by zero"),
        ({"status": "success"}, NoValues, "no values found", "no data at all"),
        (
            samples({"values": [[1, "1"]]}),
            QueryError,
            "query returned multiple values",
            "a matrix, not a vector",
        ),
        (samples({"value": [1, "many"]}), QueryError, "not a number: 'many'", "no number"),
        (samples(["x"]), QueryError, "no result of a query", "of another shape"),
    ],
)
async def test_answers_without_a_value(prometheus, server, answer, error, message, reason):  # noqa: PLR0917 - a table
    prometheus.answer = answer
    with pytest.raises(error, match=message):
        await server.value("up")


def replying(status=200, body=b""):
    async def reply(_request):
        return web.Response(status=status, body=body)

    return reply


@pytest.mark.parametrize(
    ("answer", "message", "reason"),
    [
        (
            replying(400, b"parse error at char 3"),
            "Status 400 Bad Request: parse error at char 3",
            "what the server says about the query is passed on",
        ),
        (replying(503), "Status 503 Service Unavailable", "an outage"),
        (replying(200, b"<html>"), "no result of a query.*<html>", "a login page, say"),
        (replying(200, b" " * ((1 << 20) + 1)), "larger than 1 MiB", "bounded memory"),
    ],
)
async def test_failures_of_the_server(prometheus, server, answer, message, reason):
    prometheus.answer = answer
    with pytest.raises(QueryError, match=message):
        await server.value("up")


async def test_nobody_waits_longer_than_five_seconds(prometheus, server, monkeypatch):
    released = asyncio.Event()

    async def never(_request):
        await released.wait()
        return web.Response()

    prometheus.answer = never
    monkeypatch.setattr("fluvial.canary.metrics.prometheus._TIMEOUT", 0.05)
    with pytest.raises(QueryError, match=r"no answer within 0.05 seconds"):
        await server.value("up")
    released.set()


async def test_a_server_that_is_not_there(session, unused_tcp_port):
    server = Prometheus(session, provider(f"http://127.0.0.1:{unused_tcp_port}"))
    with pytest.raises(QueryError, match="request failed"):
        await server.value("up")


async def test_white_space_is_collapsed(prometheus, server):
    await server.value("\n\tsum(\n  up\n)  ")
    assert prometheus.queries == [" sum( up ) "]


@pytest.mark.parametrize(
    ("path", "expected", "reason"),
    [
        ("", "/api/v1/query", "the root"),
        ("/", "/api/v1/query", "a slash at the end"),
        ("/prom/team", "/prom/team/api/v1/query", "behind a prefix"),
        ("/prom/?x=1", "/prom/api/v1/query", "a query of the address is dropped"),
    ],
)
async def test_addresses(prometheus, session, path, expected, reason):
    await Prometheus(session, provider(prometheus.address + path)).value("up")
    assert prometheus.requests[0].path == expected, reason
    assert set(prometheus.requests[0].query) == {"query"}, reason


@pytest.mark.parametrize("address", ["", "prometheus:9090", "ftp://x", "http://", "http://[::1"])
def test_what_is_no_address(session, address):
    with pytest.raises(QueryError, match="is not a valid URL"):
        Prometheus(session, provider(address))


@pytest.mark.parametrize(
    ("secret", "header", "reason"),
    [
        ({"token": b"t0"}, "Bearer t0", "a token"),
        (
            {"username": b"u", "password": b"p:w"},
            f"Basic {base64.b64encode(b'u:p:w').decode()}",
            "a name and a password",
        ),
        (
            {"token": b"t0", "username": b"u", "password": b"p"},
            "Bearer t0",
            "a token outranks a password",
        ),
    ],
)
async def test_credentials(prometheus, session, secret, header, reason):
    await Prometheus(session, provider(prometheus.address), secret).value("up")
    assert prometheus.requests[0].headers["Authorization"] == header, reason


@pytest.mark.parametrize(
    ("secret", "missing"), [({}, "username"), ({"username": b"u"}, "password")]
)
def test_credentials_that_are_missing_are_named(session, secret, missing):
    with pytest.raises(QueryError, match=f"credentials does not contain a {missing}"):
        Prometheus(session, provider("http://127.0.0.1"), secret)


async def test_headers_are_sent_with_all_their_values(prometheus, session):
    headers = {"X-Scope-OrgID": ["team-a"], "X-Many": ["1", "2"]}
    await Prometheus(session, provider(prometheus.address, headers=headers)).value("up")
    sent = prometheus.requests[0].headers
    assert sent["X-Scope-OrgID"] == "team-a"
    assert sent.getall("X-Many") == ["1", "2"]


async def test_a_header_that_cannot_be_sent(prometheus, session):
    headers = {"X-Bad": ["a\r\nInjected: 1"]}
    server = Prometheus(session, provider(prometheus.address, headers=headers))
    with pytest.raises(QueryError, match="request failed"):
        await server.value("up")
    assert prometheus.requests == []


@pytest.mark.parametrize(("skip", "reached"), [(False, False), (True, True)])
async def test_certificates_are_verified_unless_told_otherwise(
    prometheus, session, monkeypatch, skip, reached
):
    seen = []

    def get(*_args, **options):
        seen.append(options["ssl"])
        raise ssl.SSLError("certificate verify failed")

    monkeypatch.setattr(session, "get", get)
    server = Prometheus(session, provider(prometheus.address, insecure_skip_verify=skip))
    with pytest.raises(QueryError, match="certificate verify failed"):
        await server.value("up")
    assert seen == [not reached]


@pytest.mark.parametrize(("answer", "online"), [("1", True), ("2", False)])
async def test_online(prometheus, server, answer, online):
    prometheus.answer = answer
    if online:
        await server.check_online()
    else:
        with pytest.raises(QueryError, match="value is not 1"):
            await server.check_online()
    assert prometheus.queries == ["vector(1)"]
