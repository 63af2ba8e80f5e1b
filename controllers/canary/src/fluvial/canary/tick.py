"""What one tick works with: the Canary as it is now, its workload, and ways to say things."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fluvial.apis.decoding import decode
from fluvial.apis.flagger.canary import Canary, CanaryStatus
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import CANARY
from fluvial.canary.checksum import run_checksum, spec_hash
from fluvial.canary.configs import Configs, ConfigTracker, checksums
from fluvial.canary.deployment import DeploymentWorkload, discovered_ports
from fluvial.canary.exporter import Exporter
from fluvial.canary.flags import CanaryFlags
from fluvial.canary.interfaces import Alerts, Hooks, MetricChecks
from fluvial.canary.primary import Transformation, selector_of
from fluvial.canary.routers import PodSelection, Services, Weights
from fluvial.canary.routers.model import Router
from fluvial.canary.scaler import Scaler
from fluvial.canary.state import Phase
from fluvial.canary.status import StatusWriter, enter_phase
from fluvial.canary.strategy import Plan, plan_of
from fluvial.toolkit import Client, Clock, Logger
from fluvial.toolkit.events import EventRecorder, EventType
from fluvial.toolkit.tracing import Tracing

__all__ = ["REASON", "Parts", "Tick"]

REASON: Final = "Synced"
"""The reason of every event; dashboards rely on it."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What all ticks of one controller share."""

    client: Client
    clock: Clock
    flags: CanaryFlags
    recorder: EventRecorder
    exporter: Exporter
    log: Logger
    checks: MetricChecks
    hooks: Hooks
    alerts: Alerts
    services: Services
    tracker: ConfigTracker
    status: StatusWriter
    router: Callable[[str], Router]
    """Returns the router of a provider. Raises UnsupportedProvider."""
    tracing: Tracing | None = None


@dataclass
class Tick:
    """One run of the loop for one Canary; `canary.status` is changed and written by the actions."""

    parts: Parts
    raw: Unstructured
    canary: Canary
    plan: Plan
    router: Router
    workload: DeploymentWorkload
    scaler: Scaler
    target: Unstructured
    pods: PodSelection
    configs: Configs
    change: Transformation
    was: Phase = field(default=Phase.NONE)
    """The phase when the tick began."""

    @classmethod
    async def begin(cls, parts: Parts, raw: Unstructured, canary: Canary) -> "Tick":
        """Read the target and what it uses. Raises CanaryError and ClientError."""
        provider = canary.spec.provider or parts.flags.mesh_provider
        router = parts.router(provider)
        workload = DeploymentWorkload(parts.client, canary)
        target = await workload.target()
        labels = parts.flags.selector_label_list
        selector = selector_of(target, labels)
        pod_spec = target["spec"]["template"]["spec"]
        configs = await parts.tracker.read(pod_spec, canary.metadata.namespace)
        return cls(
            parts=parts,
            raw=raw,
            canary=canary,
            plan=plan_of(canary, provider),
            router=router,
            workload=workload,
            scaler=Scaler(parts.client, canary),
            target=target,
            pods=discovered_ports(canary, target, selector),
            configs=configs,
            change=Transformation(
                selector=selector,
                prefixes=parts.flags.label_prefixes,
                selector_labels=labels,
                tracked=frozenset(configs),
            ),
            was=Phase(canary.status.phase),
        )

    @property
    def name(self) -> str:
        """`name.namespace` of the Canary, as messages have it."""
        return f"{self.canary.metadata.name}.{self.canary.metadata.namespace}"

    @property
    def status(self) -> CanaryStatus:
        """The status in memory."""
        return self.canary.status

    @property
    def spec_hash(self) -> str:
        """The hash of the target's pod template."""
        return spec_hash(self.target["spec"]["template"])

    @property
    def checksum(self) -> str:
        """What webhooks get to know the run by."""
        return run_checksum(self.status.tracked_configs, self.status.last_applied_spec)

    async def tell(self, message: str, type: EventType = "Normal") -> None:
        """Record an event on the Canary, and post it to the event webhooks."""
        self.parts.log.info(message, canary=self.name)
        self.parts.recorder.event(self.raw, type, REASON, message)
        await self.parts.hooks.event(
            self.canary, message, type, url=self.parts.flags.event_webhook, checksum=self.checksum
        )

    async def warn(self, message: str) -> None:
        """Tell something that is not as it should be."""
        await self.tell(message, "Warning")

    async def alert(self, message: str, severity: str, *, metadata: bool = False) -> None:
        """Tell people in chat."""
        await self.parts.alerts.send(self.canary, message, severity, metadata=metadata)

    async def route(self, weights: Weights) -> None:
        """Shift traffic; cookies that the router put in the status go with its next write."""
        await self.router.set(self.canary, weights)
        self.parts.exporter.weight(self.canary, weights.primary, weights.canary)

    async def enter(self, phase: Phase, **fields: Any) -> None:
        """Write a phase and what it means for the other fields, then `fields` on top."""
        enter_phase(self.status, phase, self.parts.clock.now())
        await self.write(**fields)

    async def sync(self, phase: Phase, **fields: Any) -> None:
        """Write a phase with the revision as it is now and all counters at zero."""
        enter_phase(self.status, phase, self.parts.clock.now())
        self.note_revision()
        await self.write(**{"canary_weight": 0, "iterations": 0, "failed_checks": 0, **fields})

    def note_revision(self) -> None:
        """Remember the target and its configuration, in memory."""
        self.status.last_applied_spec = self.spec_hash
        self.status.tracked_configs = checksums(self.configs)

    async def write(self, **fields: Any) -> None:
        """Write the status with these fields."""
        for name, value in fields.items():
            setattr(self.status, name, value)
        self.raw = await self.parts.status.write(self.raw, self.canary)
        # What a conflict brought in is in the answer; the tick goes on from there.
        self.canary.status = decode(CANARY, self.raw).status
        self.parts.exporter.status(self.canary)
