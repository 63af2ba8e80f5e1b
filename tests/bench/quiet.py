"""What a Kustomization costs while nothing changes: `python tests/bench/quiet.py`.

Real processes: a control plane and the kustomize controller, with a lease. 20 Kustomizations of 20
ConfigMaps each are applied and left alone. In the first interval after that every object is
verified, as in each pass of a controller that knows nothing; in those that follow nothing is asked.
Prints requests and CPU (workers included) of both, per minute at an interval of one minute, and
fails when a quiet pass asks anything but the lease, or takes more than BAR of the other's CPU.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from harness import Harness, until
from namespaces import Namespace
from offers import offering

from fluvial.apis.kinds import BUCKET, GIT_REPOSITORY, KUSTOMIZATION, OCI_REPOSITORY
from fluvial.toolkit.client import resource_of_kind

KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
MODULE = "fluvial.kustomize"
OWNERS, OBJECTS = 20, 20
INTERVAL = 30
PASSES = 2
BAR = 0.2
TICKS = os.sysconf("SC_CLK_TCK")


def tree() -> dict[str, str]:
    """Return a folder of manifests for each Kustomization."""
    return {
        f"{owner}/{number}.yaml": (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{owner}-{number}\n"
            f"data:\n  key: '{'x' * 200}'\n"
        )
        for owner in range(OWNERS)
        for number in range(OBJECTS)
    }


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of its living descendants."""
    family, found, times = {pid}, True, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        times[int(path.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    while found:
        found = {one for one, (parent, _) in times.items() if parent in family} - family
        family |= found
    return sum(times[one][1] for one in family if one in times) / TICKS


class Meter:
    """Requests and CPU of the controller since the last reading."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._pid = harness.process(MODULE).pid
        self.read()

    def read(self) -> tuple[int, float]:
        """Return the requests, without watches and the lease, and the seconds of CPU."""
        requests = sum(
            line["userAgent"].startswith("kustomize-controller")
            and line["verb"] != "watch"
            and "/leases/" not in line["path"]
            for line in self._harness.requests()
        )
        now = requests, cpu_seconds(self._pid)
        before, self._last = getattr(self, "_last", now), now
        return now[0] - before[0], now[1] - before[1]


async def measure(harness: Harness, folder: Path) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return requests and CPU of the verification, and of PASSES quiet passes."""
    await harness.define_within([GIT_REPOSITORY, OCI_REPOSITORY, BUCKET, KUSTOMIZATION])
    harness.start_controller(MODULE, "--enable-leader-election=true", "--runtime-namespace=default")
    async with harness.client() as client, offering(folder) as offers:
        space = Namespace(harness, client, "default")
        revision = await offers.tree(space, tree())
        for owner in range(OWNERS):
            spec = {
                "interval": f"{INTERVAL}s",
                "prune": True,
                "path": f"./{owner}",
                "targetNamespace": "default",
                "sourceRef": {"kind": "GitRepository", "name": "app"},
            }
            await space.put(KUSTOMIZATIONS, f"app-{owner}", spec=spec)
        first = time.monotonic()
        for owner in range(OWNERS):
            await until(
                client,
                KUSTOMIZATIONS,
                f"app-{owner}",
                "default",
                lambda obj: obj["status"]["lastAppliedRevision"] == revision,
            )
        took = time.monotonic() - first
        if took > INTERVAL / 2:
            raise SystemExit(f"applying took {took:.1f} s: the machine is too busy to measure")
        meter = Meter(harness)
        await asyncio.sleep(1.5 * INTERVAL - took)
        verified = meter.read()
        await asyncio.sleep(0.5 * INTERVAL)
        meter.read()
        await asyncio.sleep(PASSES * INTERVAL)
        return verified, meter.read()


def main() -> int:
    """Measure, print, and fail when a bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder))
        try:
            harness.start_plane(standins=False)
            verified, quiet = asyncio.run(measure(harness, Path(folder)))
        finally:
            harness.close()
    ratio = quiet[1] / PASSES / verified[1]
    print(f"{OWNERS} Kustomizations of {OBJECTS} objects, per pass of all:")
    print(f"everything verified: {verified[0]} requests, {verified[1]:.2f} s of CPU")
    print(f"nothing changed: {quiet[0] / PASSES:g} requests, {quiet[1] / PASSES:.2f} s of CPU")
    print(f"CPU: {ratio:.3f} (bar <= {BAR})")
    missed = quiet[0] > 0 or ratio > BAR
    print("MISSED" if missed else "ok")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
