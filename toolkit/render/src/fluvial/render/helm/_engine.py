"""Rendering: one set of templates for all charts, each run with its own chart's objects."""

import functools
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fluvial.render.gotemplate import (
    Budget,
    FunctionError,
    TemplateError,
    Templates,
    TemplateSyntaxError,
    Trace,
    collector_paused,
    parsed_together,
)
from fluvial.render.gotemplate._function import Function, function_of
from fluvial.render.gotemplate._values import to_bytes
from fluvial.render.gotemplate.sprig import seeded
from fluvial.render.helm._chart_object import chart_object
from fluvial.render.helm._chart_values import ChartValues
from fluvial.render.helm._dependencies import process_dependencies
from fluvial.render.helm._errors import ChartError, RenderError, ValuesError
from fluvial.render.helm._functions import helm_functions
from fluvial.render.helm._manifests import manifest_text, sort_manifests
from fluvial.render.helm._model import Capabilities, Chart, File, Release, RenderedChart, TracedFile
from fluvial.render.helm._notices import Notice, Tell, silent
from fluvial.render.helm._objects import capabilities_object, files_object, kube_version
from fluvial.render.helm._schema import check_schemas
from fluvial.render.helm._traces import render_error
from fluvial.render.helm._values import floats, merge_values
from fluvial.render.helm._versions import HELM_4_3, HelmVersion

__all__ = ["Lookup", "render"]

Lookup = Callable[[str, str, str, str], dict[str, Any]]
Table = dict[str, Any]
_NO_VALUE: Final = "<no value>"
_DEEPEST_INCLUDE: Final = 1000
_CRD_ENDINGS = (".yaml", ".yml", ".json")


@collector_paused()
def render(
    chart: Chart,
    values: Table,
    release: Release,
    capabilities: Capabilities = Capabilities(),  # noqa: B008  (a frozen value)
    *,
    helm_version: HelmVersion = HELM_4_3,
    lookup: Lookup | None = None,
    skip_schema: bool = False,
    provenance: bool = False,
    seed: str | None = None,
    tell: Tell = silent,
) -> RenderedChart:
    """Render `chart` with the user's `values`, as an install or upgrade of `release` would.

    `helm_version` is the release whose output is wanted (see `_versions`); the chart must have been
    loaded for it, too.
    `lookup(apiVersion, kind, namespace, name)` answers the function of that name: an object, a list
    object when `name` is empty, an empty mapping when there is nothing; without it nothing is ever
    found. `skip_schema` leaves values.schema.json out. With `provenance` the result can
    be asked where its fields come from (see `_provenance`). With a `seed` whatever is random
    comes out the same every time and the clock stands still (see `sprig.chance`): for comparing,
    not for clusters. `tell` hears what helm remarks on what has no effect, which may show
    values. `chart` is not changed. Raises HelmError.
    """
    functions = _known_functions(helm_version)
    in_range = _comparison(functions["semverCompare"].call)
    chart = chart.copy()
    supplied = floats(values)
    try:
        process_dependencies(chart, supplied, in_range, helm_version, tell)
    except ValuesError as error:
        failed = "chart dependencies processing failed"
        tell(Notice("ERROR", failed, (("error", str(error)),)))
        raise ValuesError(f"{failed}: {error}") from None
    if not capabilities.kube_version:
        capabilities = msgspec.structs.replace(capabilities, kube_version=helm_version.kube_version)
    seen = merge_values(chart, supplied, helm_version, tell)
    if not skip_schema:
        check_schemas(chart, seen)
    needed = chart.metadata.get("kubeVersion", "")
    version = kube_version(capabilities.kube_version, given=capabilities.kube_version_given)[0]
    if needed and not in_range(needed, version):
        shown = version if helm_version.digits_of_given else capabilities.kube_version
        raise ChartError(
            f"chart requires kubeVersion: {needed} which is incompatible with Kubernetes "
            f"v{shown.removeprefix('v')}"
        )
    engine = _Engine(functions, helm_version, lookup, Trace() if provenance else None)
    top = {
        "Release": {
            "Name": release.name,
            "Namespace": release.namespace,
            "IsUpgrade": release.is_upgrade,
            "IsInstall": release.is_install,
            "Revision": release.revision,
            "Service": release.service,
        },
        "Capabilities": capabilities_object(capabilities, helm_version),
    }
    engine.collect(chart, seen, top)
    with seeded(seed):
        files = engine.run()
    notes = to_bytes(files.get(f"{chart.name}/templates/NOTES.txt", "")).decode("utf-8", "replace")
    rendered = {path: text for path, text in files.items() if not path.endswith("NOTES.txt")}
    manifests, hooks = sort_manifests(rendered, helm_version, tell)
    return RenderedChart(
        manifests=manifests,
        hooks=hooks,
        notes=notes,
        manifest=manifest_text(manifests),
        crds=_crds(chart),
        chart=chart,
        files=rendered,
        traces=engine.traces,
    )


@functools.cache
def _known_functions(helm_version: HelmVersion) -> dict[str, Function]:
    """Return Helm's functions, each with its signature, which is read once."""
    return {
        name: function_of(call)
        for name, call in helm_functions().items()
        if name not in helm_version.missing_functions
    }


