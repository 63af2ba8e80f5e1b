"""What a HelmRelease refers to: its chart, dependencies, ConfigMaps and Secrets."""

from collections.abc import Iterator
from typing import Any, Final

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import EXTERNAL_ARTIFACT, HELM_CHART, OCI_REPOSITORY
from fluvial.toolkit import key_of
from fluvial.toolkit.references import cluster_configs

__all__ = [
    "CHARTS",
    "CHART_KINDS",
    "CONFIGS",
    "DEPENDENCIES",
    "chart_of",
    "configs_of",
]

CHARTS: Final = "chart"
DEPENDENCIES: Final = "dependsOn"
CONFIGS: Final = "config"

CHART_KINDS: Final[dict[str, Kind[Any]]] = {
    kind.kind: kind for kind in (HELM_CHART, OCI_REPOSITORY, EXTERNAL_ARTIFACT)
}


def chart_of(raw: Unstructured) -> Iterator[str]:
    """Index by what offers the chart: the generated HelmChart, or what chartRef names."""
    namespace, name = key_of(raw)
    spec = raw["spec"]
    if ref := spec.get("chartRef"):
        yield f"{ref['kind']}/{ref.get('namespace') or namespace}/{ref['name']}"
    elif chart := spec.get("chart"):
        source = chart["spec"]["sourceRef"]
        yield f"HelmChart/{source.get('namespace') or namespace}/{namespace}-{name}"


def configs_of(raw: Unstructured) -> Iterator[str]:
    """Index by ConfigMaps and Secrets whose data says what is released, and where to."""
    namespace = key_of(raw).namespace
    for ref in raw["spec"].get("valuesFrom") or ():
        yield f"{ref['kind']}/{namespace}/{ref['name']}"
    yield from cluster_configs(raw)
