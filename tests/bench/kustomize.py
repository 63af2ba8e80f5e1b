"""How fast builds are, against the real kustomize: `python tests/bench/kustomize.py`.

Builds generated trees with Fluvial and with the oracle's process, in turns, and prints a table of
medians and their ratios. Exits non-zero when a bar is missed or an output differs. Without the
oracle only the bars that compare Fluvial with itself count; those compare CPU time. Takes about
four minutes, most of them the oracle's.
"""

import gc
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from fluvial.render.kustomize import PARSED, DiskTree, MemoryTree, Options, Tree, build, to_yaml
from fluvial.render.objects import Rendered
from fluvial.render.yaml import dump

ORACLE = pathlib.Path(__file__).parents[2] / ".venv" / "oracles" / "kubectl"
WORKER = pathlib.Path(__file__).parent / "workers" / "kustomize.py"
ROUNDS = 10
FEW_ROUNDS = 3  # where one run of the oracle takes most of a minute
PLAIN = Options(order="legacy", confined=True)
TRACED = Options(order="legacy", confined=True, provenance=True)


def application(number: int) -> str:
    """Return a Deployment, its Service and its ConfigMap, about 4 KB together."""
    name = f"app-{number}"
    labels = {"app": name, "part-of": "bench"}
    container = {
        "name": "app",
        "image": f"registry.example.com/team/app-{number % 7}:1.0.{number}",
        "args": [f"--flag-{index}=value-{index}" for index in range(20)],
        "env": [{"name": f"VAR_{index}", "value": f"value {index}"} for index in range(20)],
        "envFrom": [{"configMapRef": {"name": name}}, {"configMapRef": {"name": "shared"}}],
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {f"key-{index}": f"some words of value {index}" for index in range(25)},
    }
    return "---\n".join(dump(item) for item in (deployment, service, config))


def many_files(count: int) -> dict[str, str]:
    """Return a base of many files, and an overlay with namespace, label, image and patch."""
    files = {f"base/app-{number}.yaml": application(number) for number in range(count)}
    resources = [f"app-{number}.yaml" for number in range(count)]
    files["base/kustomization.yaml"] = dump({"resources": resources})
    container = {"name": "app", "imagePullPolicy": "Always"}
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "any"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    overlay = {
        "resources": ["../base"],
        "namespace": "bench",
        "namePrefix": "prod-",
        "labels": [{"pairs": {"env": "prod"}, "includeTemplates": True}],
        "images": [{"name": "registry.example.com/team/app-1", "newTag": "2.0"}],
        "configMapGenerator": [{"name": "shared", "literals": ["a=b"]}],
        "patches": [{"target": {"kind": "Deployment"}, "patch": dump(patch)}],
    }
    return {**files, "overlay/kustomization.yaml": dump(overlay)}


def small_overlay() -> dict[str, str]:
    """Return what most repositories have: one application and its overlay."""
    overlay = {
        "resources": ["../base"],
        "namespace": "prod",
        "replicas": [{"name": "app-0", "count": 3}],
        "images": [{"name": "registry.example.com/team/app-0", "newTag": "2.0"}],
    }
    return {
        "base/kustomization.yaml": dump({"resources": ["app.yaml"]}),
        "base/app.yaml": application(0),
        "prod/kustomization.yaml": dump(overlay),
    }


