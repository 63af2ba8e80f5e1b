"""Metadata watches tell which applied objects need no look, on a server with real bookkeeping."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.apis.meta import IgnoreRule, Selector
from fluvial.cluster.http.faults import Fault
from fluvial.toolkit import Change, Key, RealClock
from fluvial.toolkit.apply import (
    Action,
    Applier,
    ApplyOptions,
    Claim,
    Entry,
    Owner,
    Tracker,
    Verdict,
)
from fluvial.toolkit.references import DEFINITIONS

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"
LABEL = f"{GROUP}/name"
OURS, THEIRS = b"ours".ljust(16), b"theirs".ljust(16)
WITHIN = 60.0


class Tracked:
    """A tracker, and an applier that tells it what it has verified."""

    def __init__(self, client, tasks, **options):
        self._client = client
        self.tracker = Tracker(
            client,
            RealClock(),
            tasks,
            manager=MANAGER,
            label=LABEL,
            controls=[f"{GROUP}/ssa"],
            **options,
        )

    async def apply(self, obj, inputs=OURS, *, name="apps", **options):
        """Apply one object; returns what has become of it."""
        claim = Claim(self.tracker, inputs, trusted=True)
        applier = Applier(self._client, MANAGER, Owner(GROUP, name, "flux-system"), claim=claim)
        return (await applier.apply([obj], ApplyOptions(**options))).changes[0]

    async def keep(self, obj):
        """Apply an object until it is known to be unmoved: a write is verified by the next look."""
        resource = await self._client.resource_of(obj)
        key = Key("default", obj["metadata"]["name"])
        if (await self.apply(obj)).changed:
            assert self.tracker.verdict(resource, key, OURS) is Verdict.UNVERIFIED
            assert (await self.apply(obj)).action is Action.UNCHANGED
        await self.until(resource, key, Verdict.UNMOVED)
        return resource, key

    async def until(self, resource, key, verdict):
        """Wait until the tracker says so; nothing but watches may tell it."""
        async with asyncio.timeout(WITHIN):
            while self.tracker.verdict(resource, key, OURS) is not verdict:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.01)


@pytest.fixture
def tracking(client, monkeypatch):
    monkeypatch.setattr("fluvial.toolkit.apply.tracking._GATHER", 0.0)

    @asynccontextmanager
    async def begin(**options):
        async def run(made):
            async with asyncio.TaskGroup() as tasks:
                made.set_result(Tracked(client, tasks, **options))

        made = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run(made))
        yield await made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return begin


async def test_edits_strips_and_deletions_are_seen_and_the_rest_is_not(
    tracking, client, deployment
):
    async with tracking() as tracked:
        resource, key = await tracked.keep(deployment())
        status = {"status": {"replicas": 1, "observedGeneration": 1}}
        await client.patch(resource, "web", status, "default", subresource="status")
        note = {"metadata": {"annotations": {"note": "theirs"}}}
        answer = await client.patch(resource, "web", note, "default", field_manager="robot")
        async with asyncio.timeout(WITHIN):
            version = int(answer["metadata"]["resourceVersion"])
            while tracked.tracker.shown(resource, key) < version:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.01)
        found = tracked.tracker.verdict(resource, key, OURS)
        assert found is Verdict.UNMOVED, "status and other people's annotations are no movement"
        assert tracked.tracker.verdict(resource, key, THEIRS) is Verdict.UNVERIFIED

        await client.patch(resource, "web", {"spec": {"paused": True}}, "default")
        await tracked.until(resource, key, Verdict.CHANGED)

        await tracked.keep(deployment())
        strip = {"metadata": {"labels": {LABEL: None}}}
        await client.patch(resource, "web", strip, "default")
        await tracked.until(resource, key, Verdict.UNSEEN)

        await tracked.keep(deployment())
        for field in ("annotations", "labels"):
            control = {"metadata": {field: {f"{GROUP}/ssa": "Merge"}}}
            await client.patch(resource, "web", control, "default", field_manager="robot")
            await tracked.until(resource, key, Verdict.DISOWNED)
            control["metadata"][field] = {f"{GROUP}/ssa": None}
            await client.patch(resource, "web", control, "default", field_manager="robot")
            await tracked.until(resource, key, Verdict.UNMOVED)

        await client.delete(resource, "web", "default")
        await tracked.until(resource, key, Verdict.UNSEEN)


async def test_what_former_managers_leave_is_to_be_cleaned_away(tracking, client, deployment):
    async with tracking() as tracked:
        resource, key = await tracked.keep(deployment())
        note = {"metadata": {"annotations": {"note": "x"}}}
        await client.patch(resource, "web", note, "default", field_manager="kubectl-annotate")
        await tracked.until(resource, key, Verdict.DISOWNED)
        assert (await tracked.apply(deployment())).action is Action.CONFIGURED


async def test_a_label_that_somebody_else_has_set_right_is_watched_by_version(
    tracking, client, deployment
):
    """It is not in our entry of managedFields, and so its changes show nowhere else."""
    web = deployment()
    web["metadata"]["labels"] = {"tier": "front"}
    async with tracking() as tracked:
        resource, key = await tracked.keep(web)
        for value in ("back", "front"):
            change = {"metadata": {"labels": {"tier": value}}}
            await client.patch(resource, "web", change, "default", field_manager="robot")
        await tracked.until(resource, key, Verdict.DISOWNED)
        assert (await tracked.apply(web)).action is Action.UNCHANGED
        await tracked.until(resource, key, Verdict.UNMOVED)
        change = {"metadata": {"labels": {"tier": "back"}}}
        await client.patch(resource, "web", change, "default", field_manager="robot")
        await tracked.until(resource, key, Verdict.CHANGED)


async def test_whether_drift_is_ignored_may_depend_on_what_others_write(
    tracking, client, deployment
):
    rule = IgnoreRule(paths=["/spec/replicas"], target=Selector(label_selector="scaled"))
    async with tracking() as tracked:
        resource, key = await tracked.keep(deployment())
        scaled = {"metadata": {"labels": {"scaled": "yes"}}, "spec": {"replicas": 3}}
        await client.patch(resource, "web", scaled, "default", field_manager="robot")
        await tracked.until(resource, key, Verdict.DISOWNED)
        assert (await tracked.apply(deployment(), ignore=[rule])).action is Action.UNCHANGED
        await tracked.until(resource, key, Verdict.UNMOVED)
        unscaled = {"metadata": {"labels": {"scaled": None}}}
        await client.patch(resource, "web", unscaled, "default", field_manager="robot")
        await tracked.until(resource, key, Verdict.CHANGED)
        assert (await tracked.apply(deployment(), ignore=[rule])).action is Action.CONFIGURED


async def test_a_config_map_is_looked_at_after_every_change(tracking, client, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
        note = {"metadata": {"annotations": {"note": "x"}}}
        await client.patch(resource, "a", note, "default", field_manager="robot")
        await tracked.until(resource, key, Verdict.CHANGED)


async def test_an_object_that_two_owners_apply_is_verified_for_one_of_them(tracking, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
        await tracked.apply(config_map(), THEIRS, name="others")
        await tracked.apply(config_map(), THEIRS, name="others")
        assert tracked.tracker.verdict(resource, key, OURS) is Verdict.UNVERIFIED
        assert (await tracked.apply(config_map())).action is Action.CONFIGURED


async def test_a_new_process_knows_nothing_until_it_has_verified(tracking, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
    async with tracking() as tracked:
        tracked.tracker.expect(resource, [key])
        assert tracked.tracker.verdict(resource, key, OURS) is Verdict.UNVERIFIED
        await tracked.apply(config_map())
        await tracked.until(resource, key, Verdict.UNMOVED)


async def test_only_metadata_and_only_applied_objects_are_kept(tracking, client, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
        for number in range(3):
            other = config_map(f"other-{number}")
            other["metadata"]["labels"] = {LABEL: "someone"}
            await client.create(resource, other, "default")
        await client.patch(resource, "a", {"data": {"key": "edited"}}, "default")
        await tracked.until(resource, key, Verdict.DISOWNED)
        assert tracked.tracker._watched[resource].ledger.keys() == [key]


async def test_another_definition_brings_its_objects_into_doubt(tracking, definition, widget):
    definition["spec"]["versions"][0]["subresources"] = {"status": {}}
    async with tracking() as tracked:
        await tracked.apply(definition)
        resource, key = await tracked.keep(widget())
        properties = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        properties["spec"]["properties"]["color"] = {"type": "string", "default": "red"}
        await tracked.apply(definition)
        await tracked.until(resource, key, Verdict.UNVERIFIED)


async def test_an_answer_by_an_older_definition_is_worth_nothing(tracking, client, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
        live = await client.get(resource, key.name, key.namespace)
        claim = Claim(tracked.tracker, OURS, trusted=False)
        epoch = claim.begin(resource, key)
        tracked.tracker._redefined(definition_changed("configmaps."))
        claim.verified(resource, live, config_map(), epoch)
        assert tracked.tracker.verdict(resource, key, OURS) is Verdict.UNVERIFIED


def definition_changed(name):
    return Change("updated", None, {"metadata": {"name": name, "resourceVersion": "2"}})


async def test_other_namespaces_than_the_watched_one_are_never_known(tracking, client, config_map):
    async with tracking(namespace="kube-system") as tracked:
        for _ in range(3):
            await tracked.apply(config_map())
        resource = await client.resource_of(config_map())
        assert tracked.tracker.verdict(resource, Key("default", "a"), OURS) is Verdict.UNVERIFIED
        assert not tracked.tracker._watched


async def test_without_a_watch_of_definitions_custom_kinds_are_always_in_doubt(  # noqa: PLR0917  fixtures
    tracking, client, plane, definition, widget, config_map
):
    await client.create(DEFINITIONS, definition)
    await client.mapper.refresh()
    for verb in ("watch", "list"):
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        plane.faults.add(Fault(path, verb=verb, count=None, status=403))
    async with tracking() as tracked:
        for _ in range(2):
            await tracked.apply(widget())
        resource = await client.resource_of(widget())
        await tracked.until(resource, Key("default", "w"), Verdict.SILENT)
        await tracked.keep(config_map())


async def test_the_last_object_that_is_forgotten_ends_the_watch(tracking, config_map):
    async with tracking() as tracked:
        resource, key = await tracked.keep(config_map())
        identity = ObjectId("", "ConfigMap", key.namespace, key.name)
        task = tracked.tracker._watched[resource].task
        tracked.tracker.forget(Entry(identity, "v2"))
        assert tracked.tracker.verdict(resource, key, OURS) is Verdict.UNMOVED, "another version"
        tracked.tracker.forget(Entry(identity, "v1"))
        assert tracked.tracker.verdict(resource, key, OURS) is Verdict.UNVERIFIED
        await asyncio.wait([task], timeout=WITHIN)
        assert task.cancelled()
