"""How fast charts render, against the real helm: `python tests/bench/helm.py [ROUNDS]`.

Two charts of our own making: one of 12 templates and one of 250, in the style and of the size of a
monitoring stack. Two states: nothing cached (a process that has imported the engine and rendered
nothing like it), and templates compiled and the chart loaded with only values changed. The oracle's
time is that of its process. Then, without the oracle: rendering without provenance against the same
with every hook of provenance taken out of the engine, and with provenance.

All in CPU time, in turns; medians. The oracle's is what it takes by the clock while nothing else
runs; both are shown. A missed bar ends with status 1.
"""

import ast
import gc
import inspect
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from big_chart.builder import small, stack

from fluvial.render.gotemplate import Templates, templates
from fluvial.render.gotemplate._compile import Compiler
from fluvial.render.helm import Capabilities, Chart, Release, load_chart, render
from fluvial.render.helm._engine import _Engine
from fluvial.render.kustomize import DiskTree, MemoryTree

ORACLE = pathlib.Path(__file__).parents[2] / ".venv" / "oracles" / "helm"
COLD = "--cold"
ROUNDS = int(sys.argv[1]) if len(sys.argv) == 2 else 10
KUBE = "v1.37.0"
RELEASE = Release(name="demo", namespace="bench")
CLUSTER = Capabilities(kube_version=KUBE)
FIRST = 'a: {{ regexMatch "a" (tpl "b" .) | and (semverCompare ">1-0" "2.0.0") | toYaml }}'
BARS = {"small": (0.4, 0.1), "large": (4.0, 0.8)}
OFF_BAR = 1.02
HOOKED = ((Templates, "execute"), (_Engine, "collect"), (_Engine, "run"))


def text_of(chart: Chart, round_number: int = 0, *, provenance: bool = False) -> str:
    """Render with values that differ from round to round, and print as `helm template` does."""
    values = {"commonLabels": {"round": f"r{round_number}"}}
    done = render(chart, values, RELEASE, CLUSTER, provenance=provenance)
    hooks = "".join(f"---\n# Source: {hook.path}\n{hook.text}\n" for hook in done.hooks)
    return f"{done.manifest.strip()}\n{hooks}"


def seconds(work: Callable[[], object]) -> float:
    """Return how much CPU time some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


class Taken(NamedTuple):
    """What a process took: seconds of CPU time, and by the clock."""

    cpu: float
    clock: float


def of_oracle(command: list[Any]) -> Taken:
    """Return what the oracle takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        clock,
    )


def cold(folder: pathlib.Path) -> float:
    """Return the time of loading and rendering in a process of its own, without its imports."""
    command = [sys.executable, __file__, COLD, folder]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def be_cold(folder: pathlib.Path) -> None:
    """Be that process: print how long it took."""
    # A chart of one line does the imports that are put off until they are needed.
    first = MemoryTree({"Chart.yaml": "{name: x, version: 1.0.0}", "templates/a.yaml": FIRST})
    render(load_chart(first), {}, RELEASE, CLUSTER)
    gc.collect()
    print(seconds(lambda: text_of(load_chart(DiskTree(folder)))))


def measure(name: str, folder: pathlib.Path) -> bool:
    """Print the figures of one chart; tell whether the bars hold and the outputs are equal."""
    given = ["--set", "commonLabels.round=r0"]
    command = [ORACLE, "template", "demo", folder, "-n", "bench", "--kube-version", KUBE, *given]
    first, theirs, compiled = [], [], []
    for _ in range(ROUNDS):
        theirs.append(of_oracle(command))
        first.append(cold(folder))
    chart = load_chart(DiskTree(folder))
    same = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    same_output = text_of(chart) == same
    for number in range(ROUNDS):
        theirs.append(of_oracle(command))
        compiled.append(seconds(lambda number=number: text_of(chart, number)))
    count = sum(len(part.templates) for part in chart.walk())
    base = statistics.median(taken.cpu for taken in theirs)
    clock = statistics.median(taken.clock for taken in theirs)
    ratios = statistics.median(first) / base, statistics.median(compiled) / base
    print(f"{name}: {count} templates, {len(same)} bytes, identical: {same_output}")
    print(f"  helm template           {base * 1e3:7.1f} ms (by the clock {clock * 1e3:.0f} ms)")
    for what, ratio, bar in zip(
        ("nothing cached", "compiled, other values"), ratios, BARS[name], strict=True
    ):
        verdict = "ok" if ratio <= bar else "MISSED"
        print(f"  {what:<23} {ratio * base * 1e3:7.1f} ms  {ratio:.3f} (bar {bar}) {verdict}")
    return same_output and all(ratio <= bar for ratio, bar in zip(ratios, BARS[name], strict=True))


