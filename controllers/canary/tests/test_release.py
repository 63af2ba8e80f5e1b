"""Whole ticks against an API server in memory: what is written, and in which order."""

import asyncio

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from fluvial.canary.configs import ConfigTracker
from fluvial.canary.exporter import Exporter
from fluvial.canary.flags import CanaryFlags
from fluvial.canary.release import run_tick
from fluvial.canary.routers import KubernetesRouter, Services, Weights
from fluvial.canary.status import StatusWriter
from fluvial.canary.tick import Parts
from fluvial.toolkit import Client, Key, Resource, logger
from fluvial.toolkit.testing import FakeApi, FakeClock

KEY = Key("default", "web")
SERVICES = Resource("", "v1", "services", "Service")


class Recorder:
    def __init__(self):
        self.events = []

    def event(self, _obj, type, reason, message):
        self.events.append((type, reason, message))


class Router:
    """Routes that only this test knows."""

    def __init__(self):
        self.weights = Weights(100, 0)
        self.written = []

    async def reconcile(self, _canary):
        self.written.append("reconcile")

    async def get(self, _canary):
        return self.weights

    async def set(self, _canary, weights):
        self.weights = weights
        self.written.append(weights)

    async def finalize(self, _canary):
        self.written.append("finalize")


class World:
    """One Canary `web` with its target, and everything around it."""

    def __init__(self, api, client, fakes):
        self.api = api
        self.fakes = fakes
        self.registry = CollectorRegistry()
        self.router = Router()
        self.recorder = Recorder()
        self.clock = FakeClock()
        self.parts = Parts(
            client=client,
            clock=self.clock,
            flags=CanaryFlags(mesh_provider="kubernetes"),
            recorder=self.recorder,
            exporter=Exporter(self.registry, version="1", provider="kubernetes"),
            log=logger("test"),
            checks=fakes.checks,
            hooks=fakes.hooks,
            alerts=fakes.alerts,
            services=Services(client),
            tracker=ConfigTracker(client),
            status=StatusWriter(client, self.clock),
            router=lambda name: KubernetesRouter() if name == "kubernetes" else self.router,
        )

    @property
    def status(self):
        return self.api.get("Canary", "web").get("status") or {}

    @property
    def phase(self):
        return self.status.get("phase", "")

    async def tick(self, number=1):
        for _ in range(number):
            await run_tick(self.parts, KEY)
            self.roll_out()

    async def tick_to(self, phase, limit=20):
        phases = []
        for _ in range(limit):
            await self.tick()
            phases.append(self.phase)
            if self.phase == phase:
                return phases
        raise AssertionError(f"never {phase}: {phases}")

    def roll_out(self):
        """Be the Deployment controller: every rollout is done at once."""
        for deployment in self.api.all("Deployment"):
            replicas = deployment["spec"].get("replicas", 1)
            counts = ("replicas", "updatedReplicas", "availableReplicas")
            generation = deployment["metadata"].get("generation", 1)
            status = {"observedGeneration": generation, **dict.fromkeys(counts, replicas)}
            if deployment.get("status") != status:
                self.api.put({**deployment, "status": status})

    def change(self, image):
        target = self.api.get("Deployment", "web")
        container = {"name": "web", "image": image}
        pods = {**target["spec"]["template"], "spec": {"containers": [container]}}
        self.api.put({**target, "spec": {**target["spec"], "template": pods}})

    def image(self, name):
        pods = self.api.get("Deployment", name)["spec"]["template"]["spec"]
        return pods["containers"][0]["image"]

    def metric(self, name, /, **labels):
        return self.registry.get_sample_value(name, labels)

    def said(self, part):
        return [event for event in self.recorder.events if part in event[2]]


@pytest.fixture
async def world(fakes):
    async with FakeApi([SERVICES]) as api, Client(api.config, qps=0) as client:
        yield World(api, client, fakes)


@pytest.fixture
def start(world, make):
    """Put a Canary and its target, and tick until it is initialized."""

    async def put(*, webhooks=(), initialized=True, **changes):
        analysis = changes.pop("analysis", {})
        hooks = [
            {"name": kind, "type": kind, "url": "http://hooks", **more} for kind, more in webhooks
        ]
        world.api.put(make.deployment())
        world.api.put(make.canary(analysis={"webhooks": hooks, **analysis}, **changes))
        if initialized:
            await world.tick_to("Initialized")

    return put


WEIGHTED = {"iterations": None, "stepWeight": 50, "maxWeight": 50}
GATEWAY = {"provider": "gatewayapi:v1"}


async def test_the_first_tick_says_that_it_initializes_with_all_fields(world, start):
    await start(initialized=False)
    await world.tick()
    status = world.status
    assert status["phase"] == "Initializing"
    assert (status["failedChecks"], status["canaryWeight"], status["iterations"]) == (0, 0, 0)
    [condition] = status["conditions"]
    assert (condition["type"], condition["status"]) == ("Promoted", "Unknown")
    assert condition["reason"] == "Initializing"


