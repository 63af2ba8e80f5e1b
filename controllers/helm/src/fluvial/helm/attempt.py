"""One attempt at one HelmRelease: what all of its steps need to know and to say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fluvial.apis.duration import format_duration
from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.helm import names, snapshots
from fluvial.helm.engine.objects import Objects
from fluvial.helm.flags import HelmFlags
from fluvial.helm.rendering import LoadedChart, Renderer
from fluvial.helm.state import Desired
from fluvial.helm.storage import Record, Storage
from fluvial.toolkit import Context, conditions

__all__ = ["RELEASED", "REMEDIATED", "Attempt", "Release"]

RELEASED: Final = "Released"
REMEDIATED: Final = "Remediated"


@dataclass(slots=True, kw_only=True)
class Release:
    """A release in the cluster, with the tenant's identity: all that an uninstall needs.

    `records` are those of the storage, the newest first, as last read.
    """

    ctx: Context[HelmRelease]
    flags: HelmFlags
    storage: Storage
    objects: Objects
    renderer: Renderer
    records: Sequence[Record] = ()

    @property
    def obj(self) -> HelmRelease:
        """The object itself."""
        return self.ctx.obj

    @property
    def title(self) -> str:
        """The release as failures name it: `ns/name`."""
        return f"{names.release_namespace(self.obj)}/{names.release_name(self.obj)}"

    async def parse(self, manifest: str) -> list[Unstructured]:
        """Read the objects of a stored manifest. Raises ChartUnusable."""
        return (await self.renderer.parse(self.obj, manifest))[0]

    async def create(self, record: Record, action: str, *, prune: bool = True) -> None:
        """Write a new record, making room for it, take its snapshot, and write the status."""
        if prune:
            await self.storage.prune(list(self.records), names.max_history(self.obj))
        await self.storage.create(record, self.ctx.now)
        self.observe(record, action)
        await self.ctx.patch_status()

    async def save(self, record: Record) -> None:
        """Write what became of a record, and take its snapshot."""
        await self.storage.update(record, self.ctx.now)
        self.observe(record)

    def observe(self, record: Record, action: str = "") -> None:
        """Take a snapshot of a record."""
        snapshots.remember(self.obj, record, self.flags.snapshot_digest_algo, action)

    async def announce(self, action: str, own_timeout: str) -> None:
        """Write to the status what is being done, with Ready Unknown."""
        limit = format_duration(names.action_timeout(self.obj, own_timeout))
        message = f"Running '{action}' action with timeout of {limit}"
        self.ctx.mark(conditions.READY, "Unknown", "Progressing", message)
        self.ctx.mark(conditions.RECONCILING, "True", "Progressing", message)
        await self.ctx.patch_status()


@dataclass(slots=True, kw_only=True)
class Attempt(Release):
    """A release with the chart and values that are wanted; `forced` asks for one action more."""

    chart: LoadedChart
    values: dict[str, Any]
    desired: Desired
    forced: bool = False
    retry_by_default: bool = field(init=False)

    def __post_init__(self) -> None:
        """Take the default strategy from the feature gate."""
        self.retry_by_default = self.flags.enabled("DefaultToRetryOnFailure")

    @property
    def chart_text(self) -> str:
        """The wanted chart as messages name it."""
        return f"{self.chart.name}@{self.chart.version}"

    @property
    def metadata(self) -> dict[str, str]:
        """What events say about the chart and the values."""
        facts = {"revision": self.chart.version, "token": self.desired.config_digest}
        if version := self.chart.metadata.get("appVersion"):
            facts["app-version"] = str(version)
        return facts