def references(count: int) -> dict[str, str]:
    """Return pairs of a ConfigMap and a Deployment that mounts it, all renamed."""
    texts = []
    for number in range(count // 2):
        name = f"item-{number}"
        volume = {"name": "config", "configMap": {"name": name}}
        container = {"name": "main", "image": "app", "envFrom": [{"configMapRef": {"name": name}}]}
        spec = {"containers": [container], "volumes": [volume]}
        metadata = {"name": name}
        texts.append(
            dump(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
            )
        )
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
        texts.append(dump({**deployment, "spec": {"template": {"spec": spec}}}))
    top = {"resources": ["all.yaml"], "namePrefix": "a-", "nameSuffix": "-z"}
    return {"kustomization.yaml": dump(top), "all.yaml": "---\n".join(texts)}


def tenants(count: int) -> dict[str, str]:
    """Return namespaces with an account and a binding each, all of the same names, and renamed."""
    objects = []
    for number in range(count // 2):
        metadata = {"name": "worker", "namespace": f"team-{number}"}
        subject = {"kind": "ServiceAccount", **metadata}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        version = "rbac.authorization.k8s.io/v1"
        objects += [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
            {
                "apiVersion": version,
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": role,
                "subjects": [subject],
            },
        ]
    top = {"resources": ["all.yaml"], "namePrefix": "a-"}
    return {"kustomization.yaml": dump(top), "all.yaml": "---\n".join(map(dump, objects))}


class Report:
    """Prints figures as rows of a table and remembers which bars they miss."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        print(f"{'':<56} {'ratio':>6} {'bar':>5}")

    def check(self, name: str, figure: float, bar: float, absolute: str = "") -> None:
        """Print one figure; more than its bar is a miss."""
        verdict = "ok" if figure <= bar else "MISSED"
        print(f"{name:<56} {figure:6.3f} {bar:>5g} {verdict:<6} {absolute}".rstrip(), flush=True)
        if figure > bar:
            self.missed.append(name)

    def tell(self, name: str, figure: float, absolute: str = "") -> None:
        """Print a figure without a bar."""
        print(f"{name:<56} {figure:6.3f} {'':>12} {absolute}".rstrip(), flush=True)


def clocked(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Run once and return the seconds."""
    gc.collect()
    start = clock()
    work()
    return clock() - start


def medians(
    *works: Callable[[], object],
    clock: Callable[[], float] = time.process_time,
    rounds: int = ROUNDS,
) -> list[float]:
    """Run several works in turns and return the median of each, so that noise meets all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            taken.append(clocked(work, clock))
    return [statistics.median(taken) for taken in times]


def cold(tree: Tree, path: str, options: Options = PLAIN) -> list[Rendered]:
    """Build as a process does that has built nothing before."""
    PARSED.clear()
    return build(tree, path, options=options)


def milliseconds(*seconds: float) -> str:
    """Print what ratios are made of."""
    return " of ".join(f"{one * 1e3:.0f} ms" for one in seconds)


def against_oracle(
    report: Report,
    name: str,
    files: dict[str, str],
    path: str,
    bar: float,
    *,
    rounds: int = ROUNDS,
) -> None:
    """Compare a build that is printed, nothing of it known before, with the oracle's process.

    Of both it is elapsed time that counts.
    """
    if not ORACLE.exists():
        print(f"{name:<56}      -  (the oracle kubectl is not installed)")
        return
    with tempfile.TemporaryDirectory() as folder:
        for file, text in files.items():
            place = pathlib.Path(folder, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        command = [ORACLE, "kustomize", f"{folder}/{path}"]
        tree = DiskTree(folder)
        outputs: dict[str, set[str]] = {"mine": set(), "theirs": set()}

        def oracle() -> None:
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            outputs["theirs"].add(done.stdout)

        def mine() -> None:
            outputs["mine"].add(to_yaml(cold(tree, path)))

        taken, theirs = medians(mine, oracle, clock=time.perf_counter, rounds=rounds)
    if outputs["mine"] != outputs["theirs"]:
        report.missed.append(f"{name}: other output")
    report.check(name, taken / theirs, bar, milliseconds(taken, theirs))


def after_a_change(report: Report, files: dict[str, str], path: str) -> None:
    """Compare a build after one of many files has changed with the first build of all."""
    tree = MemoryTree(files)
    number = 0

    def changed() -> MemoryTree:
        nonlocal number
        number += 1
        text = files["base/app-7.yaml"].replace("value 3", f"value {number}")
        return MemoryTree({"base/app-7.yaml": text}, tree)

    first, later = medians(lambda: cold(tree, path), lambda: build(changed(), path, options=PLAIN))
    report.check(
        "one of 300 files changed / first build", later / first, 0.35, milliseconds(later, first)
    )
    first, later = medians(
        lambda: to_yaml(cold(tree, path)), lambda: to_yaml(build(changed(), path, options=PLAIN))
    )
    report.check("the same, printed", later / first, 0.35, milliseconds(later, first))


def provenance(report: Report, files: dict[str, str], path: str) -> None:
    """Compare builds with provenance and without: the first ones, and those that come after."""
    tree = MemoryTree(files)
    off, on = medians(lambda: cold(tree, path), lambda: cold(tree, path, TRACED))
    report.check("provenance on / off, first build", on / off, 1.3, milliseconds(on, off))
    for options in (PLAIN, TRACED):
        build(tree, path, options=options)
    known, traced = medians(
        lambda: build(tree, path, options=PLAIN), lambda: build(tree, path, options=TRACED)
    )
    report.check("the same, built before", traced / known, 1.3, milliseconds(traced, known))

    def ask() -> None:
        for item in objects:
            assert item.provenance

    times = []
    for _ in range(ROUNDS):
        objects = build(tree, path, options=TRACED)
        times.append(clocked(ask))
    asked = statistics.median(times)
    report.tell(
        "asking for the origin of every value / first build", asked / off, milliseconds(asked, off)
    )


def without_hooks(report: Report) -> None:
    """Compare builds without provenance with those of an engine that has no trace of it.

    Two processes build in turns; the source of one has lost all that serves provenance only.
    """
    workers = [
        subprocess.Popen(
            [sys.executable, WORKER, *how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for how in ([], ["stripped"])
    ]
    times: list[list[float]] = [[], []]
    try:
        counts = [int(_line(worker)) for worker in workers]
        for number in range(4 * ROUNDS):
            for which in (0, 1) if number % 2 else (1, 0):
                stdin = workers[which].stdin
                assert stdin is not None
                stdin.write("\n")
                stdin.flush()
                times[which].append(float(_line(workers[which])))
    finally:
        for worker in workers:
            worker.communicate()
    if not counts[1]:
        report.missed.append("no statement serves provenance only: nothing was compared")
    # What runs side by side meets the same noise, so pairs are compared.
    ratio = statistics.median(off / stripped for off, stripped in zip(*times, strict=True))
    report.check("provenance off / out of the source", ratio, 1.02, f"{counts[1]} statements")


def _line(worker: "subprocess.Popen[str]") -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()


def growth(report: Report, name: str, make: Callable[[int], dict[str, str]]) -> None:
    """Fit the exponent of the cost between 100 and 4,000 resources."""
    points = []
    for size in (100, 400, 1_000, 4_000):
        tree = MemoryTree(make(size))
        taken = min(clocked(lambda tree=tree: cold(tree, "")) for _ in range(FEW_ROUNDS))  # type: ignore[misc]  # bound by default on purpose
        points.append((math.log(size), math.log(taken)))
    slope, _ = statistics.linear_regression(*zip(*points, strict=True))
    report.check(f"exponent from 100 to 4,000 resources, {name}", slope, 1.1)


def main() -> int:
    """Take all figures; the exit status says whether a bar is missed."""
    report = Report()
    files = many_files(300)
    against_oracle(report, "small overlay / kubectl kustomize", small_overlay(), "prod", 0.15)
    against_oracle(report, "300 files / kubectl kustomize", files, "overlay", 0.5)
    linked = references(2_000)
    name = f"2,000 resources with references, {FEW_ROUNDS} rounds"
    against_oracle(report, name, linked, "", 0.3, rounds=FEW_ROUNDS)
    after_a_change(report, files, "overlay")
    provenance(report, files, "overlay")
    without_hooks(report)
    growth(report, "one namespace", references)
    growth(report, "many namespaces", tenants)
    for name in report.missed:
        print(f"missed: {name}")
    return bool(report.missed)


if __name__ == "__main__":
    sys.exit(main())
