# ruff: noqa: PLR0917 -- fixtures and the columns of a table are all positional
"""What goes over the wire, and what comes of the answers."""

import itertools

import pytest
from aiohttp import web

from fluvial.toolkit.client import (
    AlreadyExists,
    ApiError,
    Client,
    ClusterConfig,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    LeaseLost,
    NotFound,
    Resource,
    ServerUnavailable,
    Timeout,
    TooManyRequests,
    TransportError,
    Unauthorized,
)
from fluvial.toolkit.metrics import Metrics


class Recorder:
    """Answers in turn, the last answer for ever, and remembers the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.bodies = []

    async def __call__(self, request):
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer()


@pytest.mark.parametrize(
    ("code", "reason", "expected", "why"),
    [
        (400, "BadRequest", Invalid, "a malformed request is refused like a malformed object"),
        (401, "Unauthorized", Unauthorized, "also after new credentials were tried"),
        (403, "Forbidden", Forbidden, "RBAC or admission"),
        (404, "NotFound", NotFound, "object or resource"),
        (409, "AlreadyExists", AlreadyExists, "the reason tells the two 409s apart"),
        (409, "Conflict", Conflict, "an old resource version"),
        (410, "Expired", Gone, "a compacted version"),
        (422, "Invalid", Invalid, "validation"),
        (429, "TooManyRequests", TooManyRequests, "load"),
        (500, "InternalError", ServerUnavailable, "a failing webhook, etcd, …"),
        (503, "ServiceUnavailable", ServerUnavailable, "starting or stopping"),
        (504, "Timeout", Timeout, "a slow etcd"),
        (418, "", ApiError, "anything else is still an ApiError"),
    ],
)
async def test_each_status_has_its_error(
    connect, impatient, failure, configmaps, code, reason, expected, why
):
    client = await connect(Recorder(lambda: failure(code, reason, "said so")), clock=impatient)
    with pytest.raises(ApiError) as caught:
        await client.get(configmaps, "a", "default")
    assert type(caught.value) is expected, why
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert str(caught.value) == "said so"


async def test_causes_and_retry_come_from_the_status(connect, answer, configmaps):
    cause = {"reason": "FieldValueInvalid", "message": "immutable", "field": "spec.selector"}
    body = {"kind": "Status", "code": 422, "reason": "Invalid", "details": {"causes": [cause]}}
    client = await connect(Recorder(lambda: answer(body, 422)))
    with pytest.raises(Invalid) as caught:
        await client.patch(configmaps, "a", {}, "default")
    assert caught.value.causes[0].field == "spec.selector"


async def test_an_answer_that_is_no_status_is_quoted_and_cut(connect, configmaps):
    handler = Recorder(lambda: web.Response(status=403, text="proxy says no " * 1000))
    client = await connect(handler)
    with pytest.raises(Forbidden, match="proxy says no") as caught:
        await client.get(configmaps, "a", "default")
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("call", "method", "path", "query", "content"),
    [
        pytest.param(
            lambda c, r: c.get(r, "a", "ns", subresource="status"),
            "GET", "/api/v1/namespaces/ns/configmaps/a/status", {}, None,
            id="get",
        ),
        pytest.param(
            lambda c, r: c.create(r, {"metadata": {"namespace": "ns"}}, dry_run=True),
            "POST", "/api/v1/namespaces/ns/configmaps", {"dryRun": "All"}, "application/json",
            id="create",
        ),
        pytest.param(
            lambda c, r: c.patch(
                r, "a", {}, "ns", type="apply", field_manager="me", force=True
            ),
            "PATCH", "/api/v1/namespaces/ns/configmaps/a",
            {"fieldManager": "me", "force": "true"}, "application/apply-patch+yaml",
            id="apply",
        ),
        pytest.param(
            lambda c, r: c.patch(r, "a", {}, "ns", subresource="status"),
            "PATCH", "/api/v1/namespaces/ns/configmaps/a/status", {},
            "application/merge-patch+json",
            id="merge",
        ),
        pytest.param(
            lambda c, r: c.patch(r, "a", [], "ns", type="json"),
            "PATCH", "/api/v1/namespaces/ns/configmaps/a", {}, "application/json-patch+json",
            id="json",
        ),
        pytest.param(
            lambda c, r: c.delete(r, "a", "ns"),
            "DELETE", "/api/v1/namespaces/ns/configmaps/a", {}, "application/json",
            id="delete",
        ),
    ],
)  # fmt: skip
async def test_calls_on_the_wire(
    connect,
    answer,
    configmaps,
    call,
    method,
    path,
    query,
    content,
):
    handler = Recorder(lambda: answer({}))
    client = await connect(handler, user_agent="source-controller/1.0")
    await call(client, configmaps)
    request = handler.requests[0]
    assert (request.method, request.path, dict(request.query)) == (method, path, query)
    assert request.headers.get("Content-Type") == content
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.headers["User-Agent"] == "source-controller/1.0"
    assert "Impersonate-User" not in request.headers


async def test_a_delete_carries_its_preconditions(connect, answer, configmaps):
    handler = Recorder(lambda: answer({}))
    client = await connect(handler)
    await client.delete(configmaps, "a", "ns", uid="u1", propagation="Foreground")
    assert b'"propagationPolicy":"Foreground"' in handler.bodies[0]
    assert b'"preconditions":{"uid":"u1"}' in handler.bodies[0]


async def test_impersonation_is_a_view(connect, answer, configmaps):
    handler = Recorder(lambda: answer({}))
    client = await connect(handler)
    tenant = client.impersonate("system:serviceaccount:apps:deployer")
    await tenant.get(configmaps, "a", "ns")
    await client.get(configmaps, "a", "ns")
    users = [request.headers.get("Impersonate-User") for request in handler.requests]
    assert users == ["system:serviceaccount:apps:deployer", None]
    assert (tenant.user, client.user) == ("system:serviceaccount:apps:deployer", None)


@pytest.mark.parametrize("name", ["../secrets/x", "a/b", "a%2fb", "..", "a\nb"])
async def test_a_name_cannot_leave_its_path_segment(configmaps, name):
    with pytest.raises(ValueError, match="not a name"):
        configmaps.path("default", name)


async def test_a_namespaced_object_needs_its_namespace(configmaps):
    with pytest.raises(ValueError, match="needs a namespace"):
        configmaps.path(None, "a")
    cluster_wide = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
    assert cluster_wide.path("ignored", "a") == "/api/v1/namespaces/a"


async def test_lists_are_read_page_by_page(connect, answer, configmaps):
    def page(names, token=""):
        items = [{"metadata": {"name": name}} for name in names]
        return answer({"metadata": {"resourceVersion": "7", "continue": token}, "items": items})

    handler = Recorder(lambda: page("ab", "next"), lambda: page("c"))
    client = await connect(handler)
    found = await client.list(configmaps, label_selector="a=b", page_size=2)
    assert [item["metadata"]["name"] for item in found.items] == ["a", "b", "c"]
    assert {item["kind"] for item in found.items} == {"ConfigMap"}
    assert found.resource_version == "7"
    assert dict(handler.requests[1].query) == {
        "labelSelector": "a=b", "limit": "2", "continue": "next",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "code", "retry_after", "tries", "why"),
    [
        ("patch", 429, "2", 2, "the server did nothing: safe for every method"),
        ("patch", 503, "2", 2, "with Retry-After likewise"),
        ("patch", 503, None, 1, "without, a write may have happened"),
        ("get", 503, None, 2, "a read can always be tried again"),
        ("get", 500, None, 2, "likewise"),
        ("get", 404, None, 1, "an answer is an answer"),
    ],
)
async def test_what_is_tried_again(
    connect, impatient, answer, failure, configmaps, method, code, retry_after, tries, why
):
    headers = {"Retry_After": retry_after} if retry_after else {}
    handler = Recorder(lambda: failure(code, **headers), lambda: answer({}))
    client = await connect(handler, clock=impatient)
    call = (
        client.get(configmaps, "a", "ns")
        if method == "get"
        else client.patch(configmaps, "a", {}, "ns")
    )
    if tries == 1:
        with pytest.raises(ApiError):
            await call
    else:
        await call
    assert len(handler.requests) == tries, why
    if retry_after and tries > 1:
        assert impatient.slept[0] >= float(retry_after), why


async def test_retries_are_bounded_and_grow(connect, impatient, failure, configmaps):
    handler = Recorder(lambda: failure(503))
    client = await connect(handler, clock=impatient)
    with pytest.raises(ServerUnavailable):
        await client.get(configmaps, "a", "ns")
    assert len(handler.requests) == 5
    assert impatient.slept == sorted(impatient.slept) or impatient.slept[-1] > impatient.slept[0]


async def test_a_broken_connection_is_tried_again_only_for_reads(
    connect, impatient, answer, configmaps
):
    def drop_then_answer():
        count = itertools.count()

        async def handler(request):
            seen.append(request.method)
            if next(count) == 0:
                request.transport.abort()
                return web.Response()
            return answer({})

        seen = []
        return handler, seen

    handler, seen = drop_then_answer()
    client = await connect(handler, clock=impatient)
    await client.get(configmaps, "a", "ns")
    assert seen == ["GET", "GET"]
    handler, seen = drop_then_answer()
    client = await connect(handler, clock=impatient)
    with pytest.raises(TransportError):
        await client.patch(configmaps, "a", {}, "ns")
    assert seen == ["PATCH"]


async def test_a_stalled_server_ends_at_the_deadline(connect, forever, configmaps):
    client = await connect(forever)
    with pytest.raises(Timeout, match=r"GET /api/v1/namespaces/ns/configmaps/a: no answer"):
        await client.get(configmaps, "a", "ns", deadline=0.05)


async def test_a_refused_token_is_renewed_once(serve, answer, failure, configmaps):
    class Renewable:
        def __init__(self):
            self.refreshed = 0

        async def headers(self, *, refresh=False):
            self.refreshed += refresh
            return {"Authorization": f"Bearer {self.refreshed}"}

    credentials = Renewable()
    handler = Recorder(lambda: failure(401, "Unauthorized"), lambda: answer({}))
    config = ClusterConfig(await serve(handler), credentials)
    async with Client(config, qps=0) as client:
        await client.patch(configmaps, "a", {}, "ns")
    assert credentials.refreshed == 1
    assert [r.headers["Authorization"] for r in handler.requests] == ["Bearer 0", "Bearer 1"]


async def test_the_guard_shortens_and_refuses_writes_only(connect, answer, configmaps):
    asked = []

    def guard(timeout):
        asked.append(timeout)
        if len(asked) > 2:
            raise LeaseLost("too late")
        return timeout

    handler = Recorder(lambda: answer({}))
    client = await connect(handler, timeout=30.0)
    client.guard = guard
    tenant = client.impersonate("someone")
    await tenant.patch(configmaps, "a", {}, "ns")
    assert asked == [30.0, 0.0], "once before, and once when the body is about to leave"
    with pytest.raises(LeaseLost):
        await tenant.delete(configmaps, "a", "ns")
    await client.get(configmaps, "a", "ns")
    await client.patch(configmaps, "a", {}, "ns", dry_run=True)
    assert [request.method for request in handler.requests] == ["PATCH", "GET", "PATCH"]
    assert len(asked) == 3


async def test_a_lease_lost_while_connecting_withholds_the_body(connect, answer, configmaps):
    """A process stopped between the guard's yes and the connection must not write when it wakes."""
    answers = [30.0, LeaseLost("it ended meanwhile")]

    def guard(_timeout):
        step = answers.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    done = []

    async def handler(request):
        await request.read()
        done.append(request.method)
        return answer({})

    client = await connect(handler)
    client.guard = guard
    with pytest.raises(LeaseLost, match="meanwhile"):
        await client.patch(configmaps, "a", {"data": {"x": "y" * 100_000}}, "ns")
    assert done == []


