"""What runs in worker processes: loading charts, rendering, reading manifests. No network."""

from pathlib import Path
from typing import Any, Final

import msgspec

from fluvial.apis.ids import Unstructured
from fluvial.helm.storage.record import Hook
from fluvial.render.helm import HELM_4_2, LOADED, HelmError
from fluvial.render.helm import Hook as RenderedHook
from fluvial.render.helm import jobs as helm
from fluvial.render.helm.flux import Labels, definitions_of, post_renderer
from fluvial.render.yaml import YamlError, load_all
from fluvial.render.yaml import load as load_object

__all__ = [
    "LOAD_JOB",
    "PARSE_JOB",
    "RENDER_JOB",
    "LoadReply",
    "LoadRequest",
    "ParseReply",
    "ParseRequest",
    "RenderFailed",
    "RenderReply",
    "RenderRequest",
    "load",
    "parse",
    "render",
]

LOAD_JOB: Final = "fluvial.helm.jobs:load"
RENDER_JOB: Final = "fluvial.helm.jobs:render"
PARSE_JOB: Final = "fluvial.helm.jobs:parse"


class RenderFailed(Exception):  # noqa: N818 - its name is part of what a log shows
    """A chart that does not load or render, or a manifest that is no YAML; names file and line."""


class LoadRequest(msgspec.Struct, kw_only=True):
    """Read a chart archive, to know what it is."""

    path: str


class LoadReply(msgspec.Struct, kw_only=True):
    """The content of Chart.yaml."""

    metadata: dict[str, Any]


class RenderRequest(msgspec.Struct, kw_only=True):
    """Render a chart and do what comes after: `spec` says which patches and labels."""

    chart: helm.RenderRequest
    labels: Labels
    post_renderers: list[dict[str, Any]]
    strategy: str


class RenderReply(msgspec.Struct, kw_only=True):
    """What a release record needs; `chart` is its JSON, `objects` are those of the manifest.

    `definitions` are the objects of `crds/`; `skipped` names documents there that are none.
    """

    chart: bytes
    manifest: str
    objects: list[Unstructured]
    hooks: list[Hook]
    notes: str
    definitions: list[Unstructured]
    skipped: list[str]


class ParseRequest(msgspec.Struct, kw_only=True):
    """Read manifests of stored records."""

    manifests: list[str]


class ParseReply(msgspec.Struct, kw_only=True):
    """The objects of each manifest, in its order."""

    objects: list[list[Unstructured]]


def load(request: LoadRequest) -> LoadReply:
    """Load. Raises RenderFailed."""
    try:
        archive = Path(request.path).read_bytes()
        return LoadReply(metadata=LOADED.load(archive, HELM_4_2).metadata)
    except (HelmError, OSError) as error:
        raise RenderFailed(str(error)) from error


def render(request: RenderRequest) -> RenderReply:
    """Render and post-render. Raises RenderFailed."""
    try:
        renderer = post_renderer(request.labels, request.post_renderers)
        done = helm.render(request.chart, renderer, request.strategy)
        definitions, skipped = definitions_of(done.crds)
        chart = msgspec.json.encode(done.chart)
        return RenderReply(
            chart=chart,
            manifest=done.manifest,
            objects=[load_object(one.text, file=one.path) for one in done.manifests],
            hooks=[_hook(one) for one in done.hooks],
            notes=done.notes,
            definitions=definitions,
            skipped=skipped,
        )
    except YamlError as error:
        # Every line but the first is a quote, perhaps of a Secret.
        raise RenderFailed(str(error).partition("\n")[0]) from error
    except ValueError as error:
        raise RenderFailed(str(error)) from error


def parse(request: ParseRequest) -> ParseReply:
    """Read manifests. Raises RenderFailed."""
    try:
        return ParseReply(
            objects=[
                [one for one in load_all(text) if isinstance(one, dict) and one]
                for text in request.manifests
            ]
        )
    except YamlError as error:
        place = str(error).partition("\n")[0]
        raise RenderFailed(f"stored manifest: {place}") from error


def _hook(rendered: RenderedHook) -> Hook:
    return Hook(
        name=rendered.name,
        kind=rendered.kind,
        path=rendered.path,
        manifest=rendered.text,
        events=rendered.events,
        weight=rendered.weight,
        delete_policies=rendered.delete_policies,
        output_log_policies=rendered.output_log_policies,
    )
