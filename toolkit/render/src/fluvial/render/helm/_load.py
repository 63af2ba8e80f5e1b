"""Loading: files sorted into metadata, values, templates, subcharts and the rest."""

import re
from typing import Any

from fluvial.render.helm._archive import Budget, unpack, walk
from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._model import Chart, File
from fluvial.render.helm._values import floats, merge_files
from fluvial.render.helm._versions import HELM_4_3, HelmVersion
from fluvial.render.kustomize.tree import Tree
from fluvial.render.yaml import YamlError, load, load_all

__all__ = ["load_chart", "read_metadata", "read_values"]

_DEEPEST = 20
_STRINGS = (
    "apiVersion", "appVersion", "condition", "description", "home", "icon", "kubeVersion", "name",
    "tags", "type", "version",
)  # fmt: skip
_VERSION = re.compile(
    r"^v?[0-9]+(\.[0-9]+)?(\.[0-9]+)?(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?\Z",
    re.ASCII,
)


def load_chart(source: bytes | Tree, helm_version: HelmVersion = HELM_4_3) -> Chart:
    """Load a chart from the bytes of a .tgz, or from a folder with its `.helmignore` applied.

    For `helm_version` see `read_values`.
    Raises ChartError; at most 100 MiB unpacked and 5 MiB a file, nested archives included.
    """
    budget = Budget()
    files = unpack(source, budget) if isinstance(source, bytes) else walk(source, budget)
    return _assemble(files, budget, helm_version, where="", depth=0)


def _assemble(
    files: list[File], budget: Budget, helm_version: HelmVersion, *, where: str, depth: int
) -> Chart:
    """Build the chart whose files these are; `where` is its path, for errors."""
    if depth > _DEEPEST:
        raise ChartError(f"{where}: charts are nested deeper than {_DEEPEST} levels")
    by_name = {file.name: file for file in files}
    if "Chart.yaml" not in by_name:
        raise ChartError(f"{where}Chart.yaml file is missing", file=f"{where}Chart.yaml")
    metadata = _mapping(by_name["Chart.yaml"], where)
    chart = Chart(_metadata(metadata, f"{where}Chart.yaml"))
    chart.raw = files
    v1 = chart.metadata["apiVersion"] == "v1"
    subcharts: dict[str, list[File]] = {}
    for file in files:
        name = file.name
        if name == "Chart.yaml":
            continue
        if name in {"Chart.lock", "requirements.lock"}:
            chart.lock = _mapping(file, where)
            if v1:
                chart.files.append(file)
        elif name == "requirements.yaml":
            # Read for v2 too, as upstream does; only v1 has it in `.Files`.
            declared = _mapping(file, where).get("dependencies")
            chart.metadata["dependencies"] = _dependencies(declared, f"{where}{name}")
            if v1:
                chart.files.append(file)
        elif name == "values.yaml":
            chart.values = read_values(file.data, f"{where}{file.name}", helm_version)
        elif name == "values.schema.json":
            chart.schema = file.data
        elif name.startswith("templates/"):
            chart.templates.append(file)
        elif name.startswith("charts/") and not name.endswith(".prov"):
            inner = name.removeprefix("charts/")
            subcharts.setdefault(inner.partition("/")[0], []).append(File(inner, file.data))
        else:
            chart.files.append(file)
    if not chart.metadata["dependencies"]:
        del chart.metadata["dependencies"]
    _validate(chart.metadata, f"{where}Chart.yaml")
    chart.subcharts = [
        _subchart(name, inner, budget, helm_version, where=f"{where}charts/", depth=depth + 1)
        for name, inner in sorted(subcharts.items())
        if name[0] not in "_."
    ]
    return chart


def _subchart(
    name: str,
    files: list[File],
    budget: Budget,
    helm_version: HelmVersion,
    *,
    where: str,
    depth: int,
) -> Chart:
    """Load an entry of `charts/`: a folder or an archive."""
    if name.endswith(".tgz"):
        if files[0].name != name:
            raise ChartError(f"{where}{files[0].name}: {name} is no archive but a folder")
        inner = unpack(files[0].data, budget)
    else:
        inner = [
            File(rest, file.data)
            for file in files
            for _, slash, rest in [file.name.partition("/")]
            if slash
        ]
    return _assemble(inner, budget, helm_version, where=f"{where}{name}/", depth=depth)


def _mapping(file: File, where: str) -> dict[str, Any]:
    name = f"{where}{file.name}"
    try:
        value = load(file.data, file=name)
    except YamlError as error:
        problem = f"cannot load {name}: {name}:{error.line}: {error.problem}"
        raise ChartError(problem, file=name, line=error.line, column=error.column) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ChartError(f"cannot load {name}: it must hold a mapping", file=name)
    return value