async def test_large_bodies_arrive_whole(connect, answer, configmaps):
    handler = Recorder(lambda: answer({}))
    client = await connect(handler)
    text = "x" * 1_400_000
    await client.patch(configmaps, "a", {"data": {"x": text}}, "ns")
    assert handler.bodies[0] == b'{"data":{"x":"' + text.encode() + b'"}}'


@pytest.mark.parametrize(
    ("fair", "slept", "why"),
    [
        (True, 0, "the server shares its capacity by itself"),
        (False, 3, "two at once, then one a second"),
    ],
)
async def test_the_throttle_is_off_for_fair_servers(
    connect,
    impatient,
    answer,
    configmaps,
    fair,
    slept,
    why,
):
    async def handler(request):
        headers = {"X_Kubernetes_PF_FlowSchema_UID": "u"} if fair else {}
        return answer({}, **headers) if request.path == "/livez/ping" else answer({})

    client = await connect(handler, qps=1.0, burst=2, clock=impatient)
    for _ in range(5):
        await client.get(configmaps, "a", "ns")
    assert len(impatient.slept) == slept, why


async def test_requests_are_counted(connect, answer, failure, configmaps):
    metrics = Metrics()
    handler = Recorder(lambda: answer({}), lambda: failure(404))
    client = await connect(handler, metrics=metrics)
    await client.get(configmaps, "a", "ns")
    with pytest.raises(NotFound):
        await client.delete(configmaps, "a", "ns")
    host = client.config.server.removeprefix("http://")
    text = metrics.expose().decode()
    for code, method in (("200", "GET"), ("404", "DELETE")):
        labels = f'code="{code}",host="{host}",method="{method}"'
        assert f"rest_client_requests_total{{{labels}}} 1.0" in text


async def test_a_closed_client_says_so(connect, answer, configmaps):
    client = await connect(Recorder(lambda: answer({})))
    await client.close()
    with pytest.raises(TransportError, match="is closed"):
        await client.get(configmaps, "a", "ns")
