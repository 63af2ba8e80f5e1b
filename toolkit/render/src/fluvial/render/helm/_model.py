"""The nouns of a rendering: charts with their files, releases, capabilities, manifests, hooks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from fluvial.render.gotemplate import LineOrigin

__all__ = [
    "Capabilities",
    "Chart",
    "File",
    "Hook",
    "Manifest",
    "Release",
    "RenderedChart",
    "TracedFile",
]

Values = dict[str, Any]


class File(msgspec.Struct, frozen=True):
    """A file of a chart; `name` is its path within the chart, with `/` between parts."""

    name: str
    data: bytes


class Chart:
    """A chart in memory, subcharts included.

    `metadata` is Chart.yaml (JSON keys; `dependencies` also for charts of apiVersion v1),
    `values` its defaults with every number a float, `templates` everything below `templates/`,
    `files` what templates may read, `raw` every file as it came.
    """

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata
        self.lock: dict[str, Any] | None = None
        self.values: Values = {}
        self.schema: bytes | None = None
        self.templates: list[File] = []
        self.files: list[File] = []
        self.raw: list[File] = []
        self.parent: Chart | None = None
        self._subcharts: list[Chart] = []

    @property
    def name(self) -> str:
        """Return the name, or the alias under which the parent has it."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """Return the version as Chart.yaml has it."""
        return str(self.metadata["version"])

    @property
    def path(self) -> str:
        """Return the path that errors and `# Source:` lines give: `parent/charts/child`."""
        return f"{self.parent.path}/charts/{self.name}" if self.parent else self.name

    @property
    def is_library(self) -> bool:
        """Say whether only the chart's partial templates count."""
        return self.metadata.get("type") == "library"

    @property
    def subcharts(self) -> list["Chart"]:
        """Return the charts in `charts/`, or those of them that are enabled."""
        return self._subcharts

    @subcharts.setter
    def subcharts(self, charts: list["Chart"]) -> None:
        self._subcharts = charts
        for chart in charts:
            chart.parent = self

    def walk(self) -> Iterator["Chart"]:
        """Yield the chart and all below it, parents first."""
        yield self
        for chart in self._subcharts:
            yield from chart.walk()

    def copy(self) -> "Chart":
        """Return a chart whose metadata, values and tree can change without changing this one."""
        twin = Chart({**self.metadata})
        if "dependencies" in self.metadata:
            twin.metadata["dependencies"] = [dict(d) for d in self.metadata["dependencies"]]
        twin.lock, twin.values, twin.schema = self.lock, self.values, self.schema
        twin.templates, twin.files, twin.raw = self.templates, self.files, self.raw
        twin.subcharts = [chart.copy() for chart in self._subcharts]
        return twin


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What `.Release` tells templates."""

    name: str
    namespace: str = "default"
    revision: int = 1
    is_install: bool = True
    is_upgrade: bool = False
    service: str = "Helm"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What `.Capabilities` tells templates of the cluster.

    `kube_version` is the server's gitVersion (`v1.36.0`), or what a command line gave in its place;
    empty means what the release of Helm takes when it asks no server.
    `api_versions` holds `group/version` and
    `group/version/Kind` entries as discovery lists them; None means those of a bare cluster.
    `extra_api_versions` come after them.
    """

    kube_version: str = ""
    kube_version_given: bool = False
    api_versions: list[str] | None = None
    extra_api_versions: list[str] = []


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One document of the output: `path` is its template, `text` the YAML as it was rendered."""

    path: str
    name: str
    kind: str
    api_version: str
    text: str


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """One document that runs at `events` instead of being part of the release.

    Policies are as annotated; when none is, `delete_policies` is `before-hook-creation`.
    """

    path: str
    name: str
    kind: str
    api_version: str
    text: str
    events: list[str]
    weight: int
    delete_policies: list[str]
    output_log_policies: list[str]


class TracedFile(NamedTuple):
    """The output of one template, and where each of its lines comes from."""

    text: str
    lines: list[LineOrigin]


@dataclass(frozen=True, kw_only=True)
class RenderedChart:
    """What a chart comes to with one set of values.

    `manifests` are in install order; `manifest` is the same as one text, each document after
    `---` and `# Source: <path>`. `hooks` are in kind order (sort by weight and name to run them).
    `notes` is the root chart's NOTES.txt. `crds` are the files of `crds/`, never templated, in the
    order in which they are to be created. `chart` is the chart with its dependencies worked out.
    `files` is what the templates printed, by path, without notes.
    `traces` has the output of each template by its path, when provenance was asked for.
    """

    manifests: list[Manifest]
    hooks: list[Hook]
    notes: str
    manifest: str
    crds: list[File]
    chart: Chart
    files: dict[str, str]
    traces: dict[str, TracedFile] = field(default_factory=dict)