async def test_the_target_keeps_its_pods_until_the_primary_has_some(world, start):
    await start(initialized=False)
    await run_tick(world.parts, KEY)
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 1
    with pytest.raises(KeyError):
        world.api.get("Service", "web")
    world.roll_out()
    await world.tick()
    assert world.phase == "Initialized"
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 0
    assert world.api.get("Service", "web")["spec"]["selector"] == {"app": "web-primary"}
    assert world.status["lastPromotedSpec"] == world.status["lastAppliedSpec"] != ""
    assert world.fakes.alerts.sent[-1][0] == "info"


async def test_a_tick_without_anything_new_writes_nothing(world, start):
    await start()
    world.api.requests.clear()
    await world.tick()
    assert {request.method for request in world.api.requests} == {"GET"}


async def test_the_phases_of_a_blue_green_release(world, start):
    await start(webhooks=[("pre-rollout", {}), ("rollout", {}), ("post-rollout", {})])
    world.change("web:2")
    phases = await world.tick_to("Succeeded")
    # Up, two iterations, one more before promotion, promotion, and the way back.
    assert phases == ["Progressing"] * 4 + ["Promoting", "Finalising", "Succeeded"]
    assert world.image("web-primary") == "web:2"
    names = [name for name, *_ in world.fakes.hooks.called]
    assert names == ["pre-rollout", *["rollout"] * 3, "post-rollout"]
    assert world.fakes.hooks.called[-1][1] == "Succeeded"
    assert world.status["lastPromotedSpec"] == world.status["lastAppliedSpec"]
    labels = {"name": "web", "namespace": "default", "deployment_strategy": "blue-green"}
    outcome = {"analysis_status": "completed"}
    assert world.metric("flagger_canary_successes_total", **labels, **outcome) == 1


async def test_the_phases_of_a_weighted_release(world, start):
    analysis = {**WEIGHTED, "stepWeightPromotion": 50, "maxWeight": 100}
    await start(analysis=analysis, **GATEWAY)
    world.change("web:2")
    seen = []
    while not seen or seen[-1][0] != "Succeeded":
        await world.tick()
        seen.append((world.phase, world.status["canaryWeight"]))
    assert seen == [
        ("Progressing", 0),
        ("Progressing", 50),
        ("Progressing", 100),
        ("Promoting", 100),
        ("Promoting", 50),
        ("Finalising", 0),
        ("Succeeded", 0),
    ]
    written = [weights for weights in world.router.written if isinstance(weights, Weights)]
    assert written == [Weights(50, 50), Weights(0, 100), Weights(50, 50), Weights(100, 0)]
    assert world.metric("flagger_canary_weight", workload="web-primary", namespace="default") == 100


async def test_failed_checks_add_up_and_lead_back(world, start):
    await start(analysis=WEIGHTED, webhooks=[("post-rollout", {})], **GATEWAY)
    world.change("web:2")
    await world.tick(2)
    assert world.router.weights == Weights(50, 50)
    world.fakes.checks.failures = ["latency 1200 > 500"]
    await world.tick()
    assert (world.status["failedChecks"], world.phase) == (1, "Progressing")
    await world.tick()
    assert (world.status["failedChecks"], world.phase) == (2, "Progressing")
    await world.tick()
    status = world.status
    assert (status["phase"], status["failedChecks"], status["canaryWeight"]) == ("Failed", 0, 0)
    assert world.router.weights == Weights(100, 0)
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 0
    assert world.image("web-primary") == "web:1"
    assert world.fakes.hooks.called[-1][:2] == ("post-rollout", "Failed")
    assert world.fakes.alerts.sent[-1][0] == "error"
    assert world.said("latency 1200 > 500")
    assert world.metric("flagger_canary_status", name="web", namespace="default") == 2
    world.api.requests.clear()
    await world.tick()
    assert {request.method for request in world.api.requests} == {"GET"}, "upstream writes on"


async def test_back_to_the_good_revision_and_to_the_bad_one_again(world, start):
    await start()
    world.change("web:2")
    await world.tick()
    world.fakes.checks.failures = ["no"]
    await world.tick_to("Failed")
    world.change("web:1")
    await world.tick(2)
    assert world.phase == "Failed", "a revert starts nothing"
    world.change("web:2")
    await world.tick()
    assert world.phase == "Progressing", "but the bad revision is tried again"


