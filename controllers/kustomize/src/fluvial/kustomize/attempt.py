"""One attempt at one Kustomization: what all of its steps need to know and to say."""

from dataclasses import dataclass
from typing import Final

from fluvial.apis.duration import format_duration, parse_duration
from fluvial.apis.kustomize import Kustomization
from fluvial.apis.meta import Artifact
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.toolkit import Client, Context, conditions
from fluvial.toolkit.apply import Fights

__all__ = [
    "HEALTHY",
    "ORIGIN_REVISION",
    "SUCCEEDED",
    "Attempt",
    "health_timeout",
    "is_settled",
    "settle",
]

HEALTHY: Final = "Healthy"
SUCCEEDED: Final = "ReconciliationSucceeded"

ORIGIN_REVISION: Final = "org.opencontainers.image.revision"
"""Key of an artifact's metadata: what the artifact was made from."""

_SHORTEST_TIMEOUT: Final = 30.0


def health_timeout(obj: Kustomization) -> float:
    """Seconds that health checks may take: the spec's, else the interval less 30 s; at least 30."""
    spec = obj.spec
    wanted = parse_duration(spec.timeout) if spec.timeout else parse_duration(spec.interval) - 30.0
    return max(_SHORTEST_TIMEOUT, wanted)


def is_settled(obj: Kustomization, artifact: Artifact) -> bool:
    """Whether the status already says that this spec is applied, at this revision, and Ready."""
    return (
        conditions.is_true(obj, conditions.READY)
        and obj.status.observed_generation == obj.metadata.generation
        and obj.status.last_applied_revision == artifact.revision
    )


def settle(ctx: Context[Kustomization], artifact: Artifact) -> None:
    """Let the status say that this artifact is applied."""
    status = ctx.obj.status
    status.last_applied_revision = artifact.revision
    status.last_applied_origin_revision = artifact.metadata.get(ORIGIN_REVISION, "")
    ctx.ready(SUCCEEDED, f"Applied revision: {artifact.revision}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who, what, with which identity, and since when (`started` in clock seconds).

    `client` has the tenant's identity, `ctx.client` the controller's own. `new` says that there is
    something to prove: another revision, spec or request, or a failure before. An attempt that is
    not new and changes nothing was none: it leaves no history, event or status. `fights` are those
    of the whole process.
    """

    ctx: Context[Kustomization]
    client: Client
    flags: KustomizeFlags
    artifact: Artifact
    started: float
    new: bool
    fights: Fights

    @property
    def obj(self) -> Kustomization:
        """The object itself."""
        return self.ctx.obj

    @property
    def took(self) -> float:
        """Seconds since the start, to the millisecond."""
        return self.since(self.started)

    @property
    def metadata(self) -> dict[str, str]:
        """What events and the history say about the artifact."""
        facts = {"revision": self.artifact.revision}
        if origin := self.artifact.metadata.get(ORIGIN_REVISION):
            facts["originRevision"] = origin
        return facts

    def since(self, then: float) -> float:
        """Seconds since a moment of the clock, to the millisecond."""
        return round(self.ctx.clock.monotonic() - then, 3)

    def event(self, reason: str, message: str, **metadata: str) -> None:
        """Tell people something good about the revision."""
        self.ctx.event("Normal", reason, message, {**self.metadata, **metadata})

    async def announce(self, doing: str) -> str:
        """Write what is being done to the status, with Ready Unknown; returns the message.

        Raises NotFound when the object is gone.
        """
        message = (
            f"{doing} for revision {self.artifact.revision} with a timeout of "
            f"{format_duration(health_timeout(self.obj))}"
        )
        self.ctx.mark(conditions.READY, "Unknown", "Progressing", "Reconciliation in progress")
        self.ctx.mark(conditions.RECONCILING, "True", "Progressing", message)
        await self.ctx.patch_status()
        return message
