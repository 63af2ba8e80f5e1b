"""A controller as its users see it: what it writes, when it tries again, what it survives."""

import asyncio

import pytest

from fluvial.apis.kinds import GIT_REPOSITORY, KUSTOMIZATION
from fluvial.toolkit import (
    Controller,
    Result,
    Stalled,
    Transient,
    Waiting,
    Watch,
    artifact_changed,
    key_of,
)
from fluvial.toolkit.testing import running

pytestmark = pytest.mark.usefixtures("api")


class Scripted:
    """Does what it is told, once per attempt; the last instruction goes on for ever."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = []
        self.finalized = []

    async def reconcile(self, ctx, obj):
        self.calls.append((obj.metadata.name, ctx.requested))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return await step(ctx, obj)

    async def finalize(self, _ctx, obj):
        self.finalized.append(obj.metadata.name)


async def succeed(ctx, obj):
    ctx.ready("ReconciliationSucceeded", "Applied revision: main@sha1:1")
    return Result(interval=600.0)


def conditions(obj):
    return {c["type"]: c for c in obj["status"].get("conditions", [])}


def is_ready(obj):
    return conditions(obj)["Ready"]["status"] == "True"


async def test_success_writes_the_conditions_that_kstatus_reads(api, make_manager, kustomization):
    api.put(kustomization())
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(succeed)))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
    status = api.get("Kustomization", "apps")["status"]
    assert status["observedGeneration"] == 1
    assert [c["type"] for c in status["conditions"]] == ["Ready"]
    ready = status["conditions"][0]
    assert ready["reason"] == "ReconciliationSucceeded"
    assert ready["observedGeneration"] == 1


async def test_a_new_generation_is_in_progress_before_the_work_begins(
    api, make_manager, kustomization
):
    seen = {}

    async def look(ctx, obj):
        seen.update(conditions(api.get("Kustomization", "apps")))
        return await succeed(ctx, obj)

    api.put(kustomization())
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(look)))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
    assert (seen["Ready"]["status"], seen["Ready"]["reason"]) == ("Unknown", "Progressing")
    assert (seen["Reconciling"]["status"], seen["Reconciling"]["reason"]) == ("True", "Progressing")


@pytest.mark.parametrize(
    ("error", "expected", "observed", "reason"),
    [
        pytest.param(
            Stalled("InvalidPath", "path ./x not found"),
            {"Ready": ("False", "InvalidPath"), "Stalled": ("True", "InvalidPath")},
            1,
            "only an edit helps: kstatus must say Failed",
            id="stalled",
        ),
        pytest.param(
            Transient("BuildFailed", "no such file"),
            {"Ready": ("False", "BuildFailed"), "Reconciling": ("True", "ProgressingWithRetry")},
            -1,
            "tried again: kstatus must say InProgress",
            id="transient",
        ),
        pytest.param(
            Waiting("DependencyNotReady", "default/db is not ready"),
            {"Ready": ("False", "DependencyNotReady"), "Reconciling": ("True", "Progressing")},
            -1,
            "no failure, so the reason of Reconciling stays",
            id="waiting",
        ),
        pytest.param(
            RuntimeError("boom"),
            {"Ready": ("False", "Failed"), "Reconciling": ("True", "ProgressingWithRetry")},
            -1,
            "a bug is contained and looks like any failure",
            id="bug",
        ),
    ],
)
async def test_each_class_of_error_leaves_its_conditions(  # noqa: PLR0917 - a table
    api,
    make_manager,
    kustomization,
    error,
    expected,
    observed,
    reason,
):
    api.put(kustomization())
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(error)))
    async with running(manager):
        await api.until(
            lambda: conditions(api.get("Kustomization", "apps"))["Ready"]["status"] == "False"
        )
    status = api.get("Kustomization", "apps")["status"]
    found = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert found == expected, reason
    assert status["observedGeneration"] == observed, reason


async def test_failures_back_off_and_success_resets(api, make_manager, kustomization, clock):
    api.put(kustomization())
    failure = Transient("BuildFailed", "no")
    script = Scripted(failure, failure, failure, succeed)
    manager = make_manager(clock)
    manager.add(Controller(KUSTOMIZATION, script))
    async with running(manager):
        for attempt, delay in enumerate((0.75, 1.5, 3.0), 1):
            left = await clock.scheduled(delay)
            await clock.advance(left - 0.01)
            assert len(script.calls) == attempt
            await clock.advance(0.01)
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
    assert len(script.calls) == 4


async def test_stalled_is_not_retried_but_a_new_spec_is(api, make_manager, kustomization, clock):
    api.put(kustomization())
    script = Scripted(Stalled("InvalidPath", "no"), succeed)
    manager = make_manager(clock)
    manager.add(Controller(KUSTOMIZATION, script))
    async with running(manager):
        await api.until(lambda: "Stalled" in conditions(api.get("Kustomization", "apps")))
        await clock.advance(24 * 3600)
        assert len(script.calls) == 1
        api.put(
            kustomization(path="./fixed") | {"status": api.get("Kustomization", "apps")["status"]}
        )
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
    assert "Stalled" not in conditions(api.get("Kustomization", "apps"))


async def test_an_unchanged_interval_pass_writes_nothing(api, make_manager, kustomization, clock):
    api.put(kustomization())
    script = Scripted(succeed)
    manager = make_manager(clock)
    manager.add(Controller(KUSTOMIZATION, script))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
        left = await clock.scheduled(600.0)
        before = len(api.writes())
        await clock.advance(left)
        await clock.scheduled(600.0)
        assert len(script.calls) == 2
        assert len(api.writes()) == before


async def test_a_request_is_answered_whatever_comes_out(api, make_manager, kustomization):
    token = "Monday, by hand"
    api.put(kustomization(annotations={"reconcile.fluxcd.io/requestedAt": token}))
    script = Scripted(Transient("BuildFailed", "no"))
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, script))
    async with running(manager):
        await api.until(
            lambda: api.get("Kustomization", "apps")["status"]["lastHandledReconcileAt"] == token
        )
    assert script.calls[0] == ("apps", token)


async def test_a_suspended_object_is_left_alone(api, make_manager, kustomization):
    api.put(kustomization("asleep", suspend=True))
    api.put(kustomization("awake"))
    script = Scripted(succeed)
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, script, concurrent=1))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "awake")))
    assert [name for name, _ in script.calls] == ["awake"]
    assert api.get("Kustomization", "asleep")["status"] == {"observedGeneration": -1}


async def test_the_finalizer_comes_first_and_goes_last(api, make_manager, kustomization):
    api.put(kustomization())
    script = Scripted(succeed)
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, script, finalizer="finalizers.fluxcd.io"))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
        assert api.writes()[0].body["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        resource = manager.client.typed(KUSTOMIZATION).resource
        await manager.client.delete(resource, "apps", "default")
        await api.until(lambda: not api.all("Kustomization"))
    assert script.finalized == ["apps"]


async def test_an_undecodable_object_does_not_stop_its_kind(api, make_manager, kustomization):
    bad = kustomization("bad")
    bad["spec"]["interval"] = {"not": "a duration"}
    api.put(bad)
    api.put(kustomization("good"))
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(succeed), concurrent=1))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "good")))
        await api.until(lambda: any(e["involvedObject"]["name"] == "bad" for e in api.all("Event")))
        await api.until(lambda: "Stalled" in conditions(api.get("Kustomization", "bad")))
    event = next(e for e in api.all("Event") if e["involvedObject"]["name"] == "bad")
    assert "spec.interval" in event["message"]
    stalled = conditions(api.get("Kustomization", "bad"))["Stalled"]
    assert stalled["reason"] == "Invalid"
    assert "spec.interval" in stalled["message"]
    assert b'fluvial_undecodable_objects{kind="Kustomization"} 1.0' in manager.metrics.expose()


async def test_a_stalled_object_is_not_written_again_when_nothing_changed(
    api, make_manager, kustomization
):
    for _ in range(2):
        if not api.all("Kustomization"):
            api.put(kustomization())
        script = Scripted(Stalled("InvalidPath", "no"))
        manager = make_manager()
        manager.add(Controller(KUSTOMIZATION, script))
        async with running(manager):
            await api.until(lambda: "Stalled" in conditions(api.get("Kustomization", "apps")))
            await api.until(lambda s=script: s.calls)
    writes = [r for r in api.writes() if "/kustomizations/" in r.path]
    assert len(writes) == 2, "the start and the end of the first attempt"


async def test_outcomes_are_counted(api, make_manager, kustomization):
    api.put(kustomization("good"))
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(succeed), concurrent=3))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "good")))
    text = manager.metrics.expose().decode()
    for line in (
        'controller_runtime_reconcile_total{controller="kustomization",result="requeue_after"} 1.0',
        'controller_runtime_max_concurrent_reconciles{controller="kustomization"} 3.0',
        'controller_runtime_active_workers{controller="kustomization"} 0.0',
        'workqueue_adds_total{controller="kustomization",name="kustomization"} 1.0',
    ):
        assert line in text
    labels = '{kind="Kustomization",name="good",namespace="default"}'
    assert f"gotk_reconcile_duration_seconds_count{labels} 1.0" in text


async def test_series_of_a_deleted_object_go(api, make_manager, kustomization):
    api.put(kustomization("gone"))
    api.put(kustomization("kept"))
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(succeed)))
    async with running(manager):
        await api.until(lambda: all(is_ready(o) for o in api.all("Kustomization")))
        api.drop("Kustomization", "gone")
        api.put(kustomization("after"))
        await api.until(lambda: is_ready(api.get("Kustomization", "after")))
    text = manager.metrics.expose().decode()
    assert 'name="kept"' in text
    assert 'name="gone"' not in text


async def test_a_changed_artifact_wakes_those_who_use_it(
    api, make_manager, kustomization, repository
):
    api.put(kustomization())
    api.put(repository())

    async def need_artifact(ctx, obj):
        source = await ctx.client.typed(GIT_REPOSITORY).get("app", "default")
        if source.status.artifact is None:
            raise Waiting("ArtifactFailed", "no artifact yet")
        obj.status.last_applied_revision = source.status.artifact.revision
        return await succeed(ctx, obj)

    manager = make_manager()
    manager.add(
        Controller(
            KUSTOMIZATION,
            Scripted(need_artifact),
            watches=[
                Watch(
                    GIT_REPOSITORY,
                    lambda source, store: [
                        key_of(user)
                        for user in store.by_index("source", source["metadata"]["name"])
                    ],
                    artifact_changed,
                )
            ],
            indexes={"source": lambda obj: [obj["spec"]["sourceRef"]["name"]]},
        )
    )
    async with running(manager):
        await api.until(
            lambda: conditions(api.get("Kustomization", "apps"))["Ready"]["status"] == "False"
        )
        api.put(repository(revision="main@sha1:1"))
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
    assert api.get("Kustomization", "apps")["status"]["lastAppliedRevision"] == "main@sha1:1"


async def test_an_attempt_sees_what_the_one_before_wrote(api, make_manager, kustomization):
    """The watch is held back: an inventory must not be forgotten because the cache lags."""
    api.put(kustomization())
    revisions = []

    async def twice(ctx, obj):
        revisions.append(obj.status.last_applied_revision)
        obj.status.last_applied_revision = f"r{len(revisions)}"
        ctx.ready("ReconciliationSucceeded", f"r{len(revisions)}")
        return Result(requeue=len(revisions) < 2)

    manager = make_manager(min_retry_delay=0.01, max_retry_delay=0.01)
    api_events = api._since

    async def muted(collection, version):
        async for event in api_events(collection, version):
            if collection.resource.kind != "Kustomization":
                yield event

    api._since = muted
    manager.add(Controller(KUSTOMIZATION, Scripted(twice)))
    async with running(manager):
        await api.until(lambda: len(revisions) == 2)
    assert revisions == ["", "r1"]


async def test_the_label_selector_makes_a_shard(api, make_manager, kustomization):
    api.put(kustomization("ours", labels={"sharding.fluxcd.io/key": "one"}))
    api.put(kustomization("theirs", labels={"sharding.fluxcd.io/key": "two"}))
    script = Scripted(succeed)
    manager = make_manager(watch_label_selector="sharding.fluxcd.io/key=one")
    manager.add(Controller(KUSTOMIZATION, script))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "ours")))
    assert [name for name, _ in script.calls] == ["ours"]


async def test_stopping_waits_for_what_is_in_progress(api, make_manager, kustomization):
    api.put(kustomization())
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(ctx, obj):
        begun.set()
        await release.wait()
        return await succeed(ctx, obj)

    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(slow)))
    async with running(manager):
        await begun.wait()
        manager.stop()
        release.set()
    assert is_ready(api.get("Kustomization", "apps"))


async def test_a_long_wait_hears_that_its_object_changed(api, make_manager, kustomization):
    api.put(kustomization())
    interrupted = []

    async def wait(ctx, obj):
        if obj.metadata.generation == 1:
            api.put(kustomization(path="./new"))
            await ctx.interrupted.wait()
            interrupted.append(obj.metadata.generation)
        return await succeed(ctx, obj)

    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(wait)))
    async with running(manager):
        await api.until(
            lambda: api.get("Kustomization", "apps")["status"]["observedGeneration"] == 2
        )
    assert interrupted == [1]


async def test_attempts_without_a_wait_leave_the_loop_to_others(api, make_manager, kustomization):
    """Objects that come back at once, and never suspend, hold nothing up for long."""
    turns = []

    class Restless:
        async def reconcile(self, *_):
            turns.append("attempt")
            return Result(requeue_after=0.0)

    for name in ("apps", "infra"):
        api.put(kustomization(name))
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Restless(), concurrent=2))
    async with asyncio.timeout(30), running(manager):
        while turns.count("attempt") < 500:
            await asyncio.sleep(0)
            turns.append("loop")
    longest = max(len(run) for run in "".join(turn[0] for turn in turns).split("l"))
    assert longest <= 4


async def test_credentials_in_an_error_reach_neither_status_nor_events(
    api, make_manager, kustomization
):
    api.put(kustomization())
    error = RuntimeError("fetching https://bot:hunter2@example.com/app.git failed")
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(error)))
    async with running(manager):
        await api.until(lambda: api.all("Event"))
    assert "hunter2" not in repr(api.get("Kustomization", "apps"))
    assert "hunter2" not in repr(api.all("Event"))
    assert "example.com/app.git" in repr(api.all("Event"))


def test_a_finalizer_needs_a_finalize():
    class Plain:
        async def reconcile(self, _ctx, _obj):
            return Result()

    with pytest.raises(TypeError, match=r"no finalize\(\)"):
        Controller(KUSTOMIZATION, Plain(), finalizer="finalizers.fluxcd.io")


async def test_ready_may_speak_of_another_thing_than_what_ended_the_attempt(
    api, make_manager, kustomization
):
    stalled = Stalled("RetriesExceeded", "Failed to install after 1 attempt(s)")
    stalled.ready, stalled.told = ("InstallFailed", "no such image"), True
    api.put(kustomization())
    manager = make_manager()
    manager.add(Controller(KUSTOMIZATION, Scripted(stalled)))
    async with running(manager):
        await api.until(lambda: "Stalled" in conditions(api.get("Kustomization", "apps")))
        found = conditions(api.get("Kustomization", "apps"))
    assert (found["Ready"]["reason"], found["Ready"]["message"]) == stalled.ready
    assert found["Stalled"]["reason"] == "RetriesExceeded"
    assert not api.all("Event")