async def test_a_revision_that_changes_during_the_run_starts_it_anew(world, start):
    await start(analysis=WEIGHTED, **GATEWAY)
    world.change("web:2")
    await world.tick(2)
    first = world.status["lastAppliedSpec"]
    world.change("web:3")
    await world.tick()
    assert (world.phase, world.status["canaryWeight"]) == ("Progressing", 0)
    assert world.router.weights == Weights(100, 0)
    assert world.status["lastAppliedSpec"] != first
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 1


async def test_a_closed_gate_holds_the_rollout_and_alerts_once(world, start):
    await start(webhooks=[("confirm-rollout", {})])
    world.fakes.hooks.closed.add("confirm-rollout")
    world.change("web:2")
    await world.tick(3)
    assert world.phase == "Waiting"
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 0
    assert [severity for severity, _ in world.fakes.alerts.sent].count("warn") == 1
    assert {call[1] for call in world.fakes.hooks.called} == {"Initialized", "Waiting"}
    world.fakes.hooks.closed.clear()
    await world.tick()
    assert world.phase == "Progressing"


async def test_a_muted_gate_alerts_nobody(world, start):
    await start(webhooks=[("confirm-rollout", {"muteAlert": True})])
    world.fakes.hooks.closed.add("confirm-rollout")
    world.change("web:2")
    await world.tick()
    assert world.phase == "Waiting"
    assert "warn" not in [severity for severity, _ in world.fakes.alerts.sent]


async def test_waiting_for_promotion_shows_the_weight_that_users_get(world, start):
    await start(analysis=WEIGHTED, webhooks=[("confirm-promotion", {})], **GATEWAY)
    world.fakes.hooks.closed.add("confirm-promotion")
    world.change("web:2")
    await world.tick_to("WaitingPromotion")
    assert (world.status["canaryWeight"], world.status["iterations"]) == (50, 0)
    world.fakes.hooks.closed.clear()
    await world.tick()
    assert world.phase == "Promoting"


async def test_the_promotion_gate_is_polled_every_second_tick_with_iterations(world, start):
    await start(webhooks=[("confirm-promotion", {})])
    world.fakes.hooks.closed.add("confirm-promotion")
    world.change("web:2")
    await world.tick_to("WaitingPromotion")
    assert world.status["iterations"] == 1
    asked = len(world.fakes.hooks.called)
    await world.tick(4)
    assert len(world.fakes.hooks.called) == asked + 2


async def test_a_rollback_gate_that_opens(world, start):
    await start(webhooks=[("rollback", {})])
    world.fakes.hooks.closed.add("rollback")
    world.change("web:2")
    await world.tick(2)
    assert world.phase == "Progressing"
    world.fakes.hooks.closed.clear()
    await world.tick()
    assert world.phase == "Failed"
    assert ("warn", "Rolling back manual webhook invoked") in world.fakes.alerts.sent


async def test_a_rejected_revision_that_waited_is_not_asked_for_again(world, start):
    await start(webhooks=[("rollback", {}), ("confirm-rollout", {})])
    world.fakes.hooks.closed |= {"rollback", "confirm-rollout"}
    world.change("web:2")
    await world.tick_to("Waiting")
    world.fakes.hooks.closed.discard("rollback")
    await world.tick_to("Failed")
    await world.tick(2)
    assert world.phase == "Failed"


async def test_skipped_analysis_promotes_at_once(world, start):
    await start(skipAnalysis=True)
    world.change("web:2")
    assert await world.tick_to("Succeeded") == ["Progressing", "Succeeded"]
    assert world.image("web-primary") == "web:2"
    labels = {"name": "web", "namespace": "default", "deployment_strategy": "blue-green"}
    outcome = {"analysis_status": "skipped"}
    assert world.metric("flagger_canary_successes_total", **labels, **outcome) == 1


async def test_a_stuck_primary_leaves_the_traffic_with_the_canary(world, start):
    await start(analysis=WEIGHTED, **GATEWAY)
    world.change("web:2")
    await world.tick_to("Promoting")
    primary = world.api.get("Deployment", "web-primary")
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    world.api.put({**primary, "status": {**primary["status"], "conditions": [late]}})
    await run_tick(world.parts, KEY)
    assert (world.phase, world.status["canaryWeight"]) == ("Failed", 100)
    assert world.router.weights == Weights(0, 100)
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 1


async def test_a_suspended_canary_is_left_alone(world, start):
    await start()
    canary = world.api.get("Canary", "web")
    world.api.put({**canary, "spec": {**canary["spec"], "suspend": True}})
    world.change("web:2")
    world.api.requests.clear()
    await world.tick()
    assert world.phase == "Initialized"
    assert {request.method for request in world.api.requests} == {"GET"}
    assert world.said("is suspended")


