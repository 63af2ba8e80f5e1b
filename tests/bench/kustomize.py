"""How fast builds are, against the real kustomize: `python tests/bench/kustomize.py`.

Builds generated trees with Fluvial and with the oracle's process, in turns, and prints medians of
ten and their ratios. Exits non-zero when a bar is missed or an output differs. Without the oracle
only the bars that compare Fluvial with itself count.
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
from fluvial.render.kustomize._resource import Resource
from fluvial.render.yaml import dump

ORACLE = pathlib.Path(__file__).parents[2] / ".venv" / "oracles" / "kubectl"
ROUNDS = 10
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


class Report:
    """Collects figures and says whether all bars hold."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def check(self, name: str, figure: float, bar: float) -> None:
        """Print one figure; more than its bar is a miss."""
        verdict = "ok" if figure <= bar else "MISSED"
        print(f"{name:<58} {figure:6.3f}  (bar {bar:g}) {verdict}", flush=True)
        if figure > bar:
            self.missed.append(name)


def clocked(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Run once and return the seconds."""
    gc.collect()
    start = clock()
    work()
    return clock() - start


def medians(*works: Callable[[], object], clock: Callable[[], float]) -> list[float]:
    """Run several works in turns and return the median of each, so that noise meets all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, times, strict=True):
            taken.append(clocked(work, clock))
    return [statistics.median(taken) for taken in times]


def printed(tree: Tree, path: str, options: Options = PLAIN, *, cold: bool = True) -> str:
    """Build and print, as the command does."""
    if cold:
        PARSED.clear()
    return to_yaml(build(tree, path, options=options))


def against_oracle(report: Report, name: str, files: dict[str, str], path: str, bar: float) -> None:
    """Compare a build, nothing of which was parsed before, with the oracle's process."""
    if not ORACLE.exists():
        print(f"{name:<58}      -  (the oracle kubectl is not installed)")
        return
    with tempfile.TemporaryDirectory() as folder:
        for file, text in files.items():
            place = pathlib.Path(folder, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        command = [ORACLE, "kustomize", f"{folder}/{path}"]

        def oracle() -> str:
            return subprocess.run(command, capture_output=True, check=True, text=True).stdout

        tree = DiskTree(folder)
        if oracle() != printed(tree, path):
            report.missed.append(f"{name}: other output")
        mine, theirs = medians(lambda: printed(tree, path), oracle, clock=time.perf_counter)
    report.check(f"{name} ({mine * 1e3:.0f} ms of {theirs * 1e3:.0f})", mine / theirs, bar)


def after_a_change(report: Report, files: dict[str, str], path: str) -> None:
    """Compare a build after one of many files has changed with the first build of all."""
    number = 0

    def again() -> str:
        nonlocal number
        number += 1
        changed = {"base/app-7.yaml": f"{files['base/app-7.yaml']}# change {number}\n"}
        return printed(MemoryTree(changed, MemoryTree(files)), path, cold=False)

    tree = MemoryTree(files)
    first, later = medians(lambda: printed(tree, path), again, clock=time.process_time)
    report.check("one of 300 files changed / first build", later / first, 0.35)


def provenance(report: Report, files: dict[str, str], path: str) -> None:
    """Compare builds with provenance, without, and with its hooks taken out of the engine."""
    tree = MemoryTree(files)
    off, traced = medians(
        lambda: printed(tree, path), lambda: printed(tree, path, TRACED), clock=time.process_time
    )
    report.check("provenance on / off", traced / off, 1.3)
    hooks = {name: getattr(Resource, name) for name in ("note", "amend")}

    def bypassed() -> str:
        for name in hooks:
            setattr(Resource, name, lambda *_args, **_options: None)
        try:
            return printed(tree, path)
        finally:
            for name, hook in hooks.items():
                setattr(Resource, name, hook)

    ratios = []
    for _ in range(ROUNDS):
        one = clocked(lambda: printed(tree, path), time.process_time)
        other = clocked(bypassed, time.process_time)
        ratios.append(one / other)
    report.check("provenance off / hooks taken out", statistics.median(ratios), 1.02)


def growth(report: Report) -> None:
    """Fit the exponent of the cost between 100 and 4,000 resources."""
    sizes = [100, 400, 1_000, 4_000]
    points = []
    for size in sizes:
        tree = MemoryTree(references(size))
        taken = min(clocked(lambda tree=tree: printed(tree, ""), time.process_time) for _ in "123")
        points.append((math.log(size), math.log(taken)))
    slope, _ = statistics.linear_regression(*zip(*points, strict=True))
    report.check("exponent of the cost from 100 to 4,000 resources", slope, 1.1)


def main() -> int:
    """Take all figures; the exit status says whether a bar is missed."""
    report = Report()
    files = many_files(300)
    against_oracle(report, "small overlay / kubectl kustomize", small_overlay(), "prod", 0.15)
    against_oracle(report, "300 files / kubectl kustomize", files, "overlay", 0.5)
    linked = references(2_000)
    against_oracle(report, "2,000 resources with references / kubectl", linked, "", 0.3)
    after_a_change(report, files, "overlay")
    provenance(report, files, "overlay")
    growth(report)
    for name in report.missed:
        print(f"missed: {name}")
    return bool(report.missed)


if __name__ == "__main__":
    sys.exit(main())
