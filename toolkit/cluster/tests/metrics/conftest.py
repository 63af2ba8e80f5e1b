"""A store with made-up but lifelike samples, and a real Prometheus with the same ones."""

import asyncio
import json
import random
import shutil
import urllib.parse
import urllib.request

import pytest

from fluvial.cluster.metrics.series import NAME, Store, labels_of

START = 1_700_000_000_000
BOUNDS = ("0.005", "0.05", "0.5", "1", "+Inf")
PODS = ("web-abc12-x1y2z", "web-abc12-q9w8e", "web-primary-5f5d6-aa1bb")
WITHIN = 60.0


def recorded(seed=7):
    """Yield (labels, time, value): four minutes of three pods and an Envoy, with resets."""
    chance = random.Random(seed)
    totals, moment = {}, START
    while moment < START + 240_000:
        moment += chance.choice([400, 500, 500, 600, 1700])
        for pod in PODS:
            if chance.random() < 0.002:
                totals = dict.fromkeys(totals, 0.0)
            own = {"kubernetes_namespace": "test", "kubernetes_pod_name": pod, "job": "pods"}
            for status in ("200", "404", "500"):
                labels = own | {"status": status, "path": "root"}
                key = (pod, status)
                totals[key] = totals.get(key, 0.0) + chance.choice([0, 1, 2, 5])
                name = "http_request_duration_seconds_count"
                yield labels | {NAME: name}, moment, totals[key]
            below = 0.0
            for bound in BOUNDS:
                key = (pod, "le", bound)
                totals[key] = totals.get(key, 0.0) + chance.choice([0, 1, 3])
                below = max(below, totals[key])
                name = "http_request_duration_seconds_bucket"
                yield own | {"le": bound, NAME: name}, moment, below
            yield own | {NAME: "temperature"}, moment, chance.uniform(-5, 5)
        labels = {"envoy_cluster_name": "test_web-canary_80", "envoy_response_code": "200"}
        totals["envoy"] = totals.get("envoy", 0.0) + chance.choice([1, 4])
        yield labels | {NAME: "envoy_cluster_upstream_rq", "job": "envoy"}, moment, totals["envoy"]


@pytest.fixture(scope="module")
def samples():
    return list(recorded())


@pytest.fixture
def store(samples):
    made = Store(window=10**9)
    for labels, time, value in samples:
        made.append(labels_of(labels), time, value)
    return made


def line(labels, time, value):
    inner = ",".join(f'{key}="{text}"' for key, text in labels.items() if key != NAME)
    return f"{labels[NAME]}{{{inner}}} {value} {time / 1000}"


class Prometheus:
    """A real Prometheus that answers queries for a moment in milliseconds."""

    def __init__(self, address):
        self._address = address

    async def query(self, text, time):
        query = urllib.parse.urlencode({"query": text, "time": time / 1000})
        url = f"http://{self._address}/api/v1/query?{query}"
        return json.loads(await asyncio.to_thread(_read, url))


def _read(url):
    try:
        with urllib.request.urlopen(url, timeout=WITHIN) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.read()


@pytest.fixture
async def prometheus(samples, tmp_path):
    """Run the Debian package `prometheus` over the same samples."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("needs prometheus: apt-get install prometheus")
    grouped = {}
    for labels, time, value in samples:
        grouped.setdefault(labels[NAME], []).append(line(labels, time, value))
    text = "\n".join(each for lines in grouped.values() for each in lines)
    (tmp_path / "samples.txt").write_text(text + "\n# EOF\n")
    (tmp_path / "prometheus.yml").write_text("{}\n")
    fill = await asyncio.create_subprocess_exec(
        *("promtool", "tsdb", "create-blocks-from", "openmetrics"),
        *(str(tmp_path / "samples.txt"), str(tmp_path / "data")),
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(WITHIN):
        assert await fill.wait() == 0
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
        "--log.level=info",
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Prometheus(await _address(process.stderr))
    finally:
        process.terminate()
        async with asyncio.timeout(WITHIN):
            await process.communicate()


async def _address(log):
    """Read the log until Prometheus is ready; it names the address it listens at."""
    address = ""
    async with asyncio.timeout(WITHIN):
        while text := (await log.readline()).decode():
            if "Listening on" in text:
                address = text.split("address=")[1].split()[0]
            if "ready to receive web requests" in text:
                return address
    raise AssertionError("Prometheus ended before it was ready")
