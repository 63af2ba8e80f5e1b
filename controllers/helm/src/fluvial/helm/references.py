"""What a HelmRelease refers to: its chart, dependencies, ConfigMaps and Secrets."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import EXTERNAL_ARTIFACT, HELM_CHART, OCI_REPOSITORY
from fluvial.toolkit import Key, Store, key_of

__all__ = [
    "CHARTS",
    "CHART_KINDS",
    "CONFIGS",
    "DEPENDENCIES",
    "chart_of",
    "configs_of",
    "dependencies_of",
    "users",
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


def dependencies_of(raw: Unstructured) -> Iterator[str]:
    """Index by the HelmReleases that must be ready first."""
    for ref in raw["spec"].get("dependsOn") or ():
        yield f"HelmRelease/{ref.get('namespace') or key_of(raw).namespace}/{ref['name']}"


def configs_of(raw: Unstructured) -> Iterator[str]:
    """Index by ConfigMaps and Secrets whose data goes into what is released."""
    for ref in raw["spec"].get("valuesFrom") or ():
        yield f"{ref['kind']}/{key_of(raw).namespace}/{ref['name']}"


def users(kind: str, index: str) -> Callable[[Unstructured, Store], Iterable[Key]]:
    """Return a map function: which HelmReleases refer to a changed object of `kind`."""

    def map_changed(changed: Unstructured, store: Store) -> Iterable[Key]:
        namespace, name = key_of(changed)
        return [key_of(obj) for obj in store.by_index(index, f"{kind}/{namespace}/{name}")]

    return map_changed
