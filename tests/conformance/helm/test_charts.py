"""Every chart is a rule (its description), and what helm makes of it, byte for byte.

`charts/<name>/` may have user values in `values/<name>.yaml` and flags of the command line, one
word a line, in `flags/<name>.txt` (`{values}` is the folder of values); `expected/` holds the
recorded output, or our own message where rendering must fail. With the oracle installed each chart
is also run through it, so that a recorded expectation cannot drift from the real thing.
"""

import contextlib
import io
import pathlib
import subprocess

import pytest

from fluvial.cli.main import main
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


def flags_of(name: str) -> list[str]:
    """Return the words that a chart adds to the command line."""
    path = HERE / "flags" / f"{name}.txt"
    words = path.read_text().splitlines() if path.exists() else []
    return [word.replace("{values}", str(HERE / "values")) for word in words]


def arguments(name: str) -> list[str]:
    """Return what follows `helm template` and `fluvial build helm` for a chart."""
    path = values_of(name)
    return [
        "demo", str(HERE / "charts" / name), "--namespace", "shop", "--kube-version", "v1.37.0",
        "--include-crds", *(["--values", str(path)] if path else []), *flags_of(name),
    ]  # fmt: skip


def command(name: str) -> tuple[str, str]:
    """Return the output and the error of our command; one of them is empty."""
    output, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
        status = main(["build", "helm", *arguments(name)])
    return ("", error.getvalue()) if status else (output.getvalue(), "")


def template(done: RenderedChart) -> str:
    """Print a rendering as `helm template --include-crds` does, hooks at the end."""
    crds = "".join(f"---\n# Source: {one.name}\n{one.data.decode()}\n" for one in done.crds)
    hooks = "".join(f"---\n# Source: {hook.path}\n{hook.text}\n" for hook in done.hooks)
    return f"{(crds + done.manifest).strip()}\n{hooks}"


def ours(name: str) -> tuple[str, str]:
    """Return the output and the error of our engine; one of them is empty."""
    if flags_of(name):
        return command(name)
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
    result = subprocess.run(
        [ORACLE, "template", *arguments(name)], capture_output=True, check=False, timeout=60
    )
    # Not read as text, which would hide carriage returns.
    output, error = result.stdout.decode(), result.stderr.decode()
    return (output, "") if result.returncode == 0 else ("", error)


def test_there_are_charts() -> None:
    assert len(NAMES) >= 60
    failing = {path.stem for path in EXPECTED.glob("*.error")}
    assert failing == {
        "badversion",
        "failing",
        "includefails",
        "kidfails",
        "negated",
        "noinclude",
        "noyaml",
        "required",
        "scalardoc",
        "schema",
        "schemafirst",
        "schemaglobals",
        "schemakid",
        "toonew",
        "unparsable",
    }


@pytest.mark.parametrize("name", NAMES)
def test_recorded(name: str) -> None:
    output, error = ours(name)
    failing = EXPECTED / f"{name}.error"
    if failing.exists():
        assert error == failing.read_text()
        assert not (EXPECTED / f"{name}.yaml").exists()
    else:
        assert error == ""
        assert output.encode() == (EXPECTED / f"{name}.yaml").read_bytes()


@pytest.mark.oracle
@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle helm is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_oracle(name: str) -> None:
    output, error = ours(name)
    real, refusal = theirs(name)
    assert bool(error) == bool(refusal), refusal
    assert output == real
    if error and name != "schemakid":  # helm tells the value there, which may be secret
        assert error.strip() in refusal
