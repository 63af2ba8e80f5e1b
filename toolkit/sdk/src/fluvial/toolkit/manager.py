"""The process around controllers: signals, servers, leadership, an orderly end."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeAlias, TypeVar, overload

import msgspec
from aiohttp import web

from fluvial.toolkit import logs
from fluvial.toolkit._worker import work
from fluvial.toolkit.client import Client, ClientError, ClusterConfig, LeaseLost
from fluvial.toolkit.clock import Clock, RealClock
from fluvial.toolkit.controller import Controller
from fluvial.toolkit.events import EventRecorder
from fluvial.toolkit.flags import FlagError, HelpRequested, IntervalFlags, RuntimeFlags, parse
from fluvial.toolkit.health import health_app, measure_lag, metrics_app, serve
from fluvial.toolkit.leader import LeaderElector, lease_name
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.runtime import Informers, Runtime
from fluvial.toolkit.tracing import tracing

__all__ = ["Manager", "Setup", "main"]

F = TypeVar("F", bound=RuntimeFlags)
R = TypeVar("R")

_FLUSH = 2.0
"""Seconds that events get at the end."""


class Manager(Generic[F]):
    """Runs controllers and servers until it is told to stop.

    `name` is the controller process's, e.g. `source-controller`: it is the user agent, the events'
    component, the default field manager and the stem of the lease's name. Use it as an async
    context manager, `add` what it is to run, then await `run`.
    """

    def __init__(
        self,
        name: str,
        flags: F,
        config: ClusterConfig,
        *,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        version: str = "0.1.0",
    ) -> None:
        self.name = name
        self.flags = flags
        """The process's settings."""
        self.clock: Clock = clock or RealClock()
        """Where time comes from."""
        self.metrics = metrics or Metrics()
        """What the process counts."""
        self.stopping = asyncio.Event()
        """Set by a signal or by `stop`."""
        self.leading = asyncio.Event()
        """Set once this process may work (at once without leader election)."""
        self.ready: dict[str, asyncio.Event] = {}
        """What `/readyz` waits for, by name; may be added to before `run`."""
        self.addresses: dict[str, str] = {}
        """The bound addresses of the servers, by name."""
        self._controllers: list[Controller[Any]] = []
        self._tasks: list[tuple[str, Callable[[Runtime], Awaitable[None]]]] = []
        self._servers: list[tuple[str, web.Application, str, bool]] = []
        self.agent = f"{name}/{version}"
        """The user agent of every client of this process."""
        self._resources = contextlib.AsyncExitStack()
        self._config = config
        self.client = self._new_client()
        """The controller's own identity at the API server."""
        self._setup_log = logs.logger("setup")

    def _new_client(self) -> Client:
        return Client(
            self._config,
            user_agent=self.agent,
            qps=self.flags.kube_api_qps,
            burst=self.flags.kube_api_burst,
            clock=self.clock,
            metrics=self.metrics,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._resources.aclose()
        finally:
            await self.client.close()

    async def enter(self, resource: contextlib.AbstractAsyncContextManager[R]) -> R:
        """Open what a reconciler holds on to (a worker pool, a fetcher); closed after `run`."""
        return await self._resources.enter_async_context(resource)

    def add(self, controller: Controller[Any]) -> None:
        """Run a controller while leading."""
        self._controllers.append(controller)

    def add_task(self, name: str, task: Callable[[Runtime], Awaitable[None]]) -> None:
        """Run a coroutine function while leading; it is cancelled at the end.

        If it raises, the process ends.
        """
        self._tasks.append((name, task))

    def add_server(
        self, name: str, app: web.Application, address: str, *, leader_only: bool = False
    ) -> None:
        """Serve an application; `leader_only` ones start when this process begins to lead."""
        self._servers.append((name, app, address, leader_only))

    def stop(self) -> None:
        """Begin the orderly end: no new work, a while for what is in progress, then all ends."""
        self.stopping.set()

    async def run(self) -> None:
        """Run until stopped. Raises LeaseLost when that happened, and whatever a task raises."""
        async with contextlib.AsyncExitStack() as stack:
            self._handle_signals(stack)
            await self._serve(stack, "metrics", metrics_app(self.metrics), self.flags.metrics_addr)
            await self._serve(stack, "health", health_app(self.ready), self.flags.health_addr)
            for name, app, address, leader_only in self._servers:
                if not leader_only:
                    await self._serve(stack, name, app, address)
            await self._announce()
            try:
                async with asyncio.TaskGroup() as tasks:
                    background = [tasks.create_task(measure_lag(self.metrics), name="lag")]
                    await self._lead(stack, tasks)
                    for task in background:
                        task.cancel()
            except* LeaseLost as group:
                raise _first(group) from None
        self._setup_log.info("stopped")

    async def _lead(self, stack: contextlib.AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Become leader if that is wanted, then work."""
        if not self.flags.enable_leader_election:
            await self._work(stack)
            return
        # A client of its own: renewals wait behind nothing and are never fenced off.
        lease_client = await stack.enter_async_context(self._new_client())
        elector = LeaderElector(
            lease_client,
            lease_name(self.name, self.flags.watch_label_selector),
            self.flags.runtime_namespace,
            clock=self.clock,
            metrics=self.metrics,
            duration=self.flags.leader_election_lease_duration,
            renew_deadline=self.flags.leader_election_renew_deadline,
            retry_period=self.flags.leader_election_retry_period,
            release=self.flags.leader_election_release_on_cancel,
        )
        self.client.guard = elector.guard
        if not await self._unless_stopped(elector.acquire()):
            return
        try:
            with _ended_by_a_late_waking(elector):
                holder = tasks.create_task(elector.hold(), name="leader")
                await self._work(stack)
                holder.cancel()
        finally:
            await elector.step_down()

    async def _work(self, stack: contextlib.AsyncExitStack) -> None:
        """Run everything that only a leader runs; returns when stopped and drained."""
        for name, app, address, leader_only in self._servers:
            if leader_only:
                await self._serve(stack, name, app, address)
        await self._announce()
        recorder = EventRecorder(
            self.client,
            self.name,
            address=self.flags.events_addr,
            clock=self.clock,
            metrics=self.metrics,
        )
        async with asyncio.TaskGroup() as tasks:
            informers = Informers(self.client, self.clock, tasks)
            spans = await stack.enter_async_context(tracing(self.name))
            runtime = Runtime(
                name=self.name,
                client=self.client,
                flags=self.flags,
                clock=self.clock,
                metrics=self.metrics,
                recorder=recorder,
                informers=informers,
                tracing=spans,
            )
            events = tasks.create_task(recorder.run(), name="events")
            extra = [
                tasks.create_task(_call(task, runtime), name=name) for name, task in self._tasks
            ]
            running = [
                tasks.create_task(work(controller, runtime, self.stopping), name=controller.name)
                for controller in self._controllers
            ]
            self.leading.set()
            await self.stopping.wait()
            self._setup_log.info("stopping: no new work is begun")
            if running:
                _, late = await asyncio.wait(running, timeout=self.flags.graceful_shutdown_timeout)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            for task in extra:
                task.cancel()
            informers.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH):
                    await recorder.flush()
            events.cancel()

    async def _serve(
        self, stack: contextlib.AsyncExitStack, name: str, app: web.Application, address: str
    ) -> None:
        if address == "0":
            return  # upstream's way to switch a server off
        bound = await stack.enter_async_context(serve(app, address))
        self.addresses[name] = bound
        self._setup_log.info("serving", server=name, address=bound)

    async def _announce(self) -> None:
        """Write the bound addresses where the flag says, whole or not at all."""
        if self.flags.address_file:
            content = msgspec.json.encode(self.addresses)
            await asyncio.to_thread(_write_whole, Path(self.flags.address_file), content)

    async def _unless_stopped(self, awaitable: Awaitable[None]) -> bool:
        """Wait for it, or until stopped; False in that case."""
        task = asyncio.ensure_future(awaitable)
        stop = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
                return True
            return False
        finally:
            task.cancel()
            stop.cancel()

    def _handle_signals(self, stack: contextlib.AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only the main thread gets signals; elsewhere (tests) `stop` does the same.
            with contextlib.suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, self.stop)
                stack.callback(loop.remove_signal_handler, number)


@contextlib.contextmanager
def _ended_by_a_late_waking(elector: LeaderElector) -> Iterator[None]:
    """End the process at once when it was stopped for so long that it lost its lease.

    A request may have passed the fence just before: it is not to leave after the lease's end.
    """

    def wake(*_: object) -> None:
        if not elector.leading:
            # Not by the loop: it would come after what this process was about to do.
            sys.stderr.write("leader election lost: stopped for longer than the lease\n")
            os._exit(1)

    try:
        before = signal.signal(signal.SIGCONT, wake)
    except ValueError:  # only the main thread gets signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before or signal.SIG_DFL)


Setup: TypeAlias = Callable[[Manager[F]], Awaitable[None]]
"""Adds controllers to a manager."""


@overload
def main(name: str, setup: Controller[Any], *, argv: Sequence[str] | None = None) -> int: ...


@overload
def main(name: str, setup: Setup[F], flags: type[F], argv: Sequence[str] | None = None) -> int: ...


def main(
    name: str,
    setup: Controller[Any] | Setup[Any],
    flags: type[RuntimeFlags] = IntervalFlags,
    argv: Sequence[str] | None = None,
) -> int:
    """Be a controller process; returns its exit status.

    `setup` is the controller, or a coroutine function that adds some to a manager.

    ```python
    if __name__ == "__main__":
        raise SystemExit(main("source-controller", setup, SourceFlags))
    ```
    """
    try:
        parsed = parse(flags, sys.argv[1:] if argv is None else argv)
        logs.configure(parsed.log_level, parsed.log_encoding)
    except HelpRequested as text:
        sys.stdout.write(f"{text}\n")
        return 0
    except ValueError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    return asyncio.run(
        _run(name, _alone(setup) if isinstance(setup, Controller) else setup, parsed)
    )


def _alone(controller: Controller[Any]) -> Setup[Any]:
    async def setup(manager: Manager[Any]) -> None:
        manager.add(controller)

    return setup


async def _run(name: str, setup: Setup[F], flags: F) -> int:
    setup_log = logs.logger("setup")
    try:
        config = await ClusterConfig.discover(flags.kubeconfig or None)
        async with Manager(name, flags, config) as manager:
            await setup(manager)
            await manager.run()
    except LeaseLost as error:
        setup_log.error("leader election lost", error=error)
        return 1
    except (ClientError, OSError, FlagError) as error:
        setup_log.error("unable to start", error=error)
        return 1
    return 0


async def _call(task: Callable[[Runtime], Awaitable[None]], runtime: Runtime) -> None:
    await task(runtime)


def _first(group: BaseExceptionGroup[LeaseLost]) -> LeaseLost:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, LeaseLost)
    return error


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
