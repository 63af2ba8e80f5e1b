"""The load generator against a real server on loopback."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from fluvial.cluster.load import Answer, Load, Tally, version_of


@asynccontextmanager
async def serving(handler):
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def run_until(load, enough):
    """Run the load until the event is set and one more answer could be noted."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(load.run())
        await enough.wait()
        while load.between(0).requests < 5:  # noqa: ASYNC110  (the load tells nobody)
            await asyncio.sleep(0)
        running.cancel()


@pytest.mark.parametrize(
    ("answers", "success", "p99", "reason"),
    [
        ([], 100.0, 0.0, "nothing sent is nothing failed"),
        ([Answer(0, 0.1, 200, "1")], 100.0, 0.1, "one answer is its own percentile"),
        ([Answer(0, 0.1, 500)], 0.0, 0.1, "a server's error is a failure"),
        ([Answer(0, 2.0, 0)], 0.0, 2.0, "no answer is a failure"),
        ([Answer(0, 0.1, 404, "1")], 100.0, 0.1, "a user's own mistake is none"),
        (
            [Answer(0, n / 1000, 200 if n % 5 else 500) for n in range(1, 101)],
            80.0,
            0.099,
            "one in five failed; one in a hundred was slower",
        ),
    ],
)
def test_tally(answers, success, p99, reason):
    tally = Tally.of(answers)
    assert tally.success == pytest.approx(success), reason
    assert tally.p99 == pytest.approx(p99), reason


def test_share_counts_good_answers_only():
    answers = [Answer(0, 0.1, 200, "1")] * 9 + [Answer(0, 0.1, 200, "2"), Answer(0, 0.1, 500)]
    tally = Tally.of(answers)
    assert tally.share("1") == pytest.approx(90)
    assert tally.share("2") == pytest.approx(10)
    assert tally.share("3") == 0


@pytest.mark.parametrize(
    ("body", "version", "reason"),
    [
        (b'{"version": "1.0", "message": "Hello", "pod": "a"}', "1.0, Hello", "both are told"),
        (b'{"error": "fault injected", "pod": "a"}', "", "an error page tells no version"),
        (b"<html>", "", "not JSON"),
        (b"[1]", "", "not an object"),
        (b'{"version": "\xff"}', "", "not UTF-8"),
    ],
)
def test_version_of(body, version, reason):
    assert version_of(body) == version, reason


async def test_requests_carry_the_host_and_are_counted():
    seen, enough = [], asyncio.Event()

    async def handler(request):
        seen.append(request.headers["Host"])
        if len(seen) == 5:
            enough.set()
        return web.json_response({"version": "1", "message": "Hi"}, status=200)

    async with serving(handler) as url:
        load = Load(url, "web.example", rate=1000)
        await run_until(load, enough)
    assert set(seen) == {"web.example"}
    assert set(load.between(0).versions) == {"1, Hi"}
    assert load.between(0).failures == 0


async def test_a_slow_answer_delays_no_other():
    release, enough, seen = asyncio.Event(), asyncio.Event(), []

    async def handler(request):
        seen.append(request)
        if len(seen) == 1:
            await release.wait()
        if len(seen) == 6:
            enough.set()
        return web.Response(text="{}")

    async with serving(handler) as url:
        load = Load(url, "web.example", rate=1000)
        await run_until(load, enough)
        release.set()
    assert load.between(0).requests >= 5


async def test_nobody_there_is_a_failure_and_no_end():
    async with serving(web.Response) as url:
        pass
    load, enough = Load(url, "web.example", rate=1000), asyncio.Event()
    enough.set()
    await run_until(load, enough)
    assert load.between(0).failures == load.between(0).requests >= 5


async def test_between_takes_the_start_and_leaves_the_stop():
    times = iter(range(10_000))
    load = Load("http://unused.invalid/", "web.example", clock=lambda: next(times))
    load._answers.extend(Answer(at, 0.1, 200, "1") for at in (1.0, 2.0, 3.0))
    assert load.between(1.0, 3.0).requests == 2
    assert load.between(3.0).requests == 1
