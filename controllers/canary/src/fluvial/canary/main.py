"""The process: `python -m fluvial.canary`, or the command canary-controller."""

from functools import partial
from typing import Final

import aiohttp

from fluvial.canary.alerts import Alerts
from fluvial.canary.configs import ConfigTracker
from fluvial.canary.exporter import Exporter
from fluvial.canary.flags import CanaryFlags
from fluvial.canary.metrics import MetricChecks
from fluvial.canary.release import run_tick
from fluvial.canary.resources import CANARIES
from fluvial.canary.routers import Services, router_for
from fluvial.canary.scheduler import Scheduler
from fluvial.canary.status import StatusWriter
from fluvial.canary.tick import Parts
from fluvial.canary.webhooks import Webhooks
from fluvial.toolkit import Manager, Runtime, Selection, logger
from fluvial.toolkit import main as run_manager

__all__ = ["NAME", "VERSION", "main", "setup"]

NAME: Final = "flagger"
"""Equal to the Go controller's: the events' component and the stem of the lease's name, so that
of the two only one works at a time."""

VERSION: Final = "0.1.0"


async def setup(manager: Manager[CanaryFlags]) -> None:
    """Add the scheduler to a manager, and what its ticks hold on to."""
    flags = manager.flags
    session = await manager.enter(aiohttp.ClientSession())
    exporter = Exporter(manager.metrics.registry, version=VERSION, provider=flags.mesh_provider)
    log = logger("canary")
    if flags.provider_note:
        log.info(flags.provider_note)

    async def schedule(runtime: Runtime) -> None:
        parts = Parts(
            client=runtime.client,
            clock=runtime.clock,
            flags=flags,
            recorder=runtime.recorder,
            exporter=exporter,
            log=log,
            checks=MetricChecks(
                runtime.client, flags.metrics_server, session, provider=flags.mesh_provider
            ),
            hooks=Webhooks(session, runtime.clock),
            alerts=Alerts(runtime.client, session, log, cluster=flags.cluster_name),
            services=Services(runtime.client),
            tracker=ConfigTracker(runtime.client, enabled=flags.enable_config_tracking),
            status=StatusWriter(runtime.client, runtime.clock),
            router=lambda provider: router_for(provider, runtime.client),
            tracing=runtime.tracing,
        )
        informer = runtime.informers.get(Selection(CANARIES, flags.watch_namespace))
        scheduler = Scheduler(
            informer,
            partial(run_tick, parts),
            clock=runtime.clock,
            log=log,
            exporter=exporter,
            every=flags.control_loop_interval,
            floor=flags.analysis_interval_floor,
        )
        await scheduler.run()

    manager.add_task("canary", schedule)


def main() -> int:
    """Be the canary controller; returns the exit status."""
    return run_manager(NAME, setup, CanaryFlags)
