"""The chart of a HelmRelease: a template for a HelmChart, or a reference to an artifact."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

from fluvial.apis.meta import LocalObjectReference
from fluvial.apis.schema import Interval, Model, Schema, defaulted

__all__ = [
    "ChartReference",
    "ChartSourceReference",
    "ChartTemplate",
    "ChartTemplateMetadata",
    "ChartTemplateSpec",
    "ChartVerification",
]


class ChartSourceReference(Model, kw_only=True):
    """The source of a chart."""

    api_version: str = ""
    """API version of the source."""
    kind: Annotated[str, Schema(enum=("HelmRepository", "GitRepository", "Bucket"))]
    """Kind of the source."""
    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the source."""
    namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace of the source; absent means the release's own."""


class ChartReference(Model, kw_only=True):
    """An object whose artifact is the chart."""

    api_version: str = ""
    """API version of the object."""
    kind: Annotated[str, Schema(enum=("OCIRepository", "HelmChart", "ExternalArtifact"))]
    """Kind of the object."""
    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the object."""
    namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace of the object; absent means the release's own."""


class ChartVerification(Model, kw_only=True):
    """How the signature of the chart is verified."""

    provider: Annotated[str, Schema(enum=("cosign", "notation"), required=True)] = defaulted(
        "cosign"
    )
    """Technology that signed it."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the public keys, or for notation with the trust policy."""


class ChartTemplateMetadata(Model, kw_only=True):
    """Metadata of the HelmChart that is made."""

    labels: dict[str, str] = {}
    """Labels to set."""
    annotations: dict[str, str] = {}
    """Annotations to set."""


class ChartTemplateSpec(Model, kw_only=True):
    """Spec of the HelmChart that is made."""

    chart: Annotated[str, Schema(min_length=1, max_length=2048)]
    """Name of the chart in a HelmRepository, or its path in another source."""
    version: str = defaulted("*")
    """Range of semantic versions; ignored for GitRepository and Bucket."""
    source_ref: ChartSourceReference
    """Where the chart comes from."""
    interval: Interval = ""
    """How often the source is looked at; absent means the release's interval."""
    reconcile_strategy: Annotated[str, Schema(enum=("ChartVersion", "Revision"))] = defaulted(
        "ChartVersion"
    )
    """What makes a new artifact: a new chart version, or any new revision of the source."""
    values_files: list[str] = []
    """Values files that together replace the chart's values.yaml, later ones winning."""
    ignore_missing_values_files: bool = False
    """Go on when one of the values files is missing."""
    verify: ChartVerification | None = None
    """How signatures are verified; absent means not at all."""


class ChartTemplate(Model, kw_only=True):
    """A HelmChart to make, named after the release, in the namespace of the source."""

    metadata: ChartTemplateMetadata | None = None
    """Labels and annotations for it."""
    spec: ChartTemplateSpec
    """What it fetches."""