def _comparison(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Return the check of a version against a constraint; what cannot be read does not match."""

    def in_range(constraint: str, version: str) -> bool:
        try:
            return not constraint or compare(constraint, version)
        except FunctionError:
            return False

    return in_range


def _crds(chart: Chart) -> list[File]:
    """Return the files of `crds/`: the chart's own by path, then those of its subcharts."""
    own = [
        File(f"{chart.path}/{file.name}", file.data)
        for file in sorted(chart.files, key=lambda file: file.name)
        if file.name.startswith("crds/") and file.name.endswith(_CRD_ENDINGS)
    ]
    return own + [file for sub in chart.subcharts for file in _crds(sub)]


class _Engine:
    """The templates of a chart and its subcharts, and the functions that need them."""

    def __init__(
        self,
        functions: dict[str, Function],
        helm_version: HelmVersion,
        lookup: Lookup | None,
        trace: Trace | None = None,
    ) -> None:
        self._helm_version = helm_version
        self._lookup = lookup
        self._trace = trace
        self.traces: dict[str, TracedFile] = {}
        self._open: dict[str, int] = {}
        bound = {
            "include": function_of(self._include),
            "tpl": function_of(self._tpl),
            "lookup": function_of(self._find),
        }
        self._templates = Templates(functions | bound, trace=trace)
        self._current = self._templates
        self._texts: dict[str, tuple[str, str, Table]] = {}

    def collect(self, chart: Chart, values: Table, top: Table, path: tuple[str, ...] = ()) -> Table:
        """Take the templates of `chart` and those below it; return its root object.

        All templates of a chart have the same one: what one of them sets in it, later ones see.
        """
        root = ChartValues(
            {
                "Chart": chart_object(chart, self._helm_version),
                "Files": files_object(chart.files, self._helm_version),
                "Values": ChartValues(values),
                "Subcharts": {},
                **top,
            }
        )
        if self._trace is not None:
            self._trace.know(root["Values"], path)
        for sub in chart.subcharts:
            inner = values.get(sub.name)
            inner = inner if isinstance(inner, dict) else {}
            below = self.collect(sub, inner, top, (*path, sub.name))
            root["Subcharts"][sub.name] = below
        for file in chart.templates:
            leaf = file.name.rpartition("/")[2]
            if not chart.is_library or leaf.startswith("_"):
                name = f"{chart.path}/{file.name}"
                text = file.data.decode("utf-8", "surrogateescape")
                self._texts[name] = (text, f"{chart.path}/templates", root)
        return root

    def run(self) -> dict[str, str]:
        """Parse all, then run what is not a partial; return the output by path."""
        # Deep paths first and then backwards by name: the last definition of a name wins.
        order = sorted(self._texts, key=lambda path: (path.count("/"), path), reverse=True)
        with parsed_together({path: self._texts[path][0] for path in order}):
            for path in order:
                self._add(path)
        budget = Budget(depth=2 * _DEEPEST_INCLUDE)  # our own bound speaks first
        output = {}
        for path in order:
            if path.rpartition("/")[2].startswith("_"):
                continue
            _text, base, root = self._texts[path]
            root["Template"] = ChartValues({"Name": path, "BasePath": base})
            try:
                text = self._templates.execute(path, root, budget=budget, replace=False)
            except TemplateError as error:
                raise render_error(error, self._helm_version) from None
            output[path] = text.replace(_NO_VALUE, "")
            if self._trace is not None:
                self.traces[path] = TracedFile(output[path], self._trace.lines)
        return output

    def _add(self, path: str) -> None:
        try:
            self._templates.add(path, self._texts[path][0])
        except TemplateSyntaxError as error:
            raise RenderError(
                f"parse error at ({error.name}:{error.line}): {error.detail.split(': ')[-1]}",
                file=error.name,
                line=error.line,
            ) from None

    def _include(self, name: str, data: Any) -> str:
        depth = self._open.get(name, 0)
        if depth > _DEEPEST_INCLUDE:
            raise FunctionError(
                f"rendering template has a nested reference name: {name}: "
                "unable to execute template"
            )
        self._open[name] = depth + 1
        try:
            return self._current.execute(name, data)
        finally:
            self._open[name] = depth

    def _tpl(self, text: str, data: Any) -> str:
        outer = self._current
        inner = outer.copy()
        try:
            inner.add("gotpl", text, anew=True)
        except TemplateSyntaxError as error:
            raise FunctionError(f"cannot parse template {_quoted(text)}: {error}") from None
        self._current = inner
        try:
            return inner.execute("gotpl", data).replace(_NO_VALUE, "")
        except TemplateError as error:
            problem = f"error during tpl function execution for {_quoted(text)}: {error}"
            raise FunctionError(problem) from None
        finally:
            self._current = outer

    def _find(self, api_version: str, kind: str, namespace: str, name: str) -> Table:
        if self._lookup is None:
            return {}
        found = floats(self._lookup(api_version, kind, namespace, name))
        assert isinstance(found, dict)
        return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
