"""Trees of 50 to 2,000 resources as real repositories have them: the same bytes as kustomize's.

`digests.txt` holds what the oracle printed, for machines that it cannot be installed on;
`FLUVIAL_RECORD=1` writes it anew, from the oracle's output.
"""

import hashlib
import os
import pathlib
import subprocess

import pytest
from tree_builders import TREES

from fluvial.render.kustomize import MemoryTree, Options, build, to_yaml

EVERYTHING = os.environ.get("FLUVIAL_EXAMPLES") == "fuzz"
SLOW = {"two-thousand-resources"}
"""The oracle takes most of a minute: asked by `make fuzz`, its recorded digest by `make test`."""

ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "kubectl"
DIGESTS = pathlib.Path(__file__).parent / "digests.txt"


def recorded() -> dict[str, str]:
    """Return the digests by tree."""
    lines = DIGESTS.read_text().splitlines() if DIGESTS.exists() else []
    return dict(line.split() for line in lines)


def digest(text: str) -> str:
    """Return the digest of an output."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def ours(name: str) -> tuple[str, int]:
    """Return our output and the number of resources."""
    files, path = TREES[name]()
    rendered = build(MemoryTree(files), path, options=Options(order="legacy", confined=True))
    return to_yaml(rendered), len(rendered)


@pytest.mark.parametrize("name", sorted(TREES))
def test_recorded(name: str) -> None:
    output, count = ours(name)
    assert 50 <= count <= 2000
    assert digest(output) == recorded()[name]


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
@pytest.mark.fuzz
@pytest.mark.parametrize("name", sorted(TREES.keys() if EVERYTHING else TREES.keys() - SLOW))
def test_oracle(name: str, tmp_path: pathlib.Path) -> None:
    files, path = TREES[name]()
    for file, text in files.items():
        place = tmp_path / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    command = [ORACLE, "kustomize", tmp_path / path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    if os.environ.get("FLUVIAL_RECORD"):
        kept = {**recorded(), name: digest(done.stdout)}
        DIGESTS.write_text("".join(f"{one} {kept[one]}\n" for one in sorted(kept)))
    assert ours(name)[0] == done.stdout
