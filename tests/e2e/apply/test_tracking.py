"""Metadata watches tell which applied objects need no look, on a server with real bookkeeping."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from fluvial.toolkit import Key, RealClock
from fluvial.toolkit.apply import Applier, Owner
from fluvial.toolkit.apply.tracking import Tracker
from fluvial.toolkit.apply.unmoved import Verdict

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"
LABEL = f"{GROUP}/name"
WITHIN = 60.0


class Tracked:
    """A tracker, and what it says moved."""

    def __init__(self, client, tasks):
        self.moved = []
        self._news = asyncio.Event()
        self.tracker = Tracker(
            client,
            RealClock(),
            tasks,
            manager=MANAGER,
            label=LABEL,
            controls=[f"{GROUP}/ssa"],
            moved=self._on_moved,
        )

    def _on_moved(self, obj):
        self.moved.append(obj["metadata"]["name"])
        self._news.set()

    async def until(self, resource, key, verdict):
        """Wait until the tracker says so; nothing but watches may tell it."""
        async with asyncio.timeout(WITHIN):
            while self.tracker.verdict(resource, key) is not verdict:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.01)

    async def until_moved(self):
        async with asyncio.timeout(WITHIN):
            await self._news.wait()
        self._news.clear()


@pytest.fixture
def tracking(client):
    @asynccontextmanager
    async def begin():
        async with asyncio.TaskGroup() as tasks:
            tracked = Tracked(client, tasks)
            yield tracked
            for resource in list(tracked.tracker._watched):
                keys = [Key("default", "web"), Key("default", "a")]
                tracked.tracker.forget(resource, keys)

    return begin


@pytest.fixture
def keep(client, config):
    """Apply an object and verify it with the answer; also as somebody else."""
    applier = Applier(client, MANAGER, Owner(GROUP, "apps", "flux-system"))

    async def apply(tracked, obj):
        resource = await client.resource_of(obj)
        key = Key("default", obj["metadata"]["name"])
        tracked.tracker.expect(resource, [key])
        await applier.apply([obj])
        tracked.tracker.verified(resource, await client.get(resource, key.name, key.namespace))
        await tracked.until(resource, key, Verdict.UNMOVED)
        tracked.moved.clear()
        tracked._news.clear()
        return resource, key

    return apply


async def test_edits_strips_and_deletions_are_seen_and_the_rest_is_not(
    tracking, keep, client, deployment
):
    async with tracking() as tracked:
        resource, key = await keep(tracked, deployment())
        status = {"status": {"replicas": 1, "observedGeneration": 1}}
        await client.patch(resource, "web", status, "default", subresource="status")
        note = {"metadata": {"annotations": {"note": "theirs"}}}
        answer = await client.patch(resource, "web", note, "default")
        # Both have been shown once a third change of the same object is.
        paused = {"spec": {"paused": True}}
        await client.patch(resource, "web", paused, "default")
        await tracked.until_moved()
        assert tracked.moved == ["web"], "status and other people's annotations are no movement"
        assert tracked.tracker.verdict(resource, key) is Verdict.CHANGED
        assert answer["metadata"]["generation"] == 1

        await keep(tracked, deployment())
        strip = {"metadata": {"labels": {LABEL: None}}}
        await client.patch(resource, "web", strip, "default")
        await tracked.until_moved()
        assert tracked.tracker.verdict(resource, key) is Verdict.UNSEEN, "out of the selection"

        await keep(tracked, deployment())
        control = {"metadata": {"annotations": {f"{GROUP}/ssa": "Ignore"}}}
        await client.patch(resource, "web", control, "default")
        await tracked.until_moved()
        assert tracked.tracker.verdict(resource, key) is Verdict.DISOWNED

        await client.delete(resource, "web", "default")
        await tracked.until_moved()
        assert tracked.tracker.verdict(resource, key) is Verdict.UNSEEN


async def test_a_config_map_is_looked_at_after_every_change(tracking, keep, client, config_map):
    async with tracking() as tracked:
        resource, key = await keep(tracked, config_map())
        await client.patch(resource, "a", {"metadata": {"annotations": {"note": "x"}}}, "default")
        await tracked.until_moved()
        assert tracked.tracker.verdict(resource, key) is Verdict.CHANGED
        assert tracked.tracker.ask(resource, key) == 0.0
        assert 0.0 < tracked.tracker.ask(resource, key) <= 10.0, "one look in ten seconds"


async def test_a_new_process_knows_nothing_until_it_has_verified(
    tracking, keep, client, config_map
):
    async with tracking() as tracked:
        resource, key = await keep(tracked, config_map())
    async with tracking() as tracked:
        tracked.tracker.expect(resource, [key])
        assert tracked.tracker.verdict(resource, key) is Verdict.UNVERIFIED
        live = await client.get(resource, key.name, key.namespace)
        tracked.tracker.verified(resource, live)
        await tracked.until(resource, key, Verdict.UNMOVED)


async def test_only_metadata_and_only_applied_objects_are_read(
    tracking, keep, client, config_map, plane
):
    async with tracking() as tracked:
        resource, key = await keep(tracked, config_map())
        for number in range(3):
            other = config_map(f"other-{number}")
            other["metadata"]["labels"] = {LABEL: "someone"}
            await client.create(resource, other, "default")
        await client.patch(resource, "a", {"data": {"key": "edited"}}, "default")
        await tracked.until_moved()
        assert tracked.moved == ["a"]
        ledger, _, _ = tracked.tracker._watched[resource]
        assert ledger.keys() == [key]
