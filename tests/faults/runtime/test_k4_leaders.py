"""K4, at length: leaders that are killed, stopped anywhere, or cut off, with a replica beside them.

Two replicas count; whoever leads is disturbed, the other takes over, the first comes back, and so
on. Lanes do so side by side, each with a lease of its own.
"""

import asyncio
import itertools
import signal
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from forked import Forked, warm_up
from portions import portions
from proxy import Wire
from replica import COUNTER, be_replica

from fluvial.toolkit import CONFIG_MAP, Resource
from fluvial.toolkit.client import resource_of_kind

COUNTERS = resource_of_kind(COUNTER)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
LEASE, RENEW, RETRY = 10, 7, 1.5
"""Seconds: what the replicas are told."""

WITHIN = 120.0

PLACES = (
    "start.before",
    "start.after",
    "socket.before",
    "socket.after",
    "answer",
    "renew.before",
    "renew.after",
)

DISTURBANCES = [
    ("kill", "", False),
    *[("stop", place, False) for place in PLACES],
    ("cut", "", False),
    *[("stop", place, True) for place in PLACES],
    ("cut late", "", False),
]
"""What is done, where it stops itself, and whether it goes on without a notice of it."""

SAMPLE = [
    ("kill", "", False),
    ("stop", "socket.after", True),
    ("stop", "socket.after", False),
    ("cut late", "", False),
    ("stop", "renew.before", True),
    ("stop", "start.after", False),
]
"""What `make test` tries of them."""

ROUNDS, LANES = 200, 10
"""How many in all, and how many side by side."""

WINDOW = {("stop", "socket.after", True), ("cut", "", False), ("cut late", "", False)}
"""Where a write may reach the server late: after the last look at the lease, or on the wire.

What a cut wire held up is delivered in the end, also where its sender is gone by then.
"""


@dataclass
class Replica:
    """A process, and what it is to do to itself."""

    signature: str
    disturbance: tuple[str, str, bool]
    process: Forked
    record: Path
    wire: Wire


@dataclass
class Round:
    """Who led, who came after, and what was done."""

    disturbance: tuple[str, str, bool]
    old: Replica
    new: str


@dataclass(eq=False)
class Lane:
    """A counter and the two that count, over several rounds."""

    harness: object
    client: object
    stack: AsyncExitStack
    namespace: str
    rounds: list[Round] = field(default_factory=list)
    seen: list[tuple[int, str]] = field(default_factory=list)
    journal: list[int] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, disturbances):
        """Disturb one leader after the other; what fails comes with the replicas' logs."""
        await self._prepare()
        try:
            async with asyncio.TaskGroup() as tasks:
                watches = [
                    tasks.create_task(self._follow(COUNTERS, self._count)),
                    tasks.create_task(self._follow(CONFIG_MAP, self._write)),
                ]
                await self._rounds(disturbances)
                for watch in watches:
                    watch.cancel()
        except Exception as error:
            logs = sorted(self.harness.folder.glob(f"{self.namespace}-*.log"), key=_age)[-3:]
            for log in logs:
                error.add_note(f"{log.name}:\n{log.read_text()[-3000:]}")
            raise

    async def _rounds(self, disturbances):
        numbers = itertools.count()
        leader = await self._start(f"{self.namespace}-{next(numbers)}", disturbances[0])
        await self._counts(leader.signature)
        for i, disturbance in enumerate(disturbances):
            following = disturbances[(i + 1) % len(disturbances)]
            standby = await self._start(f"{self.namespace}-{next(numbers)}", following)
            await self._waits(standby)
            await self._disturb(leader)
            await self._counts(standby.signature)
            await self._wake(leader)
            await self._counts(standby.signature)
            self.rounds.append(Round(disturbance, leader, standby.signature))
            leader = standby
        leader.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            assert await leader.process.wait() == 0

    async def _prepare(self):
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        await self.client.create(NAMESPACES, space)
        counter = {
            "apiVersion": COUNTER.api_version,
            "kind": COUNTER.kind,
            "metadata": {"name": "counter"},
            "spec": {},
        }
        await self.client.create(COUNTERS, counter, self.namespace)

    async def _start(self, signature, disturbance):
        folder = self.harness.folder
        kubeconfig = folder / f"{signature}.kubeconfig"
        text = self.harness.kubeconfig.read_text()
        port = int(text.partition("https://127.0.0.1:")[2].split()[0].strip("/\"'"))
        wire = await self.stack.enter_async_context(Wire.open(port))
        kubeconfig.write_text(text.replace(f":{port}", f":{wire.port}"))
        record = folder / f"{signature}.record"
        record.touch()
        _, place, deaf = disturbance
        process = Forked.start(
            be_replica,
            f"--kubeconfig={kubeconfig}",
            f"--runtime-namespace={self.namespace}",
            f"--signature={signature}",
            f"--record={record}",
            f"--stop-at={place}",
            *(["--deaf"] if deaf else []),
            "--watch-all-namespaces=false",
            "--metrics-addr=0",
            "--health-addr=0",
            "--enable-leader-election",
            f"--leader-election-lease-duration={LEASE}s",
            f"--leader-election-renew-deadline={RENEW}s",
            f"--leader-election-retry-period={RETRY}s",
            log=folder / f"{signature}.log",
        )
        self.stack.push_async_callback(_end, process)
        return Replica(signature, disturbance, process, record, wire)

    async def _waits(self, replica):
        """Wait until a replica stands by: it has asked for the lease."""
        log = self.harness.folder / f"{replica.signature}.log"
        async with asyncio.timeout(WITHIN):
            while b"attempting to acquire" not in log.read_bytes():
                assert replica.process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)

    async def _disturb(self, replica):
        what = replica.disturbance[0]
        if what == "kill":
            replica.process.kill()
        elif what == "stop":
            replica.process.send_signal(signal.SIGUSR1)
        else:
            replica.wire.cut()

    async def _wake(self, replica):
        """Let it come back, once another one leads; it must end by itself, and say why."""
        what = replica.disturbance[0]
        if what == "stop":
            replica.process.send_signal(signal.SIGCONT)
        if what == "cut late":
            replica.wire.mend()
        async with asyncio.timeout(WITHIN):
            status = await replica.process.wait()
        log = (self.harness.folder / f"{replica.signature}.log").read_text()
        if what == "kill":
            assert status == -signal.SIGKILL, log
        else:
            assert status == 1, log
            assert "leader election lost" in log
        replica.wire.mend()

    async def _follow(self, resource, handle):
        version = ""
        while True:
            events = self.client.watch(resource, self.namespace, resource_version=version)
            async with aclosing(events):
                async for event in events:
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type in {"ADDED", "MODIFIED"}:
                        handle(event.object)

    def _count(self, obj):
        status = obj.get("status") or {}
        if status.get("count"):
            self.seen.append((status["count"], status["writer"]))
            self.moved.set()

    def _write(self, obj):
        if obj["metadata"]["name"] == "counter":
            self.journal.append(int(obj["data"]["count"]))

    async def _counts(self, signature, further=3):
        """Wait until a replica has counted on."""
        already = len(self.seen)
        async with asyncio.timeout(WITHIN):
            while sum(writer == signature for _, writer in self.seen[already:]) < further:
                self.moved.clear()
                await self.moved.wait()


