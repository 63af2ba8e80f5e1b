"""What runs in a worker process: rendering a chart. Imports nothing of the network."""

import functools
from pathlib import Path
from typing import Any, Final

import msgspec

from fluvial.render.gotemplate import ParsedStore, keep_parsed
from fluvial.render.helm._engine import render as render_chart
from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._load import load_chart
from fluvial.render.helm._loaded import LOADED
from fluvial.render.helm._model import Capabilities, Chart, File, Hook, Manifest, Release
from fluvial.render.helm._postrender import PostRenderer, post_render
from fluvial.render.helm._versions import HELM_4_3, HelmVersion, helm_version
from fluvial.render.kustomize import DiskTree

__all__ = ["RENDER_JOB", "ChartRecord", "RenderReply", "RenderRequest", "render"]

RENDER_JOB: Final = "fluvial.render.helm.jobs:render"
_LARGEST_ARCHIVE = 100 * 1024 * 1024


class RenderRequest(msgspec.Struct, kw_only=True):
    """Render a chart: `archive` holds the bytes of a .tgz, or `path` names one, or a folder.

    `values` are the user's, as JSON; nulls delete defaults. `version` replaces the version of
    Chart.yaml in memory when it is not empty. `objects` is what `lookup` finds, by
    `apiVersion/kind/namespace/name`. `skip_schema` leaves values.schema.json out. `helm_version`
    is the release of Helm whose output is wanted. `templates` names a folder in which parsed
    templates are kept; one that is not safe to use, or an empty name, is done without.
    """

    archive: bytes = b""
    path: str = ""
    values: dict[str, Any] = {}
    release: Release
    capabilities: Capabilities = Capabilities()
    version: str = ""
    objects: dict[str, dict[str, Any]] = {}
    skip_schema: bool = False
    helm_version: str = HELM_4_3.minor
    templates: str = ""


class ChartRecord(msgspec.Struct, kw_only=True):
    """The chart as release storage keeps it, after its dependencies were worked out.

    `metadata` is Chart.yaml as JSON; subcharts are not part of it.
    """

    metadata: dict[str, Any]
    lock: dict[str, Any] | None
    templates: list[File]
    values: dict[str, Any]
    schema: bytes | None
    files: list[File]


class RenderReply(msgspec.Struct, kw_only=True):
    """The fields of `RenderedChart`, and the chart for the release record."""

    manifests: list[Manifest]
    hooks: list[Hook]
    notes: str
    manifest: str
    crds: list[File]
    chart: ChartRecord


def render(
    request: RenderRequest, renderer: PostRenderer | None = None, strategy: str = ""
) -> RenderReply:
    """Render, and post-render where a renderer is given. Raises HelmError."""
    rules = helm_version(request.helm_version)
    keep_parsed(_store(request.templates))
    chart = _chart(request, rules)
    if request.version:
        chart.metadata["version"] = request.version

    def lookup(api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
        return request.objects.get(f"{api_version}/{kind}/{namespace}/{name}", {})

    done = render_chart(
        chart,
        request.values,
        request.release,
        request.capabilities,
        helm_version=rules,
        lookup=lookup,
        skip_schema=request.skip_schema,
    )
    if renderer is not None:
        done = post_render(done, renderer, strategy=strategy, helm_version=rules)
    return RenderReply(
        manifests=done.manifests,
        hooks=done.hooks,
        notes=done.notes,
        manifest=done.manifest,
        crds=done.crds,
        chart=ChartRecord(
            metadata=done.chart.metadata,
            lock=done.chart.lock,
            templates=done.chart.templates,
            values=done.chart.values,
            schema=done.chart.schema,
            files=done.chart.files,
        ),
    )


@functools.lru_cache(maxsize=4)
def _store(folder: str) -> ParsedStore | None:
    try:
        return ParsedStore(Path(folder)) if folder else None
    except OSError:
        return None


def _chart(request: RenderRequest, rules: HelmVersion) -> Chart:
    if request.archive:
        return LOADED.load(request.archive, rules)
    place = Path(request.path)
    if place.is_dir():
        return load_chart(DiskTree(place), rules)
    try:
        if place.stat().st_size > _LARGEST_ARCHIVE:
            raise ChartError(f"the chart archive is larger than {_LARGEST_ARCHIVE} bytes")
        return LOADED.load(place.read_bytes(), rules)
    except OSError as error:
        raise ChartError(f"cannot read the chart archive: {error.strerror}") from None
