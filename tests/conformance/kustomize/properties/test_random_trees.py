"""Random trees out of the whole grammar of kustomization files: the same bytes as kustomize's."""

import pathlib
import subprocess
import tempfile

import hypothesis
import pytest
from kustomize_trees import trees

from fluvial.render.kustomize import KustomizeError, MemoryTree, Options, build, to_yaml

ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "kubectl"
PANIC = "goroutine "


def ours(files: dict[str, str], *, provenance: bool = False) -> str | None:
    """Return our output; None when the build fails."""
    options = Options(order="legacy", confined=True, provenance=provenance)
    try:
        return to_yaml(build(MemoryTree(files), options=options))
    except KustomizeError:
        return None


def theirs(files: dict[str, str]) -> str | None:
    """Return the oracle's output; None when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [ORACLE, "kustomize", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    hypothesis.assume(PANIC not in done.stderr)  # a crash of upstream's says nothing
    return None if done.returncode else done.stdout


@pytest.mark.fuzz
@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(trees)
def test_the_same_as_kustomize(files: dict[str, str]) -> None:
    assert ours(files) == theirs(files)


@pytest.mark.fuzz
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(trees)
def test_provenance_and_earlier_builds_change_nothing(files: dict[str, str]) -> None:
    first = ours(files)
    assert ours(files) == first
    assert ours(files, provenance=True) == first
