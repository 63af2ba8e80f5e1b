"""Charts of `helmCharts`: inflated by the Helm engine, from folders of the tree only.

The Helm engine is imported when there is a chart to inflate: most builds have none.
"""

from typing import Any

from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._merge import MISSING, clone, merge
from fluvial.render.kustomize._metadata import HELM_GENERATED
from fluvial.render.kustomize._model import HelmChart, HelmGlobals
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._resource import Resource
from fluvial.render.kustomize.tree import Tree, join
from fluvial.render.yaml import Dialect, YamlError, load_documents

__all__ = ["CHART_GENERATOR", "inflate"]

CHART_GENERATOR = "HelmChartInflationGenerator"
_BEHAVIOR = "internal.config.kubernetes.io/generatorBehavior"
_HOME = "charts"
_MERGES = ("merge", "override", "replace")


class _Folder:
    """A folder of a tree as a tree of its own."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree = tree
        self._folder = folder

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return self._tree.read(join(self._folder, path))

    def exists(self, path: str) -> bool:
        """Say whether a file stands there."""
        return self._tree.exists(join(self._folder, path))

    def is_dir(self, path: str) -> bool:
        """Say whether a folder stands there."""
        return self._tree.is_dir(join(self._folder, path))

    def list(self, path: str) -> list[str]:
        """Return the sorted names in a folder."""
        return self._tree.list(join(self._folder, path))


def inflate(
    chart: HelmChart, homes: HelmGlobals | None, loader: Loader, *, namespace: str = ""
) -> list[Resource]:
    """Return the resources of a chart, marked so that a namespace does not move them.

    `namespace` is for a chart that names none. Raises KustomizationError for a
    chart that is not in the tree or cannot be rendered.
    """
    from fluvial.render.helm import (  # noqa: PLC0415 -- costs more than a build without charts
        HELM_4_3,
        Capabilities,
        HelmError,
        Release,
        check_installable,
        check_release_name,
        kube_version,
        listed,
        listing,
        load_chart,
        merge_files,
        read_values,
        release_name,
        render,
    )

    place = _locate(chart, homes, loader)
    try:
        loaded = load_chart(_Folder(loader.tree, join(loader.folder, place)))
        check_installable(loaded)
        values = _values(chart, place, loader, read_values)
        for path in chart.additionalValuesFiles:
            values = merge_files(values, read_values(loader.read(path), loader.resolve(path)))
        name = chart.releaseName or "release-name"
        if chart.nameTemplate:
            if chart.releaseName:
                raise _failure(chart, loader, "set nameTemplate or releaseName, not both")
            name = release_name(chart.nameTemplate)
        check_release_name(name)
        version = chart.kubeVersion or HELM_4_3.kube_version
        kube_version(version)
        done = render(
            loaded,
            values,
            Release(name=name, namespace=chart.namespace or namespace or "default"),
            Capabilities(
                kube_version=version,
                kube_version_given=True,
                extra_api_versions=chart.apiVersions,
            ),
            helm_version=HELM_4_3,
        )
    except HelmError as error:
        raise _failure(chart, loader, str(error)) from None
    manifests, hooks = listed(
        done, crds=chart.includeCRDs, hooks=not chart.skipHooks, tests=not chart.skipTests
    )
    found = parse_resources(listing(manifests, hooks), join(loader.folder, place))
    for resource in found:
        metadata = resource.data.setdefault("metadata", {})
        if not isinstance(metadata.get("annotations"), dict):
            metadata["annotations"] = {}
        resource.behavior = resource.strings("annotations").get(_BEHAVIOR, "")
        metadata["annotations"][HELM_GENERATED] = "true"
    return found


def _failure(chart: HelmChart, loader: Loader, problem: str) -> KustomizationError:
    return KustomizationError(f"helmCharts: chart {chart.name!r}: {problem}", file=loader.file)


def _locate(chart: HelmChart, homes: HelmGlobals | None, loader: Loader) -> str:
    """Return the chart's folder, seen from the kustomization's."""
    if not chart.name:
        raise KustomizationError("helmCharts: chart name cannot be empty", file=loader.file)
    if chart.valuesMerge and chart.valuesMerge not in _MERGES:
        raise _failure(chart, loader, f"valuesMerge must be one of {', '.join(_MERGES)}")
    home = (homes.chartHome if homes else "") or _HOME
    if chart.version and chart.repo:
        home = f"{home}/{chart.name}-{chart.version}"
    place = f"{home}/{chart.name}"
    if loader.tree.is_dir(join(loader.folder, place)):
        return place
    if not chart.repo:
        raise _failure(
            chart, loader, f"no chart found at {place!r}; see helmGlobals.chartHome and name"
        )
    raise _failure(
        chart,
        loader,
        f"repo: charts are not pulled; put the chart into {place!r}",
    )


def _values(chart: HelmChart, place: str, loader: Loader, read: Any) -> dict[str, Any]:
    """Return the values file of the chart, or the one in its place, with those inline."""
    path = chart.valuesFile or f"{place}/values.yaml"
    if chart.valuesInline and chart.valuesMerge == "replace":
        return chart.valuesInline
    content, file = loader.read(path), loader.resolve(path)
    if not chart.valuesInline:
        found: dict[str, Any] = read(content, file)
        return found
    try:
        documents = load_documents(content, file=file, dialect=Dialect.KYAML)
    except YamlError as error:
        raise _failure(chart, loader, f"could not parse values file: {error}") from None
    if not documents or not isinstance(documents[0].value, dict):
        raise _failure(chart, loader, f"values file {file!r} must hold a mapping")
    base, over = documents[0].value, clone(chart.valuesInline)
    if chart.valuesMerge == "merge":
        base, over = over, base
    _forget_quotes(base, over)
    merged = merge(base, over, "")
    return {} if merged is MISSING else merged


def _forget_quotes(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Blank the strings that numbers replace: a patch's number would take on their quotes."""
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            _forget_quotes(below, value)
        elif isinstance(below, str) and isinstance(value, int | float):
            base[key] = None
