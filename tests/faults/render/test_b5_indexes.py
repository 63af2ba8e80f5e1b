"""B5: an index.yaml of 200 MB, a million versions, entries with missing fields.

What is refused is refused at once; what is taken costs time in proportion, and little memory beside
the bytes themselves; entries that are whole serve beside those that are not.
"""

import json
import subprocess
import sys
import textwrap
import time

import pytest

from fluvial.render.helm.repository import LARGEST_INDEX, Index, IndexInvalid

ENTRY = """  - apiVersion: v2
    created: "2026-01-02T03:04:05.678901234Z"
    description: A chart that is packaged every hour of the day
    digest: 5e8f5bd28487c10ca4a33707879fc70da8c30fe324f6141e292e809897fd0ec7
    name: shop
    urls:
    - shop-%d.tgz
    version: %s
"""


def version(number):
    """Name versions so that the newest is somewhere in the middle."""
    return f"{number * 7919 % 1000}.{number // 1000 % 1000}.{number % 1000}"


def block(count):
    entries = "".join(ENTRY % (number, version(number)) for number in range(count))
    return f'apiVersion: v1\nentries:\n  shop:\n{entries}generated: "x"\n'.encode()


def compact(count):
    entries = [
        {"name": "shop", "version": version(number), "urls": ["x"], "digest": "5e8f" * 16}
        for number in range(count)
    ]
    return json.dumps({"apiVersion": "v1", "entries": {"shop": entries}}).encode()


def cost(data):
    """Return the processor's seconds of finding the newest version."""
    started = time.process_time()
    assert Index(data).find("shop").version.startswith("999.")
    return time.process_time() - started


@pytest.mark.parametrize("make", [block, compact], ids=["YAML", "JSON"])
def test_time_grows_with_the_versions(make):
    small, large = make(4_000), make(40_000)
    ratio = min(cost(large) for _ in range(3)) / min(cost(small) for _ in range(3))
    assert ratio < 25, f"ten times the versions cost {ratio:.1f} times as much"


MEASURED = textwrap.dedent(
    """
    import pathlib, resource, sys
    from fluvial.render.helm.repository import Index
    data = pathlib.Path(sys.argv[1]).read_bytes()
    Index(b"apiVersion: v1\\nentries:\\n  shop:\\n  - {name: shop, version: 1.0.0}\\n").find("shop")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Index(data).find("shop", "^999").version
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(found, (after - before) * 1024)
    """
)


@pytest.mark.parametrize("make", [block, compact], ids=["YAML", "JSON"])
def test_memory_stays_beside_the_bytes(make, tmp_path):
    """A version that is not wanted costs less than what it takes in the index."""
    data = make(60_000)
    path = tmp_path / "index.yaml"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True
    )
    found, more = done.stdout.split()
    assert found.startswith("999.")
    assert int(more) < 1.5 * len(data), f"{int(more)} bytes for an index of {len(data)}"


def test_too_large():
    with pytest.raises(IndexInvalid, match="larger than"):
        Index(b" " * (LARGEST_INDEX + 1))


def test_an_unusual_shape_is_not_read_as_a_whole():
    """What cannot be cut would cost thirty times its size."""
    entries = ", ".join("{name: shop, version: 1.0.0}" for _ in range(400_000))
    with pytest.raises(IndexInvalid, match="unusual shape"):
        Index(f"{{apiVersion: v1, entries: {{shop: [{entries}]}}}}".encode())


def test_a_chart_of_an_unusual_shape_neither():
    entries = ", ".join("{name: shop, version: 1.0.0}" for _ in range(400_000))
    other = "  other:\n  - {name: other, version: 1.0.0}\n"
    index = Index(f"apiVersion: v1\nentries:\n{other}  shop: [{entries}]\n".encode())
    assert index.find("other").version == "1.0.0"
    with pytest.raises(IndexInvalid, match="unusual shape"):
        index.find("shop")


def test_missing_fields_do_not_hide_what_is_whole():
    broken = (
        "  - name: shop\n",
        "  - version: 9.9.9\n",
        "  - {}\n",
        "  -\n",
        "  - null\n",
        "  - [a]\n",
        "  - name: shop\n    version: [1]\n",
        "  - name: {a: b}\n    version: 9.9.9\n",
        "  - name: shop\n    version: 9.9.9\n    maintainers: x\n",
        "  - name: shop\n    version: 9.9.9\n    urls: {a: b}\n",
        '  - name: shop\n    version: 9.9.9\n    description: "open\n',
    )
    text = "apiVersion: v1\nentries:\n  shop:\n" + "".join(
        entry + ENTRY % (number, f"1.0.{number}") for number, entry in enumerate(broken)
    )
    index = Index(text.encode())
    assert index.find("shop").version == f"1.0.{len(broken) - 1}"
    assert index.notes


def test_notes_are_bounded():
    text = "apiVersion: v1\nentries:\n  shop:\n" + "  - {version: 9.9.9}\n" * 10_000
    index = Index(text.encode())
    assert index.versions("shop") == []
    assert len(index.notes) <= 100
    assert sum(map(len, index.notes)) < 100_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9)), "aliases"),
        ("entries: " + "[" * 100_000, "depth in YAML"),
        ('{"entries": ' + "[" * 100_000, "depth in JSON"),
        ("apiVersion: v1\nentries:\n" + "  a:\n" * 100_000, "names without versions"),
        ("apiVersion: v1\nentries:\n  a: " + "x" * 7_000_000, "one long text"),
        ("apiVersion: v1\nentries:\n  a:\n" + "  - version:" + " " * 5_000_000 + "1\n", "blanks"),
        ("apiVersion: v1\nentries:\n  a:\n  - version: " + "1." * 2_000_000 + "\n", "one version"),
    ],
)
def test_odd_texts_cost_little(text, reason):
    started = time.process_time()
    try:
        index = Index(text.encode())
        index.find("a")
    except (IndexInvalid, ValueError):
        pass
    assert time.process_time() - started < 20, reason
