"""Every case is a rule: a tree, and what kustomize makes of it, byte for byte.

`cases/<rule>/` holds `rule.md` (the rule in one line), `input/`, and `expected.yaml` or, where the
build must fail, `error.txt` with our own message; `flags.txt` has flags for the command. With the
oracle installed each case is also run through it, so that a recorded expectation cannot drift from
the real thing. `differences/` holds cases of the same form in which we differ on purpose;
docs/spec/kustomize-differences.md says why.
"""

import pathlib
import subprocess

import msgspec
import pytest

from fluvial.render.kustomize import DiskTree, KustomizeError, Options, build, to_yaml

CASES = pathlib.Path(__file__).parent / "cases"
DIFFERENCES = pathlib.Path(__file__).parent / "differences"
ORACLE = pathlib.Path(__file__).parents[3] / ".venv" / "oracles" / "kubectl"
HELM = ORACLE.with_name("helm")
ENABLE_HELM = "--enable-helm"
OPTIONS = Options(order="legacy", confined=True, deep=True)  # what the command line does
NAMES = sorted(path.parent.name for path in CASES.glob("*/rule.md"))
DIFFERENT = sorted(path.parent.name for path in DIFFERENCES.glob("*/rule.md"))


def _name(case: pathlib.Path) -> str:
    return case.name


def _flags(case: pathlib.Path) -> list[str]:
    """Return the flags of `flags.txt`, for both engines."""
    path = case / "flags.txt"
    return path.read_text().split() if path.exists() else []


def run(case: pathlib.Path, options: Options = OPTIONS) -> tuple[str, str]:
    """Return the output and the error of our engine; one of them is empty."""
    options = msgspec.structs.replace(options, helm=ENABLE_HELM in _flags(case))
    try:
        return to_yaml(build(DiskTree(case / "input"), options=options)), ""
    except KustomizeError as error:
        return "", f"{error}\n"


def run_oracle(case: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Build a case with the real kustomize."""
    flags = _flags(case)
    if ENABLE_HELM in flags:
        flags += ["--helm-command", str(HELM)]
    return subprocess.run(
        [ORACLE, "kustomize", *flags, case / "input"],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
    )


def recorded(case: pathlib.Path) -> tuple[str, str]:
    """Return the output and the error that a case expects; one of them is empty."""
    if (case / "error.txt").exists():
        assert not (case / "expected.yaml").exists()
        return "", (case / "error.txt").read_text()
    return (case / "expected.yaml").read_text(), ""


def test_there_are_cases() -> None:
    assert len(NAMES) >= 700
    assert len(DIFFERENT) <= 10


@pytest.mark.parametrize(
    "case", [*(CASES / one for one in NAMES), *(DIFFERENCES / one for one in DIFFERENT)], ids=_name
)
def test_recorded(case: pathlib.Path) -> None:
    assert run(case) == recorded(case)


@pytest.mark.parametrize("name", NAMES)
def test_provenance_changes_nothing(name: str) -> None:
    traced = msgspec.structs.replace(OPTIONS, provenance=True)
    output, error = run(CASES / name, traced)
    expected, failure = recorded(CASES / name)
    assert (output, bool(error)) == (expected, bool(failure))


@pytest.mark.oracle
@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_oracle(name: str) -> None:
    if _flags(CASES / name) and not HELM.exists():
        pytest.skip("the oracle helm is not installed")
    result = run_oracle(CASES / name)
    expected, failure = recorded(CASES / name)
    assert (result.returncode != 0) == bool(failure), result.stderr
    if not failure:
        assert result.stdout == expected


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
@pytest.mark.parametrize("name", DIFFERENT)
def test_difference(name: str) -> None:
    if _flags(DIFFERENCES / name) and not HELM.exists():
        pytest.skip("the oracle helm is not installed")
    result = run_oracle(DIFFERENCES / name)
    assert result.returncode == 0
    assert result.stdout != run(DIFFERENCES / name)[0]
