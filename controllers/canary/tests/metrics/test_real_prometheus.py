"""The built-in queries against the real server, with samples that are written straight to disk."""

import asyncio
import shutil
from time import time

import aiohttp
import pytest

from fluvial.canary.metrics import MetricChecks

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")

pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="prometheus or promtool is not installed"
)

METRIC = "http_request_duration_seconds"
CANARY, PRIMARY = "podinfo-7d9c5b8f6-x2x4z", "podinfo-primary-5f7d8c9b4-q8w7e"


def samples(now: int) -> str:
    """Ten requests a second at the canary, one of them a 500, all within a quarter second.

    They go on for a while after now, so that no test is too slow for them.
    """
    lines = [f"# TYPE {METRIC} histogram"]
    for pod, status, rate in ((CANARY, 200, 9), (CANARY, 500, 1), (PRIMARY, 200, 100)):
        labels = f'kubernetes_namespace="test",kubernetes_pod_name="{pod}",status="{status}"'
        series = {
            f'{METRIC}_bucket{{{labels},le="0.1"}}': 0,
            f'{METRIC}_bucket{{{labels},le="0.25"}}': rate,
            f'{METRIC}_bucket{{{labels},le="+Inf"}}': rate,
            f"{METRIC}_count{{{labels}}}": rate,
            f"{METRIC}_sum{{{labels}}}": rate * 0.2,
        }
        for name, each in series.items():
            lines += [
                f"{name} {each * (t - now + 600)} {t}" for t in range(now - 300, now + 300, 5)
            ]
    return "\n".join([*lines, "# EOF", ""])


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture
async def server(tmp_path, unused_tcp_port):
    config = tmp_path / "prometheus.yml"
    config.write_text("scrape_configs: []\n")
    data = tmp_path / "samples.txt"
    data.write_text(samples(int(time())))
    store = tmp_path / "store"
    await run(PROMTOOL, "tsdb", "create-blocks-from", "openmetrics", str(data), str(store))
    process = await asyncio.create_subprocess_exec(
        PROMETHEUS,
        f"--config.file={config}",
        f"--storage.tsdb.path={store}",
        f"--web.listen-address=127.0.0.1:{unused_tcp_port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            async for line in process.stderr:
                if b"Server is ready to receive web requests" in line:
                    break
        draining = asyncio.create_task(process.stderr.read())
        yield f"http://127.0.0.1:{unused_tcp_port}"
    finally:
        process.terminate()
        await process.wait()
    await draining


async def test_builtin_inline_and_template_queries(server, client, canary, template):
    text = (
        f'sum(rate({METRIC}_count{{kubernetes_pod_name=~"{{{{ target }}}}-primary-.*"}}'
        "[{{ interval }}]))"
    )
    metrics = (
        {"name": "request-success-rate", "thresholdRange": {"min": 90}},
        {"name": "request-duration", "thresholdRange": {"max": 250}},
        {"name": "inline", "query": "vector(7)", "threshold": 7},
        template("primary", text, address=server) | {"threshold": 101},
    )
    async with aiohttp.ClientSession() as session:
        checks = MetricChecks(client, server, session)
        assert await checks.available(canary(*metrics)) is None
        outcome = await checks.check(canary(*metrics))
    assert outcome.failures == []
    assert outcome.values["request-success-rate"] == pytest.approx(90)
    assert outcome.values["request-duration"] == pytest.approx(0.248)
    assert outcome.values["inline"] == 7
    assert outcome.values["primary"] == pytest.approx(100)


async def test_no_traffic_and_a_bad_query(server, client, canary):
    async with aiohttp.ClientSession() as session:
        checks = MetricChecks(client, server, session)
        idle = canary({"name": "request-success-rate"}, service={"port": 80}, provider="istio")
        (silent,) = (await checks.check(idle)).failures
        (broken,) = (await checks.check(canary({"name": "x", "query": "sum("}))).failures
    assert "is not receiving traffic: no values found" in silent
    assert "Status 400 Bad Request" in broken
    assert "parse error" in broken