async def test_a_hash_of_the_go_controller_starts_nothing_when_the_primary_is_equal(world, start):
    await start()
    canary = world.api.get("Canary", "web")
    go = {"lastAppliedSpec": "85d557f47b", "lastPromotedSpec": "85d557f47b"}
    world.api.put({**canary, "status": {**canary["status"], **go}})
    await world.tick(2)
    assert world.phase == "Initialized"
    assert world.status["lastAppliedSpec"].startswith("v2:")
    assert world.status["lastPromotedSpec"] == world.status["lastAppliedSpec"]


async def test_a_hash_of_the_go_controller_hides_no_new_revision(world, start):
    await start()
    canary = world.api.get("Canary", "web")
    world.api.put({**canary, "status": {**canary["status"], "lastAppliedSpec": "85d557f47b"}})
    world.change("web:2")
    await world.tick()
    assert world.phase == "Progressing"


async def test_a_conflict_is_written_again(world, start):
    await start()
    world.change("web:2")
    status_writes = 0

    def conflict(request):
        nonlocal status_writes
        if request.method == "PATCH" and request.path.endswith("/status"):
            status_writes += 1
            if status_writes == 1:
                # Somebody labels the Canary between our read and our write.
                canary = world.api.get("Canary", "web")
                labels = {**canary["metadata"], "labels": {"team": "a"}}
                world.api.put({**canary, "metadata": labels})

    world.api.faults.append(conflict)
    tick = asyncio.create_task(world.tick())
    await world.clock.scheduled(0.1)
    await world.clock.advance(1)
    await tick
    assert (world.phase, status_writes) == ("Progressing", 2)
    assert world.api.get("Canary", "web")["metadata"]["labels"] == {"team": "a"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}}, "gone"),
        ({"targetRef": {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d"}}, "DaemonSet"),
        ({"service": None}, "spec.service is missing"),
    ],
)
async def test_what_cannot_be_run_is_told(world, start, changes, message):
    await start(initialized=False, **changes)
    await world.tick()
    [event] = world.said(message)
    assert event[:2] == ("Warning", "Synced")


async def test_a_deletion_waits_for_the_targets_pods(world, start):
    await start(revertOnDeletion=True, **GATEWAY)
    canary = world.api.get("Canary", "web")
    assert canary["metadata"]["finalizers"] == ["finalizer.flagger.app"]
    deleted = {**canary["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.api.put({**canary, "metadata": deleted})
    await run_tick(world.parts, KEY)
    assert world.phase == "Terminating"
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 1
    world.roll_out()
    await run_tick(world.parts, KEY)
    with pytest.raises(KeyError):
        world.api.get("Canary", "web")
    assert world.router.written[-1] == "finalize"


async def test_the_finalizer_goes_with_the_flag(world, start):
    await start(revertOnDeletion=True)
    canary = world.api.get("Canary", "web")
    world.api.put({**canary, "spec": {**canary["spec"], "revertOnDeletion": False}})
    await world.tick()
    assert world.api.get("Canary", "web")["metadata"]["finalizers"] == []


async def test_the_names_of_the_metrics(world, start):
    await start()
    world.change("web:2")
    await world.tick_to("Succeeded")
    world.parts.exporter.count(["default", "default"])
    exposed = generate_latest(world.registry).decode()
    for line in (
        'flagger_info{mesh_provider="kubernetes",version="1"} 1.0',
        'flagger_canary_total{namespace="default"} 2.0',
        'flagger_canary_status{name="web",namespace="default"} 1.0',
        'flagger_canary_weight{namespace="default",workload="web"} 0.0',
        'flagger_canary_metric_analysis{metric="latency",name="web",namespace="default"} 12.0',
        'flagger_canary_duration_seconds_count{name="web",namespace="default"}',
    ):
        assert line in exposed


async def test_metrics_that_cannot_be_asked_are_told_and_stop_nothing(world, start):
    world.fakes.checks.trouble = "connection refused"
    await start()
    assert world.said("Metrics are not available: connection refused")


async def test_a_canary_that_is_gone_is_nothing_to_do(world):
    await world.tick()
    assert world.recorder.events == []


@pytest.mark.parametrize("broken", range(12))
async def test_a_release_converges_wherever_a_write_is_lost(world, start, broken):
    """Fail the n-th write, as a crash before it would; the next ticks make up for it."""
    await start(analysis=WEIGHTED, initialized=False, **GATEWAY)
    writes = 0

    def lose(request):
        nonlocal writes
        if request.method == "GET":
            return None
        writes += 1
        return web.Response(status=403, text="lost") if writes == broken + 1 else None

    world.api.faults.append(lose)
    await world.tick_to("Initialized")
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 0
    world.change("web:2")
    await world.tick_to("Succeeded")
    assert writes > broken, "there are as many writes as cases"
    assert world.image("web-primary") == "web:2"
    assert world.router.weights == Weights(100, 0)
    assert world.api.get("Deployment", "web")["spec"]["replicas"] == 0
    assert len(world.said("lost")) == 1
