"""HelmRepository and HelmChart: an index of charts, and one chart, as artifacts."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

from fluvial.apis.meta import AccessFrom, LocalObjectReference, Resource
from fluvial.apis.schema import (
    Interval,
    Model,
    Rule,
    Schema,
    Timeout,
    always,
    defaulted,
    unobserved,
)
from fluvial.apis.source.shared import API_VERSION, SourceStatus, Verification

__all__ = [
    "HelmChart",
    "HelmChartSourceReference",
    "HelmChartSpec",
    "HelmChartStatus",
    "HelmRepository",
    "HelmRepositorySpec",
    "HelmRepositoryStatus",
]


class HelmRepositorySpec(Model, kw_only=True):
    """Where the index is, how often it is fetched, and with which credentials."""

    url: Annotated[str, Schema(pattern="^(http|https|oci)://.*$")]
    """Address of the repository; the index is `index.yaml` below it."""
    type: Annotated[str, Schema(enum=("default", "oci"))] = ""
    """Kind of repository: an index over HTTP (default, also when absent), or a registry (oci),
    for which nothing is reconciled."""
    secret_ref: LocalObjectReference | None = None
    """Secret with `username` and `password`."""
    cert_secret_ref: LocalObjectReference | None = None
    """Secret with `ca.crt`, or `tls.crt` and `tls.key`, or all three."""
    pass_credentials: bool = False
    """Send the credentials also to other hosts that the index names."""
    interval: Interval = ""
    """How often the index is fetched; one minute when absent. Ignored for oci."""
    timeout: Timeout = ""
    """Time limit of a fetch; 60 seconds when absent."""
    insecure: bool = False
    """Allow a registry over plain HTTP; only for oci."""
    provider: Annotated[str, Schema(enum=("generic", "aws", "azure", "gcp"))] = defaulted("generic")
    """How to authenticate to a registry; only for oci."""
    suspend: bool = False
    """Do not reconcile for now."""
    access_from: AccessFrom | None = None
    """Accepted and without effect, as upstream."""


class HelmRepositoryStatus(SourceStatus, kw_only=True):
    """What was last observed and stored."""

    url: str = ""
    """Address of the latest index."""


class HelmRepository(Resource, kw_only=True):
    """A chart repository whose index is offered as an artifact."""

    api_version: str = always(API_VERSION)
    kind: str = always("HelmRepository")
    spec: HelmRepositorySpec
    """What is wanted."""
    status: HelmRepositoryStatus = unobserved(HelmRepositoryStatus)
    """What is."""


class HelmChartSourceReference(Model, kw_only=True):
    """The source of a chart, in the same namespace."""

    api_version: str = ""
    """API version of the source."""
    kind: Annotated[str, Schema(enum=("HelmRepository", "GitRepository", "Bucket"))]
    """Kind of the source."""
    name: str
    """Name of the source."""


class HelmChartSpec(Model, kw_only=True):
    """Which chart to fetch, from where, and how to put it together."""

    cel_rules = (
        Rule(
            "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
            "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
        ),
    )

    chart: str
    """Name of the chart in a HelmRepository, or its path in another source."""
    version: str = defaulted("*")
    """Range of semantic versions; ignored for GitRepository and Bucket."""
    source_ref: HelmChartSourceReference
    """Where the chart comes from."""
    interval: Interval
    """How often the source is looked at."""
    reconcile_strategy: Annotated[str, Schema(enum=("ChartVersion", "Revision"))] = defaulted(
        "ChartVersion"
    )
    """What makes a new artifact: a new chart version, or any new revision of the source."""
    values_files: list[str] = []
    """Values files that together replace the chart's values.yaml, later ones winning."""
    ignore_missing_values_files: bool = False
    """Go on when one of the values files is missing."""
    suspend: bool = False
    """Do not reconcile for now."""
    verify: Verification | None = None
    """How signatures are verified; absent means not at all."""


class HelmChartStatus(SourceStatus, kw_only=True):
    """What was last observed and stored."""

    observed_source_artifact_revision: str = ""
    """Revision of the source's artifact that the chart was made from."""
    observed_chart_name: str = ""
    """Name of the chart, as its Chart.yaml has it."""
    observed_values_files: list[str] = []
    """The values files that were found, while missing ones are ignored."""
    url: str = ""
    """Address of the latest chart."""


class HelmChart(Resource, kw_only=True):
    """A chart that is fetched or packaged and offered as an artifact."""

    api_version: str = always(API_VERSION)
    kind: str = always("HelmChart")
    spec: HelmChartSpec
    """What is wanted."""
    status: HelmChartStatus = unobserved(HelmChartStatus)
    """What is."""
