"""What `helm template` does around a rendering: charts it refuses, and the text it prints."""

from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._model import Chart, Hook, RenderedChart

__all__ = [
    "check_installable",
    "document_text",
    "listed",
    "listing",
    "missing_dependencies",
]

Documents = list[tuple[str, str]]


def check_installable(chart: Chart) -> None:
    """Raise ChartError for a library, and for a chart whose dependencies are not in `charts/`."""
    if chart.is_library:
        raise ChartError("library charts are not installable")
    missing = missing_dependencies(chart)
    if missing:
        raise ChartError(
            "an error occurred while checking for chart dependencies. You may need to run 'helm "
            "dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in "
            f"charts/ directory: {', '.join(missing)}"
        )


def missing_dependencies(chart: Chart) -> list[str]:
    """Return the dependencies that are declared and not in `charts/`, by name."""
    there = {sub.name for sub in chart.subcharts}
    declared = (one["name"] for one in chart.metadata.get("dependencies", []))
    return [name for name in declared if name not in there]


def listed(
    done: RenderedChart, *, crds: bool = False, hooks: bool = True, tests: bool = True
) -> tuple[Documents, Documents]:
    """Return the manifests and the hooks to print, each with its path; `tests` are hooks too."""
    files = done.crds if crds else []
    shown = [(file.name, file.data.decode("utf-8", "surrogateescape")) for file in files]
    return shown + [(one.path, one.text) for one in done.manifests], [
        (hook.path, hook.text) for hook in shown_hooks(done, hooks=hooks, tests=tests)
    ]


def shown_hooks(done: RenderedChart, *, hooks: bool = True, tests: bool = True) -> list[Hook]:
    """Return the hooks to print: none, all, or all that are no tests."""
    return [hook for hook in (done.hooks if hooks else []) if tests or "test" not in hook.events]


def listing(manifests: Documents, hooks: Documents) -> str:
    """Return the text that is printed for these documents."""
    return f"{''.join(map(document_text, manifests)).strip()}\n{''.join(map(document_text, hooks))}"


def document_text(document: tuple[str, str]) -> str:
    """Return one document as it is printed, behind its separator and source."""
    path, text = document
    return f"---\n# Source: {path}\n{text}\n"
