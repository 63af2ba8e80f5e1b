"""What the toolkit costs, as ratios in one run: `python tests/bench/sdk.py`.

- GETs of a 3 KB object through the client, against bare aiohttp with the same JSON library
- decoding of watch events, against splitting and decoding the same bytes by hand
- memory of a started manager (client, one informer of 1,000 objects, metrics, health), against a
  bare aiohttp process
- CPU of a pass that finds nothing to do: informer, queue, 20 inventory entries looked up
- memory of one entry of the ledger of applied objects, with 20,000 of them

Fails when a bar is missed.
"""

import asyncio
import gc
import resource as limits
import statistics
import subprocess
import sys
import time
import tracemalloc
import uuid
from contextlib import aclosing
from typing import Self

import aiohttp
import msgspec
from aiohttp import web

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import (
    Client,
    ClusterConfig,
    Controller,
    Key,
    Manager,
    Resource,
    Result,
)
from fluvial.toolkit.apply.unmoved import Ledger, Verdict
from fluvial.toolkit.testing import FakeApi, quiet_flags, running

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DEPLOYMENTS = Resource(
    "apps", "v1", "deployments", "Deployment", subresources=frozenset({"status"})
)
ROUNDS = 5
GETS, AT_ONCE = 1500, 32
EVENTS = 20_000
PASSES = 2000


