"""The demo from its start to its exit status."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from fluvial.cli.demo.board import FOLLOWED, Board
from fluvial.cli.demo.errors import DemoError
from fluvial.cli.demo.live import rows
from fluvial.cli.demo.measurements import Measurements
from fluvial.cli.demo.options import Options, Step
from fluvial.cli.demo.plane import Plane
from fluvial.cli.demo.processes import Crew
from fluvial.cli.demo.project import Project
from fluvial.cli.demo.release import timeline
from fluvial.cli.demo.screen import Screen, open_screen
from fluvial.cli.demo.steps import HOST, NAMESPACE, Steps
from fluvial.cluster.load import Load
from fluvial.toolkit import Client, ClusterConfig
from fluvial.toolkit.client import ClientError

__all__ = ["run"]

_FRAME: Final = 0.25
_RATE: Final = 100.0
"""Requests a second: at 10 % of users a few checks see enough failures to judge by."""

_INTERRUPTED: Final = 130
_WIDTH: Final = 120


def run(options: Options) -> int:
    """Play the demo; returns 0 when every step happened as told, 1 when not, 130 on a signal."""
    screen = open_screen(width=_width())
    try:
        return asyncio.run(_Demo(options, screen).play())
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):  # the terminal itself may be gone
            screen.plain("\ninterrupted; everything was ended and removed")
        return _INTERRUPTED


def _width() -> int:
    """Return the terminal's width; some do not know theirs."""
    known = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    return known or _WIDTH


class _Demo:
    """One run. `_step` is the step that is under way, for the report of a failure."""

    def __init__(self, options: Options, screen: Screen) -> None:
        self._options = options
        self._screen = screen
        self._step: Step = "start"
        self._began = time.monotonic()

    async def play(self) -> int:
        """Do the steps, with everything that runs beside them."""
        task = asyncio.current_task()
        assert task is not None, "this is a coroutine"
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        async with Crew() as crew:
            failure = await self._caught(self._in(crew))
            if failure is None:
                return 0
            self._screen.table([])
            self._screen.plain(f"\nFAILED in step {self._step}: {failure}")
            process = failure.process if isinstance(failure, DemoError) else ""
            if tail := crew.tail(process):
                self._screen.plain(f"\nthe last lines of {process}:\n{tail}")
            return 1

    async def _caught(self, work: Coroutine[Any, Any, None]) -> Exception | None:
        """Run it; returns the first failure, whatever groups of tasks it came through."""
        failure: Exception | None = None
        try:
            await work
        except* (DemoError, ClientError, OSError) as group:
            failure = _first(group)
        return failure

    async def _in(self, crew: Crew) -> None:
        plane = Plane(crew, self._options.within)
        self._heading("start", "Control plane, Git host, metrics, and four controllers")
        await plane.start(self._options.metrics)
        self._screen.line(f"Kubernetes API, gateway, Git host and {self._options.metrics} metrics")
        async with AsyncExitStack() as stack:
            config = await ClusterConfig.discover(str(plane.kubeconfig))
            client = await stack.enter_async_context(Client(config))
            await plane.define(client)
            await plane.start_controllers()
            self._screen.line("source, kustomize, helm and canary run, each as its own process")
            async with asyncio.TaskGroup() as beside:
                tasks = [beside.create_task(crew.watch())]
                if self._options.includes("deploy"):
                    await self._release(beside, tasks, client, crew, plane)
                if self._options.keep:
                    self._screen.plain("\nPress Ctrl-C to end everything.")
                    await asyncio.Event().wait()
                for task in tasks:
                    task.cancel()

    async def _release(
        self,
        beside: asyncio.TaskGroup,
        tasks: list[asyncio.Task[None]],
        client: Client,
        crew: Crew,
        plane: Plane,
    ) -> None:
        """Do the steps after the start; what goes on beside them is added to `tasks`."""
        board, measurements = Board(), Measurements(plane.canary_metrics)
        tasks += [beside.create_task(board.follow(client, each, NAMESPACE)) for each in FOLLOWED]
        tasks.append(beside.create_task(measurements.follow()))
        project = Project(
            crew.folder / "work", plane.git_root / "app.git", f"{plane.git_url}app.git"
        )
        await project.create()
        steps = Steps(
            self._options,
            client=client,
            board=board,
            project=project,
            crew=crew,
            screen=self._screen,
        )
        if self._screen.live:
            tasks.append(beside.create_task(self._animate(board, steps)))
        self._heading("deploy", "A GitRepository, a Kustomization and a HelmRelease")
        address = await steps.deploy(plane.metrics_url)
        load = steps.load = Load(address, HOST, rate=_RATE)
        tasks.append(beside.create_task(load.run()))
        for step, title, play in steps.plan():
            self._heading(step, title)
            await play()
        self._screen.table([])
        if steps.releases:
            self._screen.heading("What happened, and when")
        for line in timeline(steps.releases, board, load, measurements):
            self._screen.plain(line)
        seconds = time.monotonic() - self._began
        self._screen.plain(f"\nEverything happened as told, in {seconds:.0f} s.")
        self._screen.plain(_around(plane, address, keep=self._options.keep))

    def _heading(self, step: Step, title: str) -> None:
        self._step = step
        self._screen.heading(title)

    async def _animate(self, board: Board, steps: Steps) -> None:
        while True:
            self._screen.table(rows(board, steps))
            await asyncio.sleep(_FRAME)


def _first(error: BaseException) -> Exception:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception), "only such errors are caught"
    return error


def _around(plane: Plane, address: str, *, keep: bool) -> str:
    if not keep:
        return "Look around yourself: make demo KEEP=1"
    return "\n".join(
        [
            "Look around:",
            f"  export KUBECONFIG={plane.kubeconfig}",
            f"  kubectl -n {NAMESPACE} get canaries,kustomizations,helmreleases,deployments,pods",
            f"  fluvial get -n {NAMESPACE}",
            f"  curl -H 'Host: {HOST}' {address}",
            f"  git clone {plane.git_url}app.git",
        ]
    )
