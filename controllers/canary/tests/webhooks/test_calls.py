import asyncio
import logging

import pytest
from aiohttp import web

from fluvial.canary.webhooks import HookOutcome


async def call(webhooks, canary, **hook):
    made = canary({"name": "gate", **hook})
    return await webhooks.call(made, made.spec.analysis.webhooks[0], "Progressing", "abc")


async def test_what_is_sent(receiver, webhooks, canary):
    outcome = await call(webhooks, canary, metadata={"cmd": "hey"})
    assert outcome == HookOutcome(ok=True)
    body = {
        "name": "podinfo",
        "namespace": "test",
        "phase": "Progressing",
        "checksum": "abc",
        "metadata": {"cmd": "hey"},
    }
    assert receiver.calls == [("/gate", body)]
    assert receiver.content_types == ["application/json"]


async def test_empty_metadata_is_left_out(receiver, webhooks, canary):
    await call(webhooks, canary)
    assert "metadata" not in receiver.calls[0][1]


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        (200, HookOutcome(ok=True), "fine"),
        ((201, "made"), HookOutcome(True, "made"), "fine"),
        (202, HookOutcome(ok=True), "taken on"),
        (203, HookOutcome(False, "status 203"), "upstream draws the line at 202"),
        (204, HookOutcome(False, "status 204"), "even an empty success is none"),
        ((403, "halted"), HookOutcome(False, "halted"), "a gate that is closed says why"),
        ((404, ""), HookOutcome(False, "status 404"), "silence gets the status"),
        ((400, "x" * 9000), HookOutcome(False, "x" * 4096), "a long answer is cut"),
    ],
)
async def test_answers(receiver, webhooks, canary, answer, expected, reason):  # noqa: PLR0917 - a table
    receiver.answers["/gate"] = [answer]
    assert await call(webhooks, canary) == expected, reason
    assert len(receiver.calls) == 1, reason


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_without_retries_the_first_failure_is_the_last(receiver, webhooks, canary, status):
    receiver.answers["/gate"] = [(status, "busy")]
    outcome = await call(webhooks, canary)
    url = receiver.url("/gate")
    message = f"POST {url} giving up after 1 attempt(s): {status} busy"
    assert outcome == HookOutcome(False, message)


async def test_retries_wait_ever_longer(receiver, webhooks, canary, clock):
    receiver.answers["/gate"] = [500]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(call(webhooks, canary, retries=6))
        waits = [1, 2, 4, 8, 16, 30]
        for wait in waits:
            await clock.scheduled(wait)
            await clock.advance(wait)
    assert not task.result().ok
    assert "giving up after 7 attempt(s)" in task.result().message
    assert len(receiver.calls) == 7


async def test_a_retry_that_works_approves(receiver, webhooks, canary, clock):
    receiver.answers["/gate"] = [503, 200]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(call(webhooks, canary, retries=3))
        await clock.scheduled(1)
        await clock.advance(1)
    assert task.result().ok
    assert len(receiver.calls) == 2


@pytest.mark.parametrize(
    ("answer", "wait", "reason"),
    [
        ((429, "", {"Retry-After": "7"}), 7, "the receiver knows best"),
        ((503, "", {"Retry-After": "7"}), 7, "likewise"),
        ((500, "", {"Retry-After": "7"}), 1, "it means nothing there"),
        ((429, "", {"Retry-After": "900"}), 30, "but a release does not hang on it"),
        ((429, "", {"Retry-After": "Tue, 24 Nov 2026 08:00:00 GMT"}), 1, "dates are not read"),
    ],
)
async def test_retry_after(receiver, webhooks, canary, clock, answer, wait, reason):  # noqa: PLR0917 - a table
    receiver.answers["/gate"] = [answer, 200]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(call(webhooks, canary, retries=1))
        assert await clock.scheduled(wait) == wait, reason
        await clock.advance(wait)
    assert task.result().ok


@pytest.mark.parametrize("status", [400, 404, 501])
async def test_what_no_retry_can_help(receiver, webhooks, canary, status):
    receiver.answers["/gate"] = [status]
    assert not (await call(webhooks, canary, retries=5)).ok
    assert len(receiver.calls) == 1


