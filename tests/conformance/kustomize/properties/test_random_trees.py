"""Random trees out of the whole grammar of kustomization files: the same bytes as kustomize's."""

import pathlib
import subprocess
import tempfile

import hypothesis
import pytest
from kustomize_trees import trees

from fluvial.render.kustomize import PARSED, KustomizeError, MemoryTree, Options, build, to_yaml
from fluvial.render.objects import Origin
from fluvial.render.yaml import pointers

ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "kubectl"
PANIC = "goroutine "


def ours(files: dict[str, str], *, provenance: bool = False) -> str | None:
    """Return our output; None when the build fails."""
    options = Options(order="legacy", confined=True, provenance=provenance)
    try:
        return to_yaml(build(MemoryTree(files), options=options))
    except KustomizeError:
        return None


def origins(files: dict[str, str]) -> list[dict[str, Origin]]:
    """Return the origin of every value of every object; nothing when the build fails."""
    try:
        built = build(MemoryTree(files), options=Options(provenance=True))
    except KustomizeError:
        return []
    found = []
    for item in built:
        blame = item.blame()
        found.append({pointer: blame[pointer] for pointer in pointers(item.decode())})
    return found


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
    PARSED.clear()
    found = origins(files)
    assert origins(files) == found


@pytest.mark.fuzz
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(trees, trees)
def test_a_build_after_a_change_is_as_a_first_one(
    before: dict[str, str], other: dict[str, str]
) -> None:
    shared = [name for name in before if other.get(name, before[name]) != before[name]]
    after = {**before, **{name: other[name] for name in shared[-1:]}}
    PARSED.clear()
    ours(before)
    later = ours(after)
    PARSED.clear()
    assert ours(after) == later
