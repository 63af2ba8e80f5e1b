"""Every kind that Fluvial reads and writes, by name and as one tuple."""

from typing import Any, Final, TypeAlias

from fluvial.apis import flagger, helm, kustomize, source
from fluvial.apis.definition import AGE, READY, STATUS, Column, Kind
from fluvial.apis.ids import GroupKind

__all__ = [
    "ALERT_PROVIDER",
    "ALL",
    "BUCKET",
    "CANARY",
    "EXTERNAL_ARTIFACT",
    "GIT_REPOSITORY",
    "HELM_CHART",
    "HELM_RELEASE",
    "HELM_REPOSITORY",
    "KUSTOMIZATION",
    "METRIC_TEMPLATE",
    "OCI_REPOSITORY",
    "AnyKind",
    "Column",
    "Kind",
    "find",
]

AnyKind: TypeAlias = Kind[Any]
"""A kind whose model does not matter."""

_URL: Final = Column("URL", ".spec.url")

_SOURCES: Final = ("all", "fluxcd", "fluxcd-sources")
_APPLIERS: Final = ("all", "fluxcd", "fluxcd-appliers")

# Post-build substitution must not rewrite the text of a CRD.
_VERBATIM: Final = (("kustomize.toolkit.fluxcd.io/substitute", "disabled"),)
# Uninstalling a chart that carries the CRD must not delete every object of the kind.
_KEEP: Final = (("helm.sh/resource-policy", "keep"),)

GIT_REPOSITORY: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="GitRepository",
    plural="gitrepositories",
    short_names=("gitrepo",),
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(_URL, AGE, READY, STATUS),
    model=source.GitRepository,
)
OCI_REPOSITORY: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="OCIRepository",
    plural="ocirepositories",
    short_names=("ocirepo",),
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(_URL, READY, STATUS, AGE),
    model=source.OCIRepository,
)
HELM_REPOSITORY: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="HelmRepository",
    plural="helmrepositories",
    short_names=("helmrepo",),
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(_URL, AGE, READY, STATUS),
    model=source.HelmRepository,
)
HELM_CHART: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="HelmChart",
    plural="helmcharts",
    short_names=("hc",),
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(
        Column("Chart", ".spec.chart"),
        Column("Version", ".spec.version"),
        Column("Source Kind", ".spec.sourceRef.kind"),
        Column("Source Name", ".spec.sourceRef.name"),
        AGE,
        READY,
        STATUS,
    ),
    model=source.HelmChart,
)
BUCKET: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="Bucket",
    plural="buckets",
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(Column("Endpoint", ".spec.endpoint"), AGE, READY, STATUS),
    model=source.Bucket,
)
EXTERNAL_ARTIFACT: Final = Kind(
    group=source.GROUP,
    version="v1",
    kind="ExternalArtifact",
    plural="externalartifacts",
    short_names=("ea",),
    categories=_SOURCES,
    annotations=_VERBATIM,
    columns=(AGE, READY, STATUS, Column("Source", ".spec.sourceRef.name")),
    model=source.ExternalArtifact,
)
KUSTOMIZATION: Final = Kind(
    group=kustomize.GROUP,
    version="v1",
    kind="Kustomization",
    plural="kustomizations",
    short_names=("ks",),
    categories=_APPLIERS,
    annotations=_VERBATIM,
    columns=(AGE, READY, STATUS),
    model=kustomize.Kustomization,
)
HELM_RELEASE: Final = Kind(
    group=helm.GROUP,
    version="v2",
    kind="HelmRelease",
    plural="helmreleases",
    short_names=("hr",),
    categories=_APPLIERS,
    annotations=_VERBATIM,
    columns=(AGE, READY, STATUS),
    model=helm.HelmRelease,
)
CANARY: Final = Kind(
    group=flagger.GROUP,
    version="v1beta1",
    kind="Canary",
    plural="canaries",
    categories=("all",),
    annotations=_KEEP,
    columns=(
        Column("Status", ".status.phase"),
        Column("Weight", ".status.canaryWeight"),
        Column("Suspended", ".spec.suspend", "boolean", priority=1),
        Column("FailedChecks", ".status.failedChecks", priority=1),
        Column("Interval", ".spec.analysis.interval", priority=1),
        Column("Mirror", ".spec.analysis.mirror", "boolean", priority=1),
        Column("StepWeight", ".spec.analysis.stepWeight", priority=1),
        Column("StepWeights", ".spec.analysis.stepWeights", priority=1),
        Column("MaxWeight", ".spec.analysis.maxWeight", priority=1),
        Column("LastTransitionTime", ".status.lastTransitionTime"),
    ),
    model=flagger.Canary,
)
METRIC_TEMPLATE: Final = Kind(
    group=flagger.GROUP,
    version="v1beta1",
    kind="MetricTemplate",
    plural="metrictemplates",
    categories=("all",),
    annotations=_KEEP,
    columns=(Column("Provider", ".spec.provider.type"),),
    model=flagger.MetricTemplate,
)
ALERT_PROVIDER: Final = Kind(
    group=flagger.GROUP,
    version="v1beta1",
    kind="AlertProvider",
    plural="alertproviders",
    categories=("all",),
    annotations=_KEEP,
    columns=(Column("Type", ".spec.type"),),
    model=flagger.AlertProvider,
)

ALL: Final[tuple[AnyKind, ...]] = (
    GIT_REPOSITORY,
    OCI_REPOSITORY,
    HELM_REPOSITORY,
    HELM_CHART,
    BUCKET,
    EXTERNAL_ARTIFACT,
    KUSTOMIZATION,
    HELM_RELEASE,
    CANARY,
    METRIC_TEMPLATE,
    ALERT_PROVIDER,
)
"""Every kind, sources first."""

_BY_GROUP_KIND: Final = {kind.group_kind: kind for kind in ALL}


def find(group: str, kind: str) -> AnyKind | None:
    """Return the kind of that group and name, or None when it is none of ours."""
    return _BY_GROUP_KIND.get(GroupKind(group, kind))
