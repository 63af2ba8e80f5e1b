"""Where the chart of a HelmRelease is: what a flag says, or the sources that are at hand."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.definition import Kind
from fluvial.apis.helm import ChartTemplateSpec, HelmRelease
from fluvial.apis.kinds import HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY
from fluvial.apis.meta import Resource
from fluvial.apis.semver import coerce_version
from fluvial.apis.source import HelmChartSpec, HelmRepository, OCIRepositoryRef
from fluvial.cli.build.charts import ChartSettings
from fluvial.cli.build.helmrelease.credentials import with_access
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.manifests import Manifests

__all__ = ["ChartPlace", "locate"]

M = TypeVar("M", bound=Resource)

_ANY_VERSION: Final = "*"


class ChartPlace(NamedTuple):
    """What names the chart to its loader, and the values files that replace its own.

    `root` is the folder in which these lie; None means that they are in the chart.
    """

    place: str
    settings: ChartSettings
    values_files: list[str]
    ignore_missing: bool = False
    root: Path | None = None


def locate(manifests: Manifests, obj: HelmRelease, given: Mapping[str, Any]) -> ChartPlace:
    """Find the chart: `--chart`, else what `spec.chart` or `spec.chartRef` leads to.

    Raises ReleaseRefused, with the flag that helps.
    """
    settings = ChartSettings.of(given)
    source = Path(given["source"]).resolve() if given.get("source") else None
    if source is not None and not source.is_dir():
        raise ReleaseRefused(f"--source {given['source']} is not a folder")
    namespace = obj.metadata.namespace
    template: ChartTemplateSpec | HelmChartSpec | None = None
    if obj.spec.chart is not None:
        template = obj.spec.chart.spec
        namespace = template.source_ref.namespace or namespace
    elif obj.spec.chart_ref is not None and obj.spec.chart_ref.kind == HELM_CHART.kind:
        namespace = obj.spec.chart_ref.namespace or namespace
        if not given.get("chart"):
            name = obj.spec.chart_ref.name
            template = _need(manifests, HELM_CHART, namespace, name).spec
    if given.get("chart"):
        return _named(str(given["chart"]), settings, template, source)
    if template is not None:
        return _of_template(manifests, template, namespace, settings, source)
    if obj.spec.chart_ref is None:
        raise ReleaseRefused(
            f"HelmRelease {obj.metadata.name!r}: either spec.chart or spec.chartRef must be set"
        )
    return _of_reference(manifests, obj, settings)


def _named(
    place: str,
    settings: ChartSettings,
    template: ChartTemplateSpec | HelmChartSpec | None,
    source: Path | None,
) -> ChartPlace:
    if template is None:
        return ChartPlace(place, settings, [])
    return ChartPlace(
        place,
        _at_version(settings, template.version),
        template.values_files,
        template.ignore_missing_values_files,
        source,
    )


def _of_template(
    manifests: Manifests,
    template: ChartTemplateSpec | HelmChartSpec,
    namespace: str,
    settings: ChartSettings,
    source: Path | None,
) -> ChartPlace:
    reference = template.source_ref
    files = (template.values_files, template.ignore_missing_values_files)
    if reference.kind != HELM_REPOSITORY.kind:
        title = f"{reference.kind} {namespace}/{reference.name}"
        if source is None:
            raise ReleaseRefused(
                f"the chart {template.chart!r} lies in {title}: name a folder with what that holds "
                "with --source DIR, or the chart itself with --chart"
            )
        place = (source / template.chart.lstrip("/")).resolve()
        if not place.is_relative_to(source):
            raise ReleaseRefused(f"the chart {template.chart!r} leaves {title}")
        if not place.exists():
            raise ReleaseRefused(f"no chart found at path {template.chart!r} of --source {source}")
        return ChartPlace(str(place), settings, *files, source)
    repository = _need(manifests, HELM_REPOSITORY, namespace, reference.name)
    settings = with_access(manifests, repository, settings)
    settings = _at_version(settings, template.version)
    if _is_registry(repository):
        url = repository.spec.url.rstrip("/")
        return ChartPlace(f"{url}/{template.chart}", settings, *files)
    settings = dataclasses.replace(settings, repo=repository.spec.url)
    return ChartPlace(template.chart, settings, *files)


def _is_registry(repository: HelmRepository) -> bool:
    return repository.spec.type == "oci" or repository.spec.url.startswith("oci://")


def _of_reference(manifests: Manifests, obj: HelmRelease, settings: ChartSettings) -> ChartPlace:
    reference = obj.spec.chart_ref
    assert reference is not None, "asked for before"
    namespace = reference.namespace or obj.metadata.namespace
    if reference.kind != OCI_REPOSITORY.kind:
        raise ReleaseRefused(
            f"{reference.kind} {namespace}/{reference.name} has its chart in a cluster: name the "
            "chart with --chart"
        )
    repository = _need(manifests, OCI_REPOSITORY, namespace, reference.name)
    settings = with_access(manifests, repository, settings)
    url, wanted = repository.spec.url, repository.spec.ref or OCIRepositoryRef()
    if settings.version:
        return ChartPlace(url, settings, [])
    if wanted.digest:
        return ChartPlace(f"{url}@{wanted.digest}", settings, [])
    if wanted.semver and not wanted.semver_filter:
        return ChartPlace(url, _at_version(settings, wanted.semver), [])
    tag = wanted.semver_filter or wanted.tag or "latest"
    if coerce_version(tag.replace("_", "+")) is None:
        raise ReleaseRefused(
            f"{OCI_REPOSITORY.kind} {namespace}/{reference.name}: what spec.ref says, {tag!r}, is "
            "no version of a chart: name one with --version"
        )
    return ChartPlace(f"{url}:{tag}", settings, [])


def _at_version(settings: ChartSettings, wanted: str) -> ChartSettings:
    """Ask for the version of the spec, unless a flag names another."""
    if settings.version or wanted == _ANY_VERSION:
        return settings
    return dataclasses.replace(settings, version=wanted)


def _need(manifests: Manifests, kind: Kind[M], namespace: str, name: str) -> M:
    """Return a source that must be at hand, with its namespace."""
    found = manifests.find(kind.group, kind.kind, namespace, name)
    if found is None:
        raise ReleaseRefused(
            f"{kind.kind} {namespace}/{name} is in none of the files: name its file, too, or the "
            "chart with --chart"
        )
    try:
        source = decode(kind, found.value)
    except DecodeError as error:
        raise ReleaseRefused(f"{found.file}: {error}") from None
    source.metadata.namespace = namespace
    return source