async def test_an_attempt_ends_after_its_timeout(receiver, webhooks, canary, monkeypatch):
    released = asyncio.Event()

    async def never(_request):
        await released.wait()
        return web.Response()

    receiver.answers["/gate"] = [never]
    monkeypatch.setattr("fluvial.canary.webhooks.parse_duration", lambda _text: 0.05)
    outcome = await call(webhooks, canary, timeout="1s")
    released.set()
    assert outcome.message.endswith("giving up after 1 attempt(s): no answer within 0.05 seconds")


@pytest.mark.parametrize(
    ("given", "seconds", "reason"),
    [("", 10, "the default"), ("5", 10, "too short to be a duration"), ("3s", 3, "as given")],
)
async def test_timeouts(webhooks, canary, monkeypatch, given, seconds, reason):  # noqa: PLR0917 - a table
    limits = []
    attempt = webhooks._attempt

    async def observed(webhook, payload, limit):
        limits.append(limit)
        return await attempt(webhook, payload, limit)

    monkeypatch.setattr(webhooks, "_attempt", observed)
    await call(webhooks, canary, timeout=given)
    assert limits == [seconds], reason


async def test_a_timeout_that_is_none_is_named(receiver, webhooks, canary):
    outcome = await call(webhooks, canary, timeout="soon")
    assert (
        outcome.message == "webhook gate: timeout: not a duration: 'soon'; write for example 1m30s"
    )
    assert receiver.calls == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nowhere", "http://[::1"])
async def test_nobody_there(webhooks, canary, url):
    outcome = await call(webhooks, canary, url=url)
    assert not outcome.ok
    assert outcome.message.startswith(f"POST {url} giving up after 1 attempt(s): ")


@pytest.mark.parametrize(("disabled", "verified"), [(False, True), (True, False)])
async def test_certificates(webhooks, canary, monkeypatch, disabled, verified):
    seen = []
    post = webhooks._session.post

    def observed(url, **options):
        seen.append(options["ssl"])
        return post(url, **options)

    monkeypatch.setattr(webhooks._session, "post", observed)
    await call(webhooks, canary, disableTLS=disabled)
    assert seen == [verified]


async def test_events_carry_the_message_and_the_users_metadata(receiver, webhooks, canary, clock):
    metadata = {"team": "a", "eventType": "forged"}
    made = canary({"name": "e", "type": "event", "metadata": metadata}, phase="Promoting")
    await webhooks.event(made, "Advance weight 10", "Normal", checksum="abc")
    ((path, body),) = receiver.calls
    assert path == "/e"
    assert body["phase"] == "Promoting"
    assert body["checksum"] == "abc"
    assert body["metadata"] == {
        "team": "a",
        "eventMessage": "Advance weight 10",
        "eventType": "Normal",
        "timestamp": str(int(clock.now().timestamp() * 1000)),
    }


async def test_own_event_webhooks_replace_the_controllers(receiver, webhooks, canary):
    both = canary(*({"name": name, "type": "event"} for name in "ab"))
    await webhooks.event(both, "m", "Normal", url=receiver.url("/global"))
    assert [path for path, _ in receiver.calls] == ["/a", "/b"]
    await webhooks.event(canary({"name": "gate"}), "m", "Normal", url=receiver.url("/global"))
    assert receiver.calls[-1][0] == "/global"
    await webhooks.event(canary(), "m", "Normal")
    assert len(receiver.calls) == 3


async def test_an_event_that_is_lost_is_logged_and_stops_nothing(
    receiver, webhooks, canary, caplog
):
    receiver.answers["/a"] = [(400, "no thanks")]
    made = canary(*({"name": name, "type": "event"} for name in "ab"))
    with caplog.at_level(logging.WARNING):
        await webhooks.event(made, "m", "Warning")
    assert [path for path, _ in receiver.calls] == ["/a", "/b"]
    assert "Canary/test/podinfo: event webhook a: no thanks" in caplog.text