def config_map(number: int) -> dict:
    """Return an object of about 3 KB."""
    metadata = {
        "name": f"item-{number}",
        "namespace": "default",
        "uid": str(uuid.UUID(int=number)),
        "resourceVersion": str(number + 1),
        "labels": {"app": "bench"},
    }
    data = {f"key-{n}": "x" * 100 for n in range(26)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


class Server:
    """Answers every GET with one object, and every watch with a stream of events."""

    def __init__(self) -> None:
        self.body = msgspec.json.encode(config_map(1))
        event = {"type": "MODIFIED", "object": config_map(1)}
        self.stream = (msgspec.json.encode(event) + b"\n") * EVENTS
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.Response(body=self.body, content_type="application/json")
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(self.stream)
        return answer


async def many(get) -> float:
    """Run GETS calls, AT_ONCE at a time; returns the seconds."""

    async def worker() -> None:
        for _ in range(GETS // AT_ONCE):
            await get()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return time.perf_counter() - start


async def gets(url: str) -> float:
    """Return the rate of our GETs over that of bare aiohttp, the median of the rounds."""
    path = CONFIG_MAPS.path("default", "item-1")
    async with Client(ClusterConfig.plain(url), qps=0) as client, aiohttp.ClientSession() as bare:

        async def ours() -> None:
            await client.get(CONFIG_MAPS, "item-1", "default")

        async def theirs() -> None:
            async with bare.get(url + path) as answer:
                msgspec.json.decode(await answer.read())

        ratios = [await many(theirs) / await many(ours) for _ in range(ROUNDS)]
    return statistics.median(ratios)


async def events(url: str) -> float:
    """Return the rate of our watch over reading and decoding the same lines by hand."""
    ratios = []
    async with Client(ClusterConfig.plain(url), qps=0) as client, aiohttp.ClientSession() as bare:

        async def ours() -> None:
            count = 0
            async with aclosing(client.watch(CONFIG_MAPS, "default")) as stream:
                async for _ in stream:
                    count += 1
            assert count == EVENTS

        async def theirs() -> None:
            count, rest = 0, b""
            async with bare.get(url + CONFIG_MAPS.path("default") + "?watch=true") as answer:
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        msgspec.json.decode(line)
                        count += 1
            assert count == EVENTS

        for _ in range(ROUNDS):
            seconds = []
            for run in (theirs, ours):
                start = time.perf_counter()
                await run()
                seconds.append(time.perf_counter() - start)
            ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)


BARE = """
import asyncio, resource
import aiohttp, msgspec
from aiohttp import web
async def main():
    application = web.Application()
    application.router.add_get("/", lambda _: web.Response(text="ok"))
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            await answer.read()
    await runner.cleanup()
asyncio.run(main())
print(open("/proc/self/statm").read().split()[1])
"""

MANAGED = """
import asyncio, sys
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import CONFIG_MAP, ClusterConfig, Controller, Manager, Result, RuntimeFlags
from fluvial.toolkit import Watch

class Idle:
    async def reconcile(self, ctx, obj):
        return Result()

async def main():
    flags = RuntimeFlags(metrics_addr="127.0.0.1:0", health_addr="127.0.0.1:0")
    manager = Manager("bench", flags, ClusterConfig.plain(sys.argv[1]))
    seen = 0
    done = asyncio.Event()
    def count(obj, store):
        nonlocal seen
        seen += 1
        if seen == 1000:
            done.set()
        return []
    manager.add(Controller(KUSTOMIZATION, Idle(), watches=[Watch(CONFIG_MAP, count)]))
    async with manager:
        task = asyncio.create_task(manager.run())
        await done.wait()
        print(open("/proc/self/statm").read().split()[1], flush=True)
        manager.stop()
        await task
asyncio.run(main())
"""


async def resident(code: str, *arguments: str) -> float:
    """Run a program and return the MiB that it says to hold; the median of three runs."""
    found = []
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = await process.communicate()
        if process.returncode:
            raise SystemExit(errors.decode())
        found.append(int(output.split()[0]) * limits.getpagesize() / 2**20)
    return statistics.median(found)


async def manager_memory() -> float:
    """Return the MiB of a started manager above those of a bare aiohttp process."""
    async with FakeApi() as api:
        for number in range(1000):
            api.put(config_map(number) | {"data": {"key": "x" * 2600}})
        return await resident(MANAGED, api.config.server) - await resident(BARE)


def applied(number: int) -> dict:
    """Return the metadata of an applied Deployment as a watch shows it."""
    fields = {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:replicas": {}}}
    return {
        "metadata": {
            "namespace": f"team-{number % 50}",
            "name": f"deployment-with-a-name-{number}",
            "uid": str(uuid.UUID(int=number)),
            "resourceVersion": str(100_000 + number),
            "generation": 3,
            "labels": {"app": "bench"},
            "managedFields": [
                {
                    "manager": "kustomize-controller",
                    "operation": "Apply",
                    "apiVersion": "apps/v1",
                    "fieldsV1": fields,
                }
            ],
        }
    }


def ledger_of(count: int) -> tuple[Ledger, list[Key]]:
    """Fill a ledger with verified objects."""
    ledger = Ledger(DEPLOYMENTS, "kustomize-controller")
    keys = []
    for number in range(count):
        obj = applied(number)
        key = Key(obj["metadata"]["namespace"], obj["metadata"]["name"])
        ledger.expect([key])
        ledger.put(obj)
        ledger.verified(obj)
        keys.append(key)
    return ledger, keys


def entry_bytes() -> float:
    """Return the bytes of one entry among 20,000."""
    gc.collect()
    tracemalloc.start()
    ledger = ledger_of(20_000)[0]
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] / len(ledger)
    tracemalloc.stop()
    return size


class Quiet:
    """Decides from what is known, without a request: 20 entries, all unmoved."""

    def __init__(self) -> None:
        self.ledger, self.keys = ledger_of(20)
        self.passes = 0
        self.done = asyncio.Event()

    async def reconcile(self, *_: object) -> Result:
        """Look every entry up."""
        assert all(self.ledger.verdict(key) is Verdict.UNMOVED for key in self.keys)
        self.passes += 1
        if self.passes % PASSES == 0:
            self.done.set()
        return Result(requeue_after=0.0)


async def pass_milliseconds() -> float:
    """Return the CPU of one pass that finds nothing to do, in milliseconds."""
    reconciler = Quiet()
    async with FakeApi() as api:
        api.put(
            {
                "apiVersion": KUSTOMIZATION.api_version,
                "kind": "Kustomization",
                "metadata": {"name": "apps", "namespace": "default"},
                "spec": {
                    "interval": "1m",
                    "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": "apps"},
                },
            }
        )
        manager = Manager("bench", quiet_flags(), api.config)
        manager.add(Controller(KUSTOMIZATION, reconciler))
        async with running(manager):
            await reconciler.done.wait()  # the first status is written, everything is warm
            found = []
            for _ in range(ROUNDS):
                reconciler.done.clear()
                before, start = reconciler.passes, time.process_time()
                await reconciler.done.wait()
                used = time.process_time() - start
                found.append(used / (reconciler.passes - before) * 1000)
    return statistics.median(found)


async def main() -> int:
    """Measure, print, and fail when a bar is missed."""
    async with Server() as server:
        found = [
            ("GETs against bare aiohttp", await gets(server.url), ">=", 0.7, "times"),
            ("watch events against bare aiohttp", await events(server.url), ">=", 0.6, "times"),
        ]
    found += [
        ("manager above bare aiohttp", await manager_memory(), "<=", 32.0, "MiB"),
        ("a pass that finds nothing to do", await pass_milliseconds(), "<=", 0.4, "ms of CPU"),
        ("an entry of the ledger", entry_bytes(), "<=", 400.0, "bytes"),
    ]
    missed = 0
    for what, value, sense, bar, unit in found:
        holds = value >= bar if sense == ">=" else value <= bar
        missed += not holds
        print(f"{what}: {value:.2f} {unit} (bar {sense} {bar}){'' if holds else '  MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
