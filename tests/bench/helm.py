"""How fast charts render, against the real helm: `python tests/bench/helm.py [ROUNDS]`.

Two charts of our own making: one of 12 templates and one of 250, in the style and of the size of a
monitoring stack. Three states: nothing cached (a process that has imported the engine and rendered
nothing like it), templates compiled and the chart loaded with only values changed, and the same
with provenance. The oracle's time is that of its process. Medians; a missed bar ends with status 1.
"""

import gc
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from big_chart.builder import small, stack

from fluvial.render.helm import Capabilities, Chart, Release, load_chart, render
from fluvial.render.kustomize import DiskTree, MemoryTree

ORACLE = pathlib.Path(__file__).parents[2] / ".venv" / "oracles" / "helm"
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
KUBE = "v1.37.0"
RELEASE = Release(name="demo", namespace="bench")
CLUSTER = Capabilities(kube_version=KUBE)
FIRST = 'a: {{ regexMatch "a" (tpl "b" .) | and (semverCompare ">1-0" "2.0.0") | toYaml }}'
BARS = {"small": (0.4, 0.1), "large": (4.0, 0.8)}


def text_of(chart: Chart, round_number: int = 0) -> str:
    """Render with values that differ from round to round, and print as `helm template` does."""
    done = render(chart, {"commonLabels": {"round": f"r{round_number}"}}, RELEASE, CLUSTER)
    hooks = "".join(f"---\n# Source: {hook.path}\n{hook.text}\n" for hook in done.hooks)
    return f"{done.manifest.strip()}\n{hooks}"


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cold(folder: pathlib.Path) -> float:
    """Return the time of loading and rendering in a process that has not rendered it before."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # A chart of one line does the imports that are put off until they are needed.
        first = MemoryTree({"Chart.yaml": "{name: x, version: 1.0.0}", "templates/a.yaml": FIRST})
        render(load_chart(first), {}, RELEASE, CLUSTER)
        gc.collect()
        taken = seconds(lambda: text_of(load_chart(DiskTree(folder))))
        os.write(writer, struct.pack("d", taken))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        data = answer.read()
    os.waitpid(child, 0)
    taken: float = struct.unpack("d", data)[0]
    return taken


def measure(name: str, folder: pathlib.Path) -> bool:
    """Print the figures of one chart; tell whether the bars hold and the outputs are equal."""
    given = ["--set", "commonLabels.round=r0"]
    command = [ORACLE, "template", "demo", folder, "-n", "bench", "--kube-version", KUBE, *given]
    first, theirs, compiled = [], [], []
    for _ in range(ROUNDS):
        theirs.append(seconds(lambda: subprocess.run(command, capture_output=True, check=True)))
        first.append(cold(folder))
    chart = load_chart(DiskTree(folder))
    same = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    same_output = text_of(chart) == same
    for number in range(ROUNDS):
        theirs.append(seconds(lambda: subprocess.run(command, capture_output=True, check=True)))
        compiled.append(seconds(lambda number=number: text_of(chart, number)))
    count = sum(len(part.templates) for part in chart.walk())
    base = statistics.median(theirs)
    ratios = statistics.median(first) / base, statistics.median(compiled) / base
    print(f"{name}: {count} templates, {len(same)} bytes, identical: {same_output}")
    print(f"  helm template           {base * 1e3:7.1f} ms")
    for what, ratio, bar in zip(
        ("nothing cached", "compiled, other values"), ratios, BARS[name], strict=True
    ):
        verdict = "ok" if ratio <= bar else "MISSED"
        print(f"  {what:<23} {ratio * base * 1e3:7.1f} ms  {ratio:.2f} (bar {bar}) {verdict}")
    return same_output and all(ratio <= bar for ratio, bar in zip(ratios, BARS[name], strict=True))


def main() -> int:
    """Build the charts in a temporary folder and measure."""
    if not ORACLE.exists():
        print(f"the oracle is missing: {ORACLE}")
        return 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        small(root / "small")
        stack(root / "large")
        held = [measure(kind, root / kind) for kind in BARS]
        return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
