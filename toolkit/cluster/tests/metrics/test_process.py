"""The store as a process, over a real target, beside a real Prometheus on the same file."""

import asyncio
import contextlib
import json
import shutil
import sys

import aiohttp
import pytest
from aiohttp import web

from fluvial.cluster.metrics.prometheus import prometheus_config

WITHIN = 60.0


@pytest.fixture
async def target():
    """Serve a counter that rises with each scrape."""
    count = 0

    async def metrics(_):
        nonlocal count
        count += 1
        return web.Response(text=f'requests_total{{code="200"}} {count}\n')

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "{}:{}".format(*runner.addresses[0][:2])
    await runner.cleanup()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
def targets(tmp_path, target):
    path = tmp_path / "targets.json"
    labels = {"kubernetes_namespace": "test", "kubernetes_pod_name": "web-1"}
    path.write_text(json.dumps([{"targets": [target], "labels": labels}]))
    return path


@contextlib.asynccontextmanager
async def process(*command):
    made = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        yield made
    finally:
        made.terminate()
        async with asyncio.timeout(WITHIN):
            await made.communicate()


async def answer(session, address, query, method="GET"):
    url = f"http://{address}/api/v1/query"
    given = {"params": {"query": query}} if method == "GET" else {"data": {"query": query}}
    async with session.request(method, url, **given) as found:
        return found.status, await found.json()


async def rising(session, address):
    """Wait until the rate of the target's counter is known; return the series' labels."""
    async with asyncio.timeout(WITHIN):
        while True:
            _, found = await answer(session, address, "rate(requests_total[1m]) > 0")
            if found["data"]["result"]:
                return found["data"]["result"][0]["metric"]


async def test_scrapes_and_answers(tmp_path, targets, target, session):
    written = tmp_path / "address"
    command = [sys.executable, "-m", "fluvial.cluster.metrics", "--targets", str(targets)]
    command += ["--address-file", str(written), "--scrape-interval", "50ms"]
    async with process(*command) as running:
        async with asyncio.timeout(WITHIN):
            while not written.exists():  # noqa: ASYNC110  nothing tells of a file
                await asyncio.sleep(0)
        address = written.read_text().strip()
        assert await rising(session, address) == {
            "code": "200",
            "instance": target,
            "job": "fluvial",
            "kubernetes_namespace": "test",
            "kubernetes_pod_name": "web-1",
        }
        async with session.get(f"http://{address}/-/ready") as ready:
            assert ready.status == 200
        status, found = await answer(session, address, "vector(1)", "POST")
        assert (status, found["data"]["result"][0]["value"][1]) == (200, "1")
        status, found = await answer(session, address, "sum(")
        assert (status, found["status"], found["errorType"]) == (400, "error", "bad_data")
        status, found = await answer(session, address, "topk(1, up)")
        assert (status, found["errorType"]) == (422, "execution")
        assert found["error"] == "the aggregation topk is not supported by this store"
        async with session.get(f"http://{address}/api/v1/query_range") as found:
            assert found.status == 404
            assert "use /api/v1/query" in (await found.json())["error"]
        targets.write_text("[]")
        async with asyncio.timeout(WITHIN):
            while (await answer(session, address, "up"))[1]["data"]["result"]:
                pass
    assert running.returncode == 0


async def test_a_real_prometheus_takes_the_same_file(tmp_path, targets, target, session):
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus: apt-get install prometheus")
    config = tmp_path / "prometheus.yml"
    config.write_text(prometheus_config(targets, "100ms"))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    async with process(*command, "--web.listen-address=127.0.0.1:0") as running:
        address = ""
        ready = False
        async with asyncio.timeout(WITHIN):
            while not (ready and address):  # the two are told by two threads, in any order
                line = await running.stderr.readline()
                assert line, "Prometheus ended"
                ready = ready or b"ready to receive web requests" in line
                if b"Listening on" in line:
                    address = line.decode().split("address=")[1].split()[0]
        found = await rising(session, address)
        assert (found["instance"], found["kubernetes_pod_name"]) == (target, "web-1")
