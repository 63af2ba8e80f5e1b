"""K1: a reconcile is killed at every one of its points, and the next run must put it right.

A `Case` says what a reconcile is about; `kill_everywhere` does the rest: one run without a kill
counts the points, then each point has an object of its own whose reconcile is killed there, and in
the end one fresh process has to bring all of them to where they should be. By labels a process sees
just one of the objects, or just those of this run.
"""

import asyncio
import itertools
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import instrumented
import pytest
from forked import Forked
from harness import WITHIN, Harness
from namespaces import Namespace, new_namespace
from portions import Portion

__all__ = ["Case", "Prepared", "kill_everywhere"]

_runs = itertools.count(1)


class Case(ABC):
    """A reconcile. Each point has a namespace and in it one object, with the labels `labels`."""

    module: str
    """The controller, e.g. `fluvial.kustomize`."""
    arguments: Sequence[str] = ()
    """Its further flags."""
    run = ""
    """What its objects are told by from those of all other runs, also of the same case."""

    def labels(self, team: Namespace) -> dict[str, str]:
        """Return the labels that the object must have."""
        return {"run": self.run, "point": team.name}

    @abstractmethod
    async def act(self, team: Namespace) -> None:
        """Make the change whose reconcile is killed."""

    @abstractmethod
    async def until_done(self, team: Namespace) -> None:
        """Wait until it is reconciled."""

    @abstractmethod
    async def check_killed(self, team: Namespace) -> None:
        """Check what must hold at any moment, also between a kill and the next run."""

    @abstractmethod
    async def check_done(self, team: Namespace) -> None:
        """Check that everything is right in the end."""


class Prepared(Case):
    """A reconcile of what was reconciled before, without a kill."""

    @abstractmethod
    async def prepare(self, team: Namespace) -> None:
        """Make what is there before."""

    @abstractmethod
    async def until_prepared(self, team: Namespace) -> None:
        """Wait until that is reconciled."""


class _Controller:
    """The controller of a case as a process, with or without a kill."""

    def __init__(self, harness: Harness, case: Case) -> None:
        self._harness = harness
        self._case = case

    @asynccontextmanager
    async def running(
        self, *arguments: str, points: Path, kill_at: int = 0
    ) -> AsyncIterator[Forked]:
        temporary = self._harness.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        process = Forked.start(
            instrumented.run,
            *(self._case.module, str(points), str(kill_at)),
            f"--kubeconfig={self._harness.kubeconfig}",
            *("--metrics-addr=0", "--health-addr=0", "--max-retry-delay=1s"),
            *(*self._case.arguments, *arguments),
            log=self._harness.folder / "killed.log",
            environment={"TMPDIR": str(temporary)},
        )
        try:
            yield process
        finally:
            process.terminate()
            async with asyncio.timeout(WITHIN):
                await process.wait()


async def kill_everywhere(harness: Harness, case: Case, portion: Portion) -> list[str]:
    """Kill the case's reconcile at a portion of its points, and check; returns all of them."""
    case.run = f"{type(case).__name__}-{next(_runs)}"
    controller = _Controller(harness, case)
    names = await _count(harness, controller, case)
    assert names, "a reconcile without a request is none"
    chosen = portion.choose(range(1, len(names) + 1), seed=type(case).__name__)
    async with AsyncExitStack() as stack:
        teams = {n: await _team(stack, harness) for n in chosen}
        everything = harness.folder / "points"
        await _begin(controller, case, everything, list(teams.values()))
        for number, team in teams.items():
            await case.act(team)
            await _kill(harness, controller, team, number, names)
            await case.check_killed(team)
        async with controller.running(_all(case), points=everything):
            await asyncio.gather(*(case.until_done(team) for team in teams.values()))
            for number, team in teams.items():
                try:
                    await case.check_done(team)
                except AssertionError as error:
                    error.add_note(f"killed at point {number}: {names[number - 1]}")
                    raise
    return names


async def _count(harness: Harness, controller: _Controller, case: Case) -> list[str]:
    """Reconcile once without a kill; the points that it went by."""
    async with AsyncExitStack() as stack:
        team = await _team(stack, harness)
        points = harness.folder / "counted"
        await _begin(controller, case, harness.folder / "points", [team])
        points.unlink(missing_ok=True)
        await case.act(team)
        async with controller.running(_only(team), points=points):
            await case.until_done(team)
            await case.check_done(team)
    return points.read_text().splitlines()


async def _begin(
    controller: _Controller, case: Case, points: Path, teams: Sequence[Namespace]
) -> None:
    if not isinstance(case, Prepared):
        return
    await asyncio.gather(*(case.prepare(team) for team in teams))
    async with controller.running(_all(case), points=points):
        await asyncio.gather(*(case.until_prepared(team) for team in teams))


async def _kill(
    harness: Harness, controller: _Controller, team: Namespace, number: int, names: Sequence[str]
) -> None:
    points = harness.folder / f"{team.name}.points"
    async with controller.running(_only(team), points=points, kill_at=number) as process:
        try:
            async with asyncio.timeout(WITHIN):
                status = await process.wait()
        except TimeoutError:
            reached = points.read_text().splitlines() if points.exists() else []
            pytest.fail(f"only {len(reached)} of {len(names)} points came this time: {reached}")
    assert status == -signal.SIGKILL, f"ended by itself with {status}"


async def _team(stack: AsyncExitStack, harness: Harness) -> Namespace:
    client, name = await stack.enter_async_context(new_namespace(harness))
    return Namespace(harness, client, name)


def _only(team: Namespace) -> str:
    """Return the flag for a controller that sees the objects of one namespace."""
    return f"--watch-label-selector=point={team.name}"


def _all(case: Case) -> str:
    """Return the flag for a controller that sees all objects of this run."""
    return f"--watch-label-selector=run={case.run}"
