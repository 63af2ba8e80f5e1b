"""Starts the stand-ins and the node over one view, and ends them together."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fluvial.cluster.gateway.controller import Gateways
from fluvial.cluster.metrics.scrapetargets import ScrapeTargets
from fluvial.cluster.node.addresses import Addresses
from fluvial.cluster.node.container import Backoff
from fluvial.cluster.node.files import private_directory
from fluvial.cluster.node.images import SAMPLE_IMAGES
from fluvial.cluster.node.kubelet import NODE_NAME, Kubelet
from fluvial.cluster.node.process import Processes
from fluvial.cluster.node.runner import NodeServices
from fluvial.cluster.standins import identities
from fluvial.cluster.standins.accounts import Accounts
from fluvial.cluster.standins.apiservices import ApiServices
from fluvial.cluster.standins.autoscaling import Autoscalers
from fluvial.cluster.standins.claims import Claims
from fluvial.cluster.standins.controller import Controller
from fluvial.cluster.standins.cronjobs import CronJobs
from fluvial.cluster.standins.daemonsets import DaemonSets
from fluvial.cluster.standins.deployments import Deployments
from fluvial.cluster.standins.disruption import DisruptionBudgets
from fluvial.cluster.standins.endpoints import EndpointControllers
from fluvial.cluster.standins.garbage import GarbageCollector
from fluvial.cluster.standins.jobs import Jobs
from fluvial.cluster.standins.namespaces import Namespaces
from fluvial.cluster.standins.policystatus import PolicyStatuses
from fluvial.cluster.standins.quotas import Quotas
from fluvial.cluster.standins.recorder import Recorder
from fluvial.cluster.standins.replicasets import ReplicaSets
from fluvial.cluster.standins.reporting import Reporter
from fluvial.cluster.standins.scheduler import Scheduler
from fluvial.cluster.standins.statefulsets import StatefulSets
from fluvial.cluster.standins.timer import SystemTimer, Timer
from fluvial.cluster.standins.tokens import AccountTokens
from fluvial.cluster.standins.view import ApiAccess, View

__all__ = ["Options", "Standins", "run"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How the stand-ins run.

    - `directory`: private to the node and removed at its end; holds volumes, logs, Secrets.
      None makes a temporary one.
    - `certificate`: the API server's CA in PEM, for `kube-root-ca.crt`; empty: none.
    - `images`: image repository to command; every other image is simulated.
    - `gateway`: also run an Envoy that serves Gateways and HTTPRoutes.
    - `scrape_targets`: a file to keep with what a Prometheus is to scrape.
    """

    directory: Path | None = None
    certificate: str = ""
    images: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=lambda: SAMPLE_IMAGES)
    timer: Timer = dataclasses.field(default_factory=SystemTimer)
    backoff: Backoff = dataclasses.field(default_factory=Backoff)
    gateway: bool = False
    scrape_targets: Path | None = None


class Standins:
    """All stand-ins of one control plane.

    `ready` is set once every watch is complete; `kubelet.log_path` finds the output of pods.
    """

    def __init__(self, api: ApiAccess, options: Options) -> None:
        timer = options.timer
        view = View(api)
        self.directory = options.directory or Path(tempfile.mkdtemp(prefix="fluvial-node-"))
        services = NodeServices(
            directory=self.directory,
            images=options.images,
            addresses=Addresses(),
            processes=Processes(self.directory),
            timer=timer,
            backoff=options.backoff,
        )
        self.view = view
        self.ready = asyncio.Event()
        self.kubelet = Kubelet(identities.node(view, NODE_NAME), services)
        self._collector = GarbageCollector(
            identities.controller(view, "generic-garbage-collector"), timer
        )
        self._recorder = Recorder(api, timer)
        self._reporter = Reporter(view, timer, self._recorder)
        self._controllers = [
            *_controllers(view, timer, options.certificate),
            Scheduler(identities.scheduler(view), timer).controller,
        ]
        self.gateways: Gateways | None = None
        self._targets: ScrapeTargets | None = None
        if options.scrape_targets is not None:
            self._targets = ScrapeTargets(view, timer, options.scrape_targets, self._admin)
            self._controllers.append(self._targets.controller)
        if options.gateway:
            self.gateways = Gateways(view, services, self._admin_changed)

    def _admin(self) -> str:
        return self.gateways.admin if self.gateways is not None else ""

    def _admin_changed(self) -> None:
        if self._targets is not None:
            self._targets.refresh()

    async def run(self) -> None:
        """Run until cancelled; then all processes are gone, and so is the directory's content."""
        private_directory(self.directory)
        try:
            async with asyncio.TaskGroup() as group:
                await self.view.run(group)
                for controller in self._controllers:
                    group.create_task(controller.run(), name=controller.name)
                group.create_task(self._collector.run(), name="garbage")
                group.create_task(self._recorder.run(), name="events")
                group.create_task(self.kubelet.run(), name="kubelet")
                if self.gateways is not None:
                    group.create_task(self.gateways.run(), name="gateways")
                self.ready.set()
        finally:
            # No await: this also runs in a task that is being cancelled.
            shutil.rmtree(self.directory, ignore_errors=True)


def _controllers(view: View, timer: Timer, certificate: str) -> list[Controller]:
    """Return the loops of kube-controller-manager, each as its own user."""

    def acting(name: str) -> View:
        return identities.controller(view, name)

    return [
        each.controller
        for each in (
            Accounts(acting("service-account-controller"), timer, certificate),
            AccountTokens(acting("service-account-controller"), timer, certificate),
            ApiServices(view, timer),
            PolicyStatuses(acting("validatingadmissionpolicy-status-controller"), timer),
            Namespaces(acting("namespace-controller"), timer),
            Deployments(acting("deployment-controller"), timer),
            ReplicaSets(acting("replicaset-controller"), timer),
            StatefulSets(acting("statefulset-controller"), timer),
            DaemonSets(acting("daemon-set-controller"), timer),
            Jobs(acting("job-controller"), timer),
            CronJobs(acting("cronjob-controller"), timer),
            Autoscalers(acting("horizontal-pod-autoscaler"), timer),
            Claims(acting("persistent-volume-binder"), timer),
            DisruptionBudgets(acting("disruption-controller"), timer),
            Quotas(acting("resourcequota-controller"), timer),
            EndpointControllers(acting("endpointslice-controller"), timer),
        )
    ]


async def run(api: ApiAccess, options: Options | Mapping[str, Any] | None = None) -> None:
    """Start every stand-in and the node; returns only by cancellation.

    A mapping holds members of `Options` by name.
    """
    chosen = options if isinstance(options, Options) else Options(**(options or {}))
    await Standins(api, chosen).run()