def _age(log):
    return log.stat().st_mtime


async def _end(process):
    if process.returncode is None:
        process.kill()
        await process.wait()


@pytest.fixture(scope="module")
def harness(make_harness):
    warm_up()
    harness = make_harness("leaders")
    harness.start_plane(standins=False)
    harness.define([COUNTER])
    return harness


@pytest.mark.faults
@pytest.mark.parametrize("portion", portions(4, sample=len(SAMPLE)), ids=str)
async def test_a_leader_that_is_in_doubt_writes_nothing(harness, portion):
    """No write begins when the lease does not outlive it, and what comes late reverts nothing."""
    every = SAMPLE if portion.sample else [*itertools.islice(itertools.cycle(DISTURBANCES), ROUNDS)]
    mine = portion.choose(every, seed="leaders")
    async with harness.client() as client, AsyncExitStack() as stack:
        lanes = {
            Lane(harness, client, stack, f"lane-{portion.first}-{i}"): mine[i::LANES]
            for i in range(min(LANES, len(mine)))
        }
        async with asyncio.TaskGroup() as tasks:
            for lane, disturbances in lanes.items():
                tasks.create_task(lane.run(disturbances))
    requests = harness.requests()
    for lane in lanes:
        _check_counts(lane)
        for each in lane.rounds:
            _check_round(each, requests, lane.namespace)


def _check_counts(lane):
    counts = [count for count, _ in lane.seen]
    lost = [(a, b) for a, b in itertools.pairwise(counts) if b not in {a, a + 1}]
    assert not lost, f"{lane.namespace}: the count went from, to: {lost}"
    reverted = [(a, b) for a, b in itertools.pairwise(lane.journal) if b < a]
    assert not reverted, f"{lane.namespace}: the journal went back: {reverted}"


def _check_round(each, requests, namespace):
    own = [r for r in requests if r["userAgent"] == f"counter/{each.old.signature}"]
    renewals = [r["received"] for r in own if _renews(r, namespace)]
    for line in each.old.record.read_text().splitlines():
        began, allowed = map(float, line.split())
        renewed = max((r for r in renewals if r <= began), default=0.0)
        # A renewal counts from before it was sent; the server heard of it later.
        assert began + allowed <= renewed + LEASE, f"{each}: a request outlives the lease"
    successor = [r for r in requests if r["userAgent"] == f"counter/{each.new}"]
    taken = min(r["received"] for r in successor if _renews(r, namespace))
    late = [r for r in own if r["received"] > taken and _writes(r)]
    if each.disturbance in WINDOW:
        assert len(late) <= 1, f"{each}: {late}"
    else:
        assert not late, f"{each}: {late}"


def _renews(request, namespace):
    return (
        request["verb"] in {"create", "patch"}
        and f"/namespaces/{namespace}/leases" in request["path"]
        and request["code"] < 300
    )


def _writes(request):
    return (
        request["verb"] not in {"get", "list", "watch"}
        and "dryRun=All" not in request["path"]
        and "/leases" not in request["path"]
    )
