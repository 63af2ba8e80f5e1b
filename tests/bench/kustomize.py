"""How fast builds are, against the real kustomize: `python tests/bench/kustomize.py [FILES]`.

Generates a base of FILES manifests (300 by default, about 1.2 MB) with an overlay that prefixes,
labels, patches, retags and generates, builds it with both, and prints the times and their ratio.
The oracle's time is that of its process; `start` says how much of it is starting up.
"""

import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from fluvial.render.kustomize import DiskTree, Options, build, to_yaml
from fluvial.render.yaml import dump

ORACLE = pathlib.Path(__file__).parents[2] / ".venv" / "oracles" / "kubectl"
ROUNDS = 5


def manifests(number: int) -> str:
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
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
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


def generate(root: pathlib.Path, count: int) -> int:
    """Write the tree and return its size in bytes."""
    base = root / "base"
    overlay = root / "overlay"
    base.mkdir()
    overlay.mkdir()
    size = 0
    for number in range(count):
        size += (base / f"app-{number}.yaml").write_text(manifests(number))
    resources = [f"app-{number}.yaml" for number in range(count)]
    (base / "kustomization.yaml").write_text(dump({"resources": resources}))
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "any"},
        "spec": {
            "template": {"spec": {"containers": [{"name": "app", "imagePullPolicy": "Always"}]}}
        },
    }
    (overlay / "kustomization.yaml").write_text(
        dump(
            {
                "resources": ["../base"],
                "namespace": "bench",
                "namePrefix": "prod-",
                "labels": [{"pairs": {"env": "prod"}, "includeTemplates": True}],
                "images": [{"name": "registry.example.com/team/app-1", "newTag": "2.0"}],
                "configMapGenerator": [{"name": "shared", "literals": ["a=b"]}],
                "patches": [{"target": {"kind": "Deployment"}, "patch": dump(patch)}],
            }
        )
    )
    return size


def best(work: Callable[[], object]) -> float:
    """Return the shortest of several runs, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    """Print the comparison; the exit status says whether the outputs differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        size = generate(root, count)
        tree = DiskTree(root)
        options = Options(order="legacy")
        traced = Options(order="legacy", provenance=True)
        ours = best(lambda: build(tree, "overlay", options=options))
        printing = best(lambda: to_yaml(build(tree, "overlay", options=options)))
        tracing = best(lambda: build(tree, "overlay", options=traced))
        print(f"{count} files, {size / 1e6:.2f} MB")
        print(f"fluvial build       {ours * 1e3:7.0f} ms")
        print(f"  and printed       {printing * 1e3:7.0f} ms")
        print(f"  with provenance   {tracing * 1e3:7.0f} ms")
        if not ORACLE.exists():
            return 0
        command = [ORACLE, "kustomize", root / "overlay"]
        theirs = best(lambda: subprocess.run(command, capture_output=True, check=True))
        start = best(lambda: subprocess.run([ORACLE, "options"], capture_output=True, check=True))
        output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        print(f"kubectl kustomize   {theirs * 1e3:7.0f} ms (start {start * 1e3:.0f} ms)")
        print(f"ratio               {theirs / printing:7.1f} printed, {theirs / ours:.1f} built")
        same = output == to_yaml(build(tree, "overlay", options=options))
        print(f"identical output    {'yes' if same else 'NO'}")
        return not same


if __name__ == "__main__":
    sys.exit(main())
