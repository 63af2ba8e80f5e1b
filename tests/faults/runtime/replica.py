"""A replica of a controller that counts, with places where it stops itself when it is told to.

Its flags, beside those of every controller: `--signature=NAME --stop-at=PLACE --record=FILE
[--deaf]`. After SIGUSR1 it stops (SIGSTOP) the next time it comes to PLACE:

- `start.before`, `start.after`: around the fence's first look at a mutating request;
- `socket.before`, `socket.after`: around the second one, when the body is about to leave;
- `answer`: when a mutating request was answered;
- `renew.before`, `renew.after`: around a renewal of the lease.

With `--deaf` it does not notice that it goes on, as in a virtual machine that was paused. The file
of `--record` gets a line per mutating request: when it began, and how long it may take.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvial.apis.definition import define
from fluvial.apis.meta import Reported
from fluvial.apis.schema import Model
from fluvial.toolkit import (
    ClusterConfig,
    Controller,
    LeaseLost,
    Manager,
    Result,
    RuntimeFlags,
    flag,
    logs,
)
from fluvial.toolkit.client.transport import Transport
from fluvial.toolkit.flags import parse
from fluvial.toolkit.leader import LeaderElector

PAUSE = 0.4


class Spec(Model):
    """Nothing is asked for."""


class Status(Reported, kw_only=True):
    """How far it has counted, and who did."""

    count: int = 0
    writer: str = ""


COUNTER = define("faults.fluvial.dev/v1", "Counter", Spec, Status)


@dataclass(kw_only=True)
class Flags(RuntimeFlags):
    """What the test wants."""

    signature: str = flag("", "Who counts.")
    stop_at: str = flag("", "Where it stops itself.")
    deaf: bool = flag(False, "Goes on without a notice.")
    record: str = flag("", "File of the requests.")


class Places:
    """Where the process may be told to stop."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._armed = False
        signal.signal(signal.SIGUSR1, self._arm)

    def _arm(self, *_: object) -> None:
        self._armed = True

    def reach(self, place: str) -> None:
        """Stop here, if this is the place."""
        if self._armed and place == self._flags.stop_at:
            self._armed = False
            if self._flags.deaf:
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
            os.kill(os.getpid(), signal.SIGSTOP)


class Counting:
    """Counts in the status and in a ConfigMap."""

    def __init__(self, signature: str) -> None:
        self._signature = signature

    async def reconcile(self, ctx, obj):
        count = (obj.status.count or 0) + 1
        journal = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ctx.key.name}}
        data = {"count": str(count), "writer": self._signature}
        await ctx.apply(journal | {"data": data})
        obj.status.count, obj.status.writer = count, self._signature
        ctx.ready("Counted", str(count))
        return Result(interval=PAUSE)


def instrument(manager: Manager[Flags], places: Places) -> None:
    """Put the places where they are, and record what begins."""
    attempt, renew = Transport._attempt, LeaderElector._attempt
    record = Path(manager.flags.record).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - as long as the process

    async def counted(self, request, limit):
        answer = await attempt(self, request, limit)
        if request.fenced:
            places.reach("answer")
        return answer

    async def renewed(self):
        places.reach("renew.before")
        held = await renew(self)
        places.reach("renew.after")
        return held

    Transport._attempt, LeaderElector._attempt = counted, renewed

    async def fence(runtime):
        guard = runtime.client.guard

        def watched(timeout):
            place = "start" if timeout else "socket"
            places.reach(f"{place}.before")
            allowed = guard(timeout)
            if timeout:
                record.write(f"{time.time()} {allowed}\n")
            places.reach(f"{place}.after")
            return allowed

        runtime.client.guard = watched
        await asyncio.Event().wait()

    manager.add_task("fence", fence)


async def serve(flags: Flags) -> int:
    """Be the replica until the lease is lost or it is told to end."""
    config = await ClusterConfig.discover(flags.kubeconfig)
    try:
        async with Manager("counter", flags, config, version=flags.signature) as manager:
            manager.add(Controller(COUNTER, Counting(flags.signature)))
            instrument(manager, Places(flags))
            await manager.run()
    except LeaseLost as error:
        sys.stderr.write(f"leader election lost: {error}\n")
        return 1
    return 0


def be_replica(arguments: Sequence[str]) -> int:
    """Be the replica; returns its exit status."""
    flags = parse(Flags, arguments)
    logs.configure(flags.log_level, flags.log_encoding)
    return asyncio.run(serve(flags))
