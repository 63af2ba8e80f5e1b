"""Random charts, rendered by both engines: the same bytes, or the same failure."""

import pathlib
import subprocess
import tempfile

import pytest
from chart_flags import Flag
from chart_trees import Example, examples
from hypothesis import HealthCheck, Phase, given, settings

from fluvial.cli.build.helm_values import ValuesRefused, compose_values
from fluvial.render.helm import HELM_4_3, Capabilities, HelmError, Release, load_chart, render
from fluvial.render.kustomize import DiskTree

ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "helm"
KUBE = "v1.37.0"


def ours(
    folder: pathlib.Path, values: list[pathlib.Path], flags: list[Flag], *, upgrade: bool
) -> tuple[str, str]:
    """Return the output and the error of our engine; one of them is empty."""
    lines: dict[str, list[str]] = {"values": [str(path) for path in values]}
    for name, text in flags:
        lines.setdefault(name, []).append(text)
    try:
        given = compose_values(lines, HELM_4_3)
        release = Release(name="demo", namespace="shop", is_upgrade=upgrade, is_install=not upgrade)
        chart = load_chart(DiskTree(folder / "chart"))
        done = render(chart, given, release, Capabilities(kube_version=KUBE))
    except (HelmError, ValuesRefused) as error:
        return "", str(error)
    hooks = "".join(f"---\n# Source: {hook.path}\n{hook.text}\n" for hook in done.hooks)
    return f"{done.manifest.strip()}\n{hooks}", ""


def theirs(
    folder: pathlib.Path, values: list[pathlib.Path], flags: list[Flag], *, upgrade: bool
) -> tuple[str, str]:
    """Return the output and the error of the real one; one of them is empty."""
    command = [ORACLE, "template", "demo", folder / "chart", "-n", "shop", "--kube-version", KUBE]
    command += [part for path in values for part in ("--values", path)]
    command += [part for name, text in flags for part in (f"--{name}", text)]
    command += ["--is-upgrade"] if upgrade else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout, "") if done.returncode == 0 else ("", done.stderr)


def words(refusal: str) -> str:
    """Return what the real one says of a failure, without warnings and advice."""
    lines = [line for line in refusal.splitlines() if not line.startswith("level=")]
    text = "\n".join(lines).removeprefix("Error: ")
    return text.removesuffix("\n\nUse --debug flag to render out invalid YAML").strip()


@pytest.mark.fuzz
@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle helm is not installed")
# Without shrinking: it would start a helm for every try, for many minutes.
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(example=examples())
def test_random_charts(example: Example) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        values = example.write(folder)
        output, error = ours(folder, values, example.given, upgrade=example.upgrade)
        real, refusal = theirs(folder, values, example.given, upgrade=example.upgrade)
    assert bool(error) == bool(refusal), f"{error}\n{refusal}"
    assert output == real
    assert error.strip() == words(refusal)
