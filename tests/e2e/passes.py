"""A kustomize controller whose time stands still, so that each pass is one step of a test.

A suite's conftest imports the fixture: `from passes import passes`.
"""

import asyncio
import itertools
from contextlib import asynccontextmanager

import msgspec
import pytest
from harness import WITHIN, is_established, until
from namespaces import Namespace
from offers import offering

from fluvial.apis.crds import crd
from fluvial.apis.kinds import BUCKET, GIT_REPOSITORY, KUSTOMIZATION, OCI_REPOSITORY
from fluvial.cluster.plane import ControlPlane, Options
from fluvial.kustomize.building import Builder
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.jobs import BUILD_JOB
from fluvial.kustomize.main import controller, watches
from fluvial.kustomize.proofs import Proofs
from fluvial.kustomize.reconciler import MANAGER
from fluvial.toolkit import CONFIG_MAP, Client, ClusterConfig, Key, Manager, Resource
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.identity import enter_identities
from fluvial.toolkit.references import DEFINITIONS
from fluvial.toolkit.rendering import enter_rendering
from fluvial.toolkit.testing import FakeClock, running

__all__ = ["APP", "INTERVAL", "KUSTOMIZATIONS", "WIDGETS", "Passes", "passes", "widgets"]

INTERVAL = 47.0
"""Seconds between two passes: for long no other timer is due then, as those of a minute are not."""

_GATHER = 3.0
"""Seconds after which the list of a new watch has begun."""

_STUCK = 200
"""After so many looks in vain, 10 ms from each other, a watch is taken for ended."""

WIDGETS = Resource("example.com", "v1", "widgets", "Widget")
APP = Key("default", "app")
KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)


class Passes:
    """One namespace of a cluster with a controller; `step` is the next pass."""

    def __init__(self, plane, client, offers):
        self.plane = plane
        self.client = client
        self.offers = offers
        self.clock = FakeClock()
        self.space = Namespace(None, client, "default")
        self.proofs = None
        self.deaf = set()
        """Endpoints that nobody may watch."""
        self._beats = itertools.count(1)

    @asynccontextmanager
    async def controller(self, **changes):
        """Run a controller; the next one knows nothing of what it knew."""
        flags = KustomizeFlags(
            **{"metrics_addr": "0", "health_addr": "0", "interval_jitter_percentage": 0, **changes}
        )
        config = ClusterConfig.plain(
            self.plane.url, token=self.plane.token, ca=self.plane.ca.encode()
        )
        manager = Manager(MANAGER, flags, config, clock=self.clock)
        fetcher, pool = await enter_rendering(manager, MANAGER, BUILD_JOB, 0)
        identities = await enter_identities(manager, "ReconciliationFailed")
        self.proofs = Proofs(flags, watches(flags), MANAGER)
        manager.add_task("proofs", self.proofs.run)
        manager.add(controller(Builder(fetcher, pool, flags), identities, flags, self.proofs))
        async with running(manager):
            yield manager

    async def kustomization(self, name="app", **spec):
        wanted = {
            "interval": f"{INTERVAL:g}s",
            "prune": True,
            "targetNamespace": "default",
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            **spec,
        }
        await self.space.put(KUSTOMIZATIONS, name, spec=wanted)

    async def push(self, files, name="app"):
        return await self.offers.tree(self.space, files, name)

    async def until_applied(self, revision, name="app"):
        """Wait for the end of the attempt that a change has begun."""

        def holds(obj):
            ready = next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")
            return ready["status"] == "True" and obj["status"]["lastAppliedRevision"] == revision

        await until(self.client, KUSTOMIZATIONS, name, "default", holds)
        await self.clock.scheduled(INTERVAL)

    async def until_passed(self):
        """Wait for the end of a pass that is under way."""
        await self.clock.scheduled(INTERVAL)

    async def step(self):
        """Let the interval pass and the pass end; returns what it has asked the server.

        As (verb, path), without the watches: they are no part of a pass.
        """
        left = await self._approach()
        before = len(self.requests())
        await self.clock.advance(left)
        await self.until_passed()
        return self.requests()[before:]

    async def elapse(self):
        """Let the interval pass, without waiting for what the pass does."""
        await self.clock.advance(await self._approach())

    async def _approach(self):
        """Let every watch tell what there is, those that begin now too; returns what time is left.

        For the pass to begin.
        """
        begun = self.clock.monotonic()
        await self._heard()
        await self.clock.advance(_GATHER)
        await self._heard()
        return begun + INTERVAL - self.clock.monotonic()

    async def until_quiet(self, steps=4):
        """Go on until a pass asks nothing; what was just applied is looked at once more."""
        for _ in range(steps):
            asked = await self.step()
            if not asked:
                return
        pytest.fail(f"the last of {steps} passes has asked {asked}")

    async def _heard(self):
        """Wait until every watch has told of what there is now, or that it is further.

        One that has ended (its definition has changed) begins again after a second: where nothing
        comes for long, time moves on.
        """
        data = {"beat": str(next(self._beats))}
        beat = await self.space.put(CONFIG_MAP, "heartbeat", data=data)
        revision = int(beat["metadata"]["resourceVersion"])
        async with asyncio.timeout(WITHIN):
            for informer in self._informers():
                if informer.selection.resource not in self.deaf:
                    for polls in itertools.count(1):
                        if int(informer._version or 0) >= revision:
                            break
                        await asyncio.sleep(0.01)
                        if not polls % _STUCK:
                            await self.clock.advance(1.5)

    def _informers(self):
        tracker = self.proofs._tracker
        found = [*self.proofs._known._informers.values(), tracker._definitions]
        return found + [one.informer for one in tracker._watched.values() if one.informer]

    def requests(self):
        """Return what the controller has asked so far, as (verb, path), without watches."""
        lines = [
            msgspec.json.decode(line)
            for line in self.plane.options.audit_log.read_bytes().splitlines()
        ]
        return [
            (line["verb"], line["path"])
            for line in lines
            if line["userAgent"].startswith(MANAGER) and line["verb"] != "watch"
        ]


@pytest.fixture
async def passes(tmp_path):
    """Run a cluster with the definitions that the controller watches."""
    options = Options(audit_log=tmp_path / "audit.jsonl", bookmark_interval=0.05)
    async with ControlPlane(options) as plane, offering(tmp_path) as offers:
        config = ClusterConfig.plain(plane.url, token=plane.token, ca=plane.ca.encode())
        async with Client(config, qps=0) as client:
            kinds = [GIT_REPOSITORY, OCI_REPOSITORY, BUCKET, KUSTOMIZATION]
            for kind in kinds:
                await client.create(DEFINITIONS, crd(kind))
            yield Passes(plane, client, offers)


async def widgets(client, **spec):
    """Define the kind Widget."""
    properties = {"size": {"type": "integer"}, **spec}
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    schema["properties"]["spec"]["properties"] = properties
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    version["schema"] = {"openAPIV3Schema": schema}
    definition = {
        "apiVersion": DEFINITIONS.api_version,
        "kind": DEFINITIONS.kind,
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }
    await client.patch(
        DEFINITIONS,
        "widgets.example.com",
        definition,
        type="apply",
        field_manager="tests",
        force=True,
    )
    await until(client, DEFINITIONS, "widgets.example.com", None, is_established)
