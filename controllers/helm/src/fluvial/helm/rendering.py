"""From an artifact to a release: fetch the chart, and have workers load and render it."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import msgspec

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Artifact
from fluvial.helm.errors import ChartUnusable
from fluvial.helm.flags import HelmFlags
from fluvial.helm.jobs import (
    LOAD_JOB,
    PARSE_JOB,
    RENDER_JOB,
    LoadReply,
    LoadRequest,
    ParseReply,
    ParseRequest,
    RenderReply,
    RenderRequest,
)
from fluvial.render.helm import HELM_4_2, Capabilities, Release
from fluvial.render.helm.flux import action_of, labels_of, steps_of
from fluvial.render.helm.jobs import RenderRequest as ChartRequest
from fluvial.toolkit import Client, Transient, Waiting
from fluvial.toolkit.artifacts import ArtifactError, ArtifactNotFound, Fetcher
from fluvial.toolkit.workers import WorkerError, WorkerPool

__all__ = ["LoadedChart", "Renderer", "capabilities_of"]

_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class LoadedChart:
    """A chart that was found usable: where it is, and its Chart.yaml."""

    artifact: Artifact
    metadata: Unstructured

    @property
    def name(self) -> str:
        """The chart's name."""
        return str(self.metadata.get("name") or "")

    @property
    def version(self) -> str:
        """The chart's version."""
        return str(self.metadata.get("version") or "")


class Renderer:
    """Fetches charts and has them rendered; `fetcher` and `pool` belong to the process.

    `templates` is the folder in which workers keep parsed templates; empty for none.
    """

    def __init__(
        self, fetcher: Fetcher, pool: WorkerPool, flags: HelmFlags, templates: str = ""
    ) -> None:
        self._fetcher = fetcher
        self._pool = pool
        self._templates = templates
        self._timeout = flags.render_timeout
        self._metadata: OrderedDict[str, Unstructured] = OrderedDict()

    async def load(self, obj: HelmRelease, artifact: Artifact) -> LoadedChart:
        """Fetch a chart and read what it is; known by digest, that costs nothing.

        Raises Waiting (the artifact is being replaced) and Transient, both ArtifactFailed.
        """
        metadata = self._metadata.get(artifact.digest)
        if metadata is None:
            try:
                async with self._fetcher.file(artifact.url, artifact.digest) as path:
                    request = LoadRequest(path=str(path))
                    reply = await self._pool.run(
                        LOAD_JOB, request, LoadReply, key=_key(obj), deadline=self._timeout
                    )
            except ArtifactNotFound as error:
                raise Waiting("ArtifactFailed", f"artifact not found, retrying: {error}") from error
            except (ArtifactError, WorkerError) as error:
                raise Transient("ArtifactFailed", f"could not load chart: {error}") from error
            metadata = self._metadata[artifact.digest] = reply.metadata
            while len(self._metadata) > _REMEMBERED:
                self._metadata.popitem(last=False)
        return LoadedChart(artifact, metadata)

    async def render(
        self,
        obj: HelmRelease,
        chart: LoadedChart,
        values: dict[str, Any],
        release: Release,
        capabilities: Capabilities,
    ) -> RenderReply:
        """Render a release. Raises ChartUnusable with the template's file and line."""
        try:
            async with self._fetcher.file(chart.artifact.url, chart.artifact.digest) as path:
                request = RenderRequest(
                    chart=ChartRequest(
                        path=str(path),
                        values=values,
                        release=release,
                        capabilities=capabilities,
                        skip_schema=action_of(
                            obj, upgrade=release.is_upgrade
                        ).disable_schema_validation,
                        helm_version=HELM_4_2.minor,
                        templates=self._templates,
                    ),
                    labels=labels_of(obj),
                    post_renderers=steps_of(obj),
                    strategy=obj.spec.post_render_strategy,
                )
                return await self._pool.run(
                    RENDER_JOB, request, RenderReply, key=_key(obj), deadline=self._timeout
                )
        except ArtifactError as error:
            raise Transient("ArtifactFailed", f"could not load chart: {error}") from error
        except WorkerError as error:
            raise ChartUnusable(str(error)) from error

    async def parse(self, obj: HelmRelease, *manifests: str) -> list[list[Unstructured]]:
        """Read the objects of stored manifests, each in its order. Raises ChartUnusable."""
        try:
            reply = await self._pool.run(
                PARSE_JOB,
                ParseRequest(manifests=list(manifests)),
                ParseReply,
                key=_key(obj),
                deadline=self._timeout,
            )
        except WorkerError as error:
            raise ChartUnusable(str(error)) from error
        return reply.objects


async def capabilities_of(client: Client) -> Capabilities:
    """Ask a cluster what templates may know of it."""
    version = msgspec.json.decode(await client.get_raw("/version"), type=dict[str, Any])
    resources = await client.mapper.resources()
    known: dict[str, None] = {}
    for resource in resources:
        known[resource.api_version] = None
        known[f"{resource.api_version}/{resource.kind}"] = None
    return Capabilities(kube_version=version["gitVersion"], api_versions=list(known))


def _key(obj: HelmRelease) -> str:
    return f"{obj.metadata.namespace}/{obj.metadata.name}"
