"""Both engines on one chart: ours, and the real helm by its own path."""

import pathlib
import subprocess

from fluvial.render.helm import (
    Capabilities,
    HelmError,
    Release,
    RenderedChart,
    load_chart,
    render,
)
from fluvial.render.kustomize import DiskTree
from fluvial.render.yaml import load

HERE = pathlib.Path(__file__).parent
ORACLE = HERE.parents[2] / ".venv" / "oracles" / "helm"
NAMES = sorted(path.parent.name for path in HERE.glob("charts/*/Chart.yaml"))
EXPECTED = HERE / "expected"


def values_of(name: str) -> pathlib.Path | None:
    """Return the file of user values that goes with a chart, if one does."""
    path = HERE / "values" / f"{name}.yaml"
    return path if path.exists() else None


def template(done: RenderedChart) -> str:
    """Print a rendering as `helm template --include-crds` does, hooks at the end."""
    crds = "".join(f"---\n# Source: {one.name}\n{one.data.decode()}\n" for one in done.crds)
    hooks = "".join(f"---\n# Source: {hook.path}\n{hook.text}\n" for hook in done.hooks)
    return f"{(crds + done.manifest).strip()}\n{hooks}"


def ours(name: str) -> tuple[str, str]:
    """Return the output and the error of our engine; one of them is empty."""
    path = values_of(name)
    values = load(path.read_bytes()) if path else {}
    try:
        chart = load_chart(DiskTree(HERE / "charts" / name))
        release = Release(name="demo", namespace="shop")
        return template(render(chart, values, release, Capabilities(kube_version="v1.37.0"))), ""
    except HelmError as error:
        return "", f"{error}\n"


def theirs(name: str) -> tuple[str, str]:
    """Return the output and the error of the real one; one of them is empty."""
    path = values_of(name)
    extra = ["--values", path] if path else []
    result = subprocess.run(
        [ORACLE, "template", "demo", HERE / "charts" / name, "--namespace", "shop",
         "--kube-version", "v1.37.0", "--include-crds", *extra],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return (result.stdout, "") if result.returncode == 0 else ("", result.stderr)
