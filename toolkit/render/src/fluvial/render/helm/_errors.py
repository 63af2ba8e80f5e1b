"""What can go wrong between a chart and its manifests.

HelmError(ValueError)       any of them; carries `file`, `line` and `column` where they are known
├── ChartError              an archive or folder that is no chart, or asks for what is refused
├── ValuesError             values that are no mapping, or do not fit a subchart
├── RenderError             a template that does not parse or fails while it runs
└── ManifestError           a template whose output is no YAML
"""

from fluvial.render.yaml import YamlError

__all__ = [
    "ChartError",
    "HelmError",
    "ManifestError",
    "RenderError",
    "ValuesError",
    "go_yaml_problem",
]


class HelmError(ValueError):
    """A chart that cannot be loaded or rendered; the message names file and line.

    `line` and `column` count from 1 and are 0 when unknown. Messages never quote a line: it may
    hold the value of a Secret.
    """

    def __init__(self, problem: str, *, file: str = "", line: int = 0, column: int = 0) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.column = column
        super().__init__(problem)


class ChartError(HelmError):
    """An archive or folder that is no chart, breaks a bound, or uses what is not supported."""


class ValuesError(HelmError):
    """Values that cannot be combined with the chart's own."""


class RenderError(HelmError):
    """A template that does not parse or fails while it runs; the text is in Go's form."""


class ManifestError(HelmError):
    """A template whose output cannot be read as YAML."""


_SCANNER = ("while scanning", "mapping values are", "block sequence entries", "mapping keys are")


def go_yaml_problem(error: YamlError) -> str:
    """Word a YAML error as Go's reader does: no context, and its own way of counting lines."""
    # Upstream counts lines from one only in what its scanner reports, and never names the first.
    line = error.line - 1
    if line > 0 and error.problem.startswith(_SCANNER):
        line += 1
    problem = error.problem
    if problem.startswith("while "):
        problem = problem.partition(": ")[2]
    return f"yaml: line {line}: {problem}" if line > 0 else f"yaml: {problem}"
