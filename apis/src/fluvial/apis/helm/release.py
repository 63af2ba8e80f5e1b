"""HelmRelease: a chart that is kept released."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Any, Final

from fluvial.apis.helm.actions import Install, ReleaseTest, Rollback, Uninstall, Upgrade
from fluvial.apis.helm.template import ChartReference, ChartTemplate
from fluvial.apis.meta import (
    CommonMetadata,
    Condition,
    CustomHealthCheck,
    DependencyReference,
    IgnoreRule,
    Image,
    Inventory,
    KubeConfigReference,
    Patch,
    Resource,
    ValuesReference,
)
from fluvial.apis.schema import (
    Int64,
    Interval,
    Model,
    Rule,
    Schema,
    Timestamp,
    always,
    unobserved,
)

__all__ = [
    "API_VERSION",
    "GROUP",
    "DriftDetection",
    "HelmRelease",
    "HelmReleaseSpec",
    "HelmReleaseStatus",
    "HookStatus",
    "KustomizeRenderer",
    "PostRenderer",
    "ReleaseSnapshot",
    "WaitStrategy",
]

GROUP: Final = "helm.toolkit.fluxcd.io"
API_VERSION: Final = f"{GROUP}/v2"


class DriftDetection(Model, kw_only=True):
    """Whether the objects of a release are compared with the cluster."""

    mode: Annotated[str, Schema(enum=("enabled", "warn", "disabled"))] = ""
    """Correct drift, only report it, or do not look (also when absent)."""
    ignore: list[IgnoreRule] = []
    """Fields in which drift is not looked for."""


class WaitStrategy(Model, kw_only=True):
    """How readiness is found out."""

    name: Annotated[str, Schema(enum=("poller", "legacy"))]
    """By kstatus and health expressions, or by Helm's own rules for the built-in kinds."""


class KustomizeRenderer(Model, kw_only=True):
    """Changes to the rendered objects, in the terms of kustomize."""

    patches: list[Patch] = []
    """Patches to apply."""
    images: list[Image] = []
    """Image replacements."""


class PostRenderer(Model, kw_only=True):
    """A step between rendering and applying."""

    kustomize: KustomizeRenderer | None = None
    """Patches and image replacements."""


class HelmReleaseSpec(Model, kw_only=True):
    """Which chart to release, with which values, where, and how to look after it."""

    cel_rules = (
        Rule(
            "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))",
            "either chart or chartRef must be set",
        ),
    )

    chart: ChartTemplate | None = None
    """A HelmChart to make; this or chartRef."""
    chart_ref: ChartReference | None = None
    """An object whose artifact is the chart; this or chart."""
    interval: Interval
    """How often the release is looked at."""
    kube_config: KubeConfigReference | None = None
    """The cluster to release to; absent means this one."""
    suspend: bool = False
    """Do not reconcile for now; deleting a suspended object does not uninstall its release."""
    release_name: Annotated[str, Schema(min_length=1, max_length=53)] = ""
    """Name of the release; absent means `[targetNamespace-]name`, shortened when too long."""
    target_namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace of the release; absent means the object's own."""
    storage_namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace of the records of the release; absent means the object's own."""
    depends_on: list[DependencyReference] = []
    """HelmReleases that must be ready first."""
    timeout: Interval = ""
    """Time limit of each Kubernetes operation of an action; absent means five minutes."""
    max_history: int | None = None
    """How many records of the release are kept; 0 means all, absent means five."""
    service_account_name: Annotated[str, Schema(min_length=1, max_length=253)] = ""
    """ServiceAccount as which everything is released."""
    persistent_client: bool | None = None
    """Keep the API's discovery for the whole action; absent means yes. No is for charts whose
    hooks change CRDs."""
    drift_detection: DriftDetection | None = None
    """Whether the objects are compared with the cluster."""
    install: Install | None = None
    """How the release is installed."""
    upgrade: Upgrade | None = None
    """How the release is upgraded."""
    test: ReleaseTest | None = None
    """How its tests are run."""
    rollback: Rollback | None = None
    """How the release is rolled back."""
    uninstall: Uninstall | None = None
    """How the release is uninstalled."""
    values_from: list[ValuesReference] = []
    """ConfigMaps and Secrets with values, later ones winning."""
    values: Annotated[Any, Schema(preserve_unknown=True)] = None
    """Values; they win over those of valuesFrom."""
    common_metadata: CommonMetadata | None = None
    """Labels and annotations for every object."""
    post_renderers: list[PostRenderer] = []
    """Steps between rendering and applying, in order."""
    post_render_strategy: Annotated[str, Schema(enum=("nohooks", "combined", "separate"))] = ""
    """What the steps see: the objects without hooks, both together (combined, also when absent),
    or one after the other."""
    wait_strategy: WaitStrategy | None = None
    """How readiness is found out; absent means poller."""
    health_check_exprs: list[CustomHealthCheck] = []
    """Health of custom kinds, as CEL expressions; only with poller."""


