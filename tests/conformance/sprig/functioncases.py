"""The cases of functions, and how both engines are asked.

A case is a function, the rule it shows, a template, and one of `want` (what is printed), `error` or
`like` (a pattern for what is random or of the moment). The values are the same for all.
"""

import importlib.util
import io
import json
import re
import tarfile
from pathlib import Path
from types import ModuleType

from fluvial.render.helm import HelmError, Release, load_chart, render

HERE = Path(__file__).parent
VALUES = json.loads((HERE / "values.json").read_text())
FILES = sorted((HERE / "cases").glob("*.json"))
CASES = [case for file in FILES for case in json.loads(file.read_text())]
_MAIN = "kind: ConfigMap\nout: {{ tpl (.Files.Get `case`) . | toRawJson }}\n"


def oracle() -> ModuleType:
    """Return the module that asks the real helm."""
    path = HERE.parent / "gotemplate" / "oracle.py"
    spec = importlib.util.spec_from_file_location("gotemplate_oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rendered(files: dict[str, str]) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for path, text in {
            "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "values.yaml": json.dumps(VALUES),
            **files,
        }.items():
            entry = tarfile.TarInfo(f"c/{path}")
            data = text.encode()
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    chart = load_chart(packed.getvalue())
    return render(chart, {}, Release(name="r", namespace="default")).manifest


def printed(template: str) -> str:
    """Say what our engine prints for a template."""
    found = re.search(
        r"^out: (.*)$", _rendered({"templates/a.yaml": _MAIN, "case": template}), re.MULTILINE
    )
    return json.loads(found[1])


def failure(template: str) -> str:
    """Say how our engine fails on a template, in text/template's own form."""
    try:
        _rendered({"templates/a.yaml": template})
    except HelmError as error:
        return oracle().plain(
            str(error).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        )
    return "no failure"