def read_values(data: bytes, name: str, helm_version: HelmVersion = HELM_4_3) -> dict[str, Any]:
    """Read a values file; numbers become floats.

    Several documents are merged in order; for Helm 3 the first alone counts. Raises ChartError,
    which names the file.
    """
    try:
        documents = load_all(data, file=name)
    except YamlError as error:
        problem = f"cannot load {name}: {name}:{error.line}: {error.problem}"
        raise ChartError(problem, file=name, line=error.line, column=error.column) from None
    merged: dict[str, Any] = {}
    for document in documents[:1] if helm_version.first_document_only else documents:
        if not isinstance(document, dict):
            raise ChartError(f"cannot load {name}: it must hold a mapping", file=name)
        merged = merge_files(merged, document)
    values = floats(merged)
    assert isinstance(values, dict)
    return values


def _text(value: Any, field: str, file: str) -> str:
    """Read a string field as Go does: scalars become their text, anything else is an error."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise ChartError(f"{file}: {field} must be a string", file=file)
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in str(value))


def _metadata(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """Keep the fields that Helm knows, each in its type."""
    kept: dict[str, Any] = {}
    for field in _STRINGS:
        if text := _text(raw.get(field), field, file):
            kept[field] = text
    kept.setdefault("apiVersion", "v1")
    for field in ("keywords", "sources"):
        items = raw.get(field) or []
        if not isinstance(items, list):
            raise ChartError(f"{file}: {field} must be a list", file=file)
        if items:
            kept[field] = [_text(item, field, file) for item in items]
    if raw.get("maintainers"):
        kept["maintainers"] = [
            {key: _text(value, f"maintainers.{key}", file) for key, value in one.items() if value}
            for one in _objects(raw["maintainers"], "maintainers", file)
        ]
    notes = raw.get("annotations") or {}
    if not isinstance(notes, dict):
        raise ChartError(f"{file}: annotations must be a mapping", file=file)
    if notes:
        kept["annotations"] = {
            key: _text(v, f"annotations.{key}", file) for key, v in notes.items()
        }
    if raw.get("deprecated") is True:
        kept["deprecated"] = True
    kept["dependencies"] = _dependencies(raw.get("dependencies"), file)
    return kept


def read_metadata(raw: dict[str, Any], file: str = "") -> dict[str, Any]:
    """Read what a Chart.yaml or an index says of a chart, checked as when a chart is loaded.

    Raises ChartError, which names `file` unless that is empty.
    """
    metadata = _metadata(raw, file)
    _validate(metadata, file)
    return metadata


def _objects(items: Any, field: str, file: str) -> list[dict[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ChartError(f"{file}: {field} must be a list of mappings", file=file)
    return items


def _dependencies(items: Any, file: str) -> list[dict[str, Any]]:
    """Read a list of dependencies; JSON keys in Helm's order, empty ones left out."""
    found = []
    for one in _objects(items or [], "dependencies", file):
        kept: dict[str, Any] = {}
        for field in ("name", "version", "repository", "condition"):
            text = _text(one.get(field), f"dependencies.{field}", file)
            if text or field in {"name", "repository"}:
                kept[field] = text
        for field in ("tags", "import-values"):
            if one.get(field):
                if not isinstance(one[field], list):
                    raise ChartError(f"{file}: dependencies.{field} must be a list", file=file)
                # A tag such as `y` is a bool to YAML, and its text to Helm.
                kept[field] = [
                    _text(item, "dependencies.tags", file) if field == "tags" else item
                    for item in one[field]
                ]
        if alias := _text(one.get("alias"), "dependencies.alias", file):
            kept["alias"] = alias
        found.append(kept)
    return found


def _validate(metadata: dict[str, Any], file: str) -> None:
    """Raise ChartError for metadata that Helm refuses."""
    name, version = metadata.get("name", ""), metadata.get("version", "")
    problem = ""
    if not name:
        problem = "chart.metadata.name is required"
    elif name != name.rpartition("/")[2] or name in {".", ".."}:
        problem = f'chart.metadata.name "{name}" is invalid'
    elif not version:
        problem = "chart.metadata.version is required"
    elif not _VERSION.match(version):
        problem = f'chart.metadata.version "{version}" is invalid'
    elif metadata.get("type", "application") not in {"application", "library"}:
        problem = "chart.metadata.type must be application or library"
    if problem:
        place = f" ({file})" if "/" in file else ""  # the root needs no telling
        raise ChartError(f"validation: {problem}{place}", file=file)