class _Unhooked(ast.NodeTransformer):
    """Takes out of a function what only provenance needs: what depends on a trace or a visit."""

    def visit_If(self, node: ast.If) -> Any:
        """Leave the other branch, if there is one."""
        self.generic_visit(node)
        return (node.orelse or ast.Pass()) if _asks(node.test, ast.IsNot) else node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        """Leave the value for no trace."""
        self.generic_visit(node)
        return node.body if _asks(node.test, ast.Is) else node


def _asks(test: ast.expr, operator: type[ast.cmpop]) -> bool:
    """Tell `… trace is None` and its like."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], operator)
        and ast.unparse(test.left).endswith(("trace", "visit"))
    )


def unhooked(owner: type, name: str) -> Callable[..., Any]:
    """Return a method as it would be without provenance."""
    function = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.fix_missing_locations(_Unhooked().visit(ast.parse(source)))
    if ast.unparse(tree) == ast.unparse(ast.parse(source)):
        raise AssertionError(f"{owner.__name__}.{name} has no hook")
    made: dict[str, Any] = {}
    exec(compile(tree, name, "exec"), {**function.__globals__}, made)
    bare: Callable[..., Any] = made[name]
    return bare


class Bare(Compiler):
    """A compiler whose loops know of no visits."""

    number = 2
    looping = unhooked(Compiler, "looping")


@contextmanager
def hooks_taken_out() -> Iterator[None]:
    """Run the engine without any hook of provenance."""
    before = [(owner, name, getattr(owner, name)) for owner, name in HOOKED]
    compiler = templates._COMPILER
    for owner, name in HOOKED:
        setattr(owner, name, BARE[owner, name])
    templates._COMPILER = BARE_COMPILER
    try:
        yield
    finally:
        templates._COMPILER = compiler
        for owner, name, hooked in before:
            setattr(owner, name, hooked)


BARE = {(owner, name): unhooked(owner, name) for owner, name in HOOKED}
BARE_COMPILER = Bare()


def provenance(folder: pathlib.Path) -> bool:
    """Compare renders without provenance, with its hooks taken out, and with it."""
    chart = load_chart(DiskTree(folder))

    def bypassed() -> str:
        with hooks_taken_out():
            return text_of(chart)

    works = (lambda: text_of(chart), bypassed)
    pairs: list[list[float]] = []
    gc.disable()
    for number in range(40 * ROUNDS):
        # In turns, so that whatever else the machine does meets both.
        taken = [seconds(work) for work in (works if number % 2 else works[::-1])]
        pairs.append(taken if number % 2 else taken[::-1])
    gc.enable()
    traced = [seconds(lambda: text_of(chart, provenance=True)) for _ in range(ROUNDS)]
    off = statistics.median(one / other for one, other in pairs)
    on = statistics.median(traced) / statistics.median(one for one, _ in pairs)
    verdict = "ok" if off <= OFF_BAR else "MISSED"
    print(f"provenance off / hooks taken out: {off:.3f} (bar {OFF_BAR}) {verdict}")
    print(f"provenance on / off: {on:.2f}")
    same = text_of(chart) == bypassed() == text_of(chart, provenance=True)
    return same and off <= OFF_BAR


def main() -> int:
    """Build the charts in a temporary folder and measure."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        small(root / "small")
        stack(root / "large")
        held = [provenance(root / "small")]
        if ORACLE.exists():
            held += [measure(kind, root / kind) for kind in BARS]
        else:
            print(f"the oracle is missing: {ORACLE}")
        return 0 if all(held) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == [COLD]:
        be_cold(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(main())
