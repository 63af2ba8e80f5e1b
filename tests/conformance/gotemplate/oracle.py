"""The real helm as an oracle for templates: what it prints, and how it fails.

Each answer takes one process for any number of templates: what prints is evaluated by `tpl` within
one chart, what fails is a chart of its own in one call of `helm lint`.
"""

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

HELM = Path(__file__).parents[3] / ".venv" / "oracles" / "helm"
_CASE = "kind: ConfigMap\ndata:\n  case: {{ tpl (.Files.Get %s) . | toRawJson }}\n"
_MAIN = """kind: ConfigMap
data:
{{- range $path, $_ := .Files.Glob "cases/*" }}
  {{ base $path }}: {{ tpl ($.Files.Get $path) $ | toRawJson }}
{{- end }}
"""
_PROBLEM = re.compile(r"\[ERROR\] templates/: (.*?)(?=\n\[|\n\n|\Z)", re.DOTALL)


def chart(values: dict, files: dict[str, str]) -> dict[str, str]:
    """Return the files of a chart named `c` with these values."""
    return {
        "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "values.yaml": json.dumps(values),
        **files,
    }


def _write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))


def _helm(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(HELM), *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        env={"HOME": str(folder), "TZ": "UTC"},
        check=False,
    )


def plain(message: str) -> str:
    """Bring a message of helm to text/template's own form, on one line."""
    message = re.sub(r"parse error at \((\S+)\): ", r"\1: ", message)
    message = re.sub(r"(:\d+:\d+):?\s+executing", r"\1: executing", message)
    return re.sub(r"\s+", " ", message.replace("template: ", "")).strip()


def printed(
    folder: Path, values: dict, templates: Iterable[str], files: dict[str, str] | None = None
) -> list[str]:
    """Render many templates that do not fail; each is evaluated as its own text."""
    cases = {f"cases/c{index:04}": text for index, text in enumerate(templates)}
    _write(folder / "c", chart(values, {"templates/a.yaml": _MAIN, **(files or {}), **cases}))
    done = _helm(folder, "template", "r", str(folder / "c"))
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^  c\d{4}: (.*)$", done.stdout, re.MULTILINE)
    return [json.loads(text) for text in found]


def problems(
    folder: Path, values: dict, templates: Iterable[str], files: dict[str, str] | None = None
) -> list[str | None]:
    """Say how each of many templates fails; None for one that does not."""
    charts = []
    for index, text in enumerate(templates):
        charts.append(folder / f"f{index:04}")
        _write(charts[-1], chart(values, {"templates/a.yaml": text, **(files or {})}))
    done = _helm(folder, "lint", *map(str, charts))
    found: list[str | None] = [None] * len(charts)
    for part in done.stdout.split("==> Linting ")[1:]:
        place, _, report = part.partition("\n")
        problem = _PROBLEM.search(report)
        if problem:
            found[int(Path(place).name[1:])] = plain(problem[1])
    return found


def failure(folder: Path, values: dict, template: str) -> str:
    """Render a template that fails by `helm template` itself."""
    _write(folder / "c", chart(values, {"templates/a.yaml": template}))
    done = _helm(folder, "template", "r", str(folder / "c"))
    assert done.returncode != 0, done.stdout
    return plain(done.stderr.removeprefix("Error: ").split("\n\nUse --debug")[0])


def shown(manifest: str) -> str:
    """Take the text of the case out of a manifest that `case_template` rendered."""
    found = re.search(r"^  case: (.*)$", manifest, re.MULTILINE)
    assert found, manifest
    return str(json.loads(found[1]))


def case_template(path: str) -> str:
    """Return the template that prints the template in a file of its chart."""
    return _CASE % json.dumps(path)
