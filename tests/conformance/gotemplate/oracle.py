"""The real helm as an oracle for templates: what it prints, and how it fails."""

import json
import re
import subprocess
from pathlib import Path

HELM = Path(__file__).parents[3] / ".venv" / "oracles" / "helm"
_MAIN = """kind: ConfigMap
data:
{{- range $path, $_ := .Files.Glob "cases/*" }}
  {{ base $path }}: {{ tpl ($.Files.Get $path) $ | toRawJson }}
{{- end }}
"""


def _template(folder: Path, values: dict, files: dict[str, str]) -> subprocess.CompletedProcess:
    chart = folder / "c"
    for path, text in {
        "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "values.yaml": json.dumps(values),
        **files,
    }.items():
        (chart / path).parent.mkdir(parents=True, exist_ok=True)
        (chart / path).write_text(text)
    return subprocess.run(
        [str(HELM), "template", "r", str(chart)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(folder), "TZ": "UTC"},
        check=False,
    )


def printed(folder: Path, values: dict, templates: list[str]) -> list[str]:
    """Render many templates in one call; each is evaluated as its own text."""
    files = {f"cases/c{index:04}": text for index, text in enumerate(templates)}
    done = _template(folder, values, {"templates/a.yaml": _MAIN, **files})
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^  c\d{4}: (.*)$", done.stdout, re.MULTILINE)
    return [json.loads(text) for text in found]


def failure(folder: Path, values: dict, template: str) -> str:
    """Render a template that fails, and bring helm's message to text/template's own form."""
    done = _template(folder, values, {"templates/a.yaml": template})
    assert done.returncode != 0, done.stdout
    message = done.stderr.removeprefix("Error: ").split("\n\nUse --debug")[0]
    message = re.sub(r"parse error at \((\S+)\): ", r"\1: ", message)
    message = re.sub(r"(:\d+:\d+):?\s+executing", r"\1: executing", message)
    return re.sub(r"\s+", " ", message.replace("template: ", "")).strip()