class HookStatus(Model, kw_only=True):
    """How one test of a release went."""

    last_started: Timestamp | None = None
    """When it last started."""
    last_completed: Timestamp | None = None
    """When it last ended."""
    phase: str = ""
    """Succeeded, Failed, Running or Unknown."""


class ReleaseSnapshot(Model, kw_only=True):
    """A record of a release, as it was last observed."""

    api_version: str = ""
    """Version of this form; `v2`."""
    digest: str
    """Checksum of the record in the storage."""
    name: str
    """Name of the release."""
    namespace: str
    """Namespace of the release."""
    version: int
    """Number of the release."""
    status: str
    """State of the release, as Helm names it."""
    action: str = ""
    """The action that led to this record."""
    chart_name: str
    """Name of the chart."""
    chart_version: str
    """Version of the chart."""
    app_version: str = ""
    """Version of the application, as the chart has it."""
    config_digest: str
    """Checksum of the values."""
    first_deployed: Timestamp
    """When the release was first installed."""
    last_deployed: Timestamp
    """When this record was made."""
    deleted: Timestamp | None = None
    """When the release was uninstalled."""
    test_hooks: dict[str, HookStatus] | None = None
    """How each test went; absent when none was run."""
    oci_digest: str = ""
    """Digest of the OCI artifact with the chart."""


class HelmReleaseStatus(Model, kw_only=True):
    """What was last observed and released."""

    observed_generation: Int64 = 0
    """The generation that was last reconciled to a final result."""
    observed_post_renderers_digest: str = ""
    """Checksum of the post-renderers of the last release."""
    observed_common_metadata_digest: str = ""
    """Checksum of the common metadata of the last release."""
    last_attempted_generation: Int64 = 0
    """The generation of the last attempt."""
    conditions: list[Condition] = []
    """The aspects of the object's state, Ready among them."""
    helm_chart: str = ""
    """The HelmChart that was made, as `namespace/name`."""
    storage_namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace of the records; absent while there is nothing to uninstall."""
    history: list[ReleaseSnapshot] = []
    """Records of the release, newest first."""
    last_attempted_release_action: Annotated[str, Schema(enum=("install", "upgrade"))] = ""
    """The last action that was tried."""
    last_attempted_release_action_duration: str = ""
    """How long it took, as a Go duration."""
    failures: Int64 = 0
    """Failed attempts since the last success or change."""
    install_failures: Int64 = 0
    """Failed installs since the last success or change."""
    upgrade_failures: Int64 = 0
    """Failed upgrades since the last success or change."""
    last_attempted_revision: str = ""
    """Version of the chart of the last attempt."""
    last_attempted_revision_digest: str = ""
    """Digest of the OCI artifact of the last attempt."""
    last_attempted_values_checksum: str = ""
    """Deprecated: SHA-1 of the values of the last attempt."""
    last_release_revision: int = 0
    """Deprecated: number of the last release."""
    last_attempted_config_digest: str = ""
    """Checksum of the values of the last attempt."""
    last_handled_reconcile_at: str = ""
    """The last reconcile request that was handled, as its annotation had it."""
    last_handled_force_at: str = ""
    """The last force request that was handled."""
    last_handled_reset_at: str = ""
    """The last reset request that was handled."""
    inventory: Inventory | None = None
    """The objects of the release."""


class HelmRelease(Resource, kw_only=True):
    """A Helm chart that is kept installed, upgraded, tested and, when it fails, remediated."""

    api_version: str = always(API_VERSION)
    kind: str = always("HelmRelease")
    spec: HelmReleaseSpec
    """What is wanted."""
    status: HelmReleaseStatus = unobserved(HelmReleaseStatus)
    """What is."""
