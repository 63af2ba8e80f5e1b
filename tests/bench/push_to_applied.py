"""How long a push takes to the cluster: `python tests/bench/push_to_applied.py [PUSHES]`.

Real processes for everything: a control plane, a Git host, the source and kustomize controllers.
Each push changes one manifest of a few, then asks the GitRepository to reconcile, as a webhook
would; the clock runs until the status of the GitRepository, and then of the Kustomization, has the
revision. Prints both medians and the slowest, and fails when the whole takes over BAR seconds.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from harness import Harness, Repository, until

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import GIT_REPOSITORY, KUSTOMIZATION
from fluvial.toolkit import Client, Resource
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
NAMESPACE = "default"
BAR = 2.0
MANIFESTS = 20


def tree(value: int) -> dict[str, str]:
    """Return MANIFESTS ConfigMaps, of which the first differs each time."""
    return {
        f"app/{number:02}.yaml": (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: item-{number}\n"
            f"data:\n  value: '{0 if number else value}'\n"
        )
        for number in range(MANIFESTS)
    }


async def prepare(client: Client, repository: Repository) -> None:
    """Create both objects and wait until the first revision is applied."""
    revision = repository.push(tree(0))
    reference = {"kind": "GitRepository", "name": "app"}
    specs = {
        GIT: {"interval": "10m", "url": repository.url, "ref": {"branch": "main"}},
        KUSTOMIZATIONS: {
            "interval": "10m",
            "prune": True,
            "path": "./app",
            "targetNamespace": NAMESPACE,
            "sourceRef": reference,
        },
    }
    for resource, spec in specs.items():
        obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": "app", "namespace": NAMESPACE},
            "spec": spec,
        }
        await client.create(resource, obj)
    await until(client, KUSTOMIZATIONS, "app", NAMESPACE, applied(revision))


def applied(revision: str) -> Callable[[Unstructured], bool]:
    """Return whether a Kustomization has applied this revision."""
    return lambda obj: obj["status"]["lastAppliedRevision"] == revision


def stored(revision: str) -> Callable[[Unstructured], bool]:
    """Return whether a GitRepository offers this revision."""
    return lambda obj: obj["status"]["artifact"]["revision"] == revision


async def push(client: Client, repository: Repository, number: int) -> tuple[float, float]:
    """Push once; return the seconds until the artifact, and until it is applied."""

    async def seen(resource: Resource, holds: Callable[[Unstructured], bool]) -> float:
        await until(client, resource, "app", NAMESPACE, holds)
        return time.perf_counter() - start

    token = {"reconcile.fluxcd.io/requestedAt": f"push-{number}"}
    start = time.perf_counter()
    revision = repository.push(tree(number))
    artifact = asyncio.create_task(seen(GIT, stored(revision)))
    whole = asyncio.create_task(seen(KUSTOMIZATIONS, applied(revision)))
    await client.patch(GIT, "app", {"metadata": {"annotations": token}}, NAMESPACE)
    return await artifact, await whole


async def measure(harness: Harness, pushes: int) -> list[tuple[float, float]]:
    """Push one after the other."""
    repository = harness.repository("app")
    async with harness.client() as client:
        await prepare(client, repository)
        return [await push(client, repository, number) for number in range(1, pushes + 1)]


def main(pushes: int) -> int:
    """Measure, print, and return 1 where the bar is not met."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        harness = Harness(Path(folder))
        try:
            harness.start_plane()
            harness.define()
            harness.start_githost()
            harness.start_source()
            harness.start_controller("fluvial.kustomize")
            times = asyncio.run(measure(harness, pushes))
        finally:
            harness.close()
    for name, column in zip(("artifact", "applied"), zip(*times, strict=True), strict=True):
        print(
            f"push to {name}: median {statistics.median(column):.3f} s, "
            f"slowest {max(column):.3f} s of {pushes}"
        )
    median = statistics.median(whole for _, whole in times)
    if median > BAR:
        print(f"the median of {median:.3f} s is over {BAR} s")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
