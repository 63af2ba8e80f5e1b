"""How an attempt goes from what was decided to conditions, counters and events."""

from types import SimpleNamespace

import pytest

from fluvial.helm import loop
from fluvial.helm.digests import config_digest
from fluvial.helm.errors import ActionFailed, ChartUnusable
from fluvial.helm.flags import HelmFlags
from fluvial.helm.snapshots import remember
from fluvial.helm.state import Desired
from fluvial.toolkit import Stalled, Transient, conditions
from fluvial.toolkit.testing import FakeClock


class Context:
    """As much of a context as the loop uses; remembers events and counts writes."""

    def __init__(self, obj):
        self.obj = obj
        self.clock = FakeClock()
        self.events = []
        self.patched = 0

    def mark(self, type, status, reason, message):
        conditions.mark(self.obj, type, status, reason, message, now=self.clock.now())

    def event(self, type, reason, *_):
        self.events.append((type, reason))

    async def patch_status(self):
        self.patched += 1


class Attempt:
    """An attempt whose actions are scripted: each step is a record that it leaves, or an error."""

    def __init__(self, obj, stored=()):
        self.ctx = Context(obj)
        self.flags = HelmFlags()
        self.stored = list(stored)
        self.storage = SimpleNamespace(created=False, records=self._records)
        self.records = []
        self.chart = SimpleNamespace(name="app", version="1.0.0")
        self.desired = Desired("app", "1.0.0", config_digest(None))
        self.forced = False
        self.retry_by_default = False
        self.title = "default/app"
        self.chart_text = "app@1.0.0"
        self.metadata = {"revision": "1.0.0"}
        self.acted = []

    @property
    def obj(self):
        return self.ctx.obj

    async def announce(self, *_):
        await self.ctx.patch_status()

    async def _records(self):
        return list(self.stored)

    def script(self, monkeypatch, **steps):
        for name, left in steps.items():
            monkeypatch.setattr(loop, name, self._act(name, list(left)))

    def _act(self, name, left):
        async def act(it, *arguments):
            self.acted.append(name)
            record, error = left.pop(0)
            if record is not None:
                self.stored.insert(0, record)
                self.storage.created = True
                remember(self.obj, record, "sha256", name)
            if error is not None:
                raise error

        return act


def ready(it):
    found = conditions.get(it.obj, "Ready")
    return found and (found.status, found.reason)


async def test_an_install_that_works_is_ready(model, record, monkeypatch):
    it = Attempt(model())
    it.script(monkeypatch, install=[(record(), None)])
    await loop.release(it)
    assert ready(it) == ("True", "InstallSucceeded")
    assert it.ctx.events == [("Normal", "InstallSucceeded")]
    assert it.obj.status.failures == 0


async def test_a_failure_without_a_record_counts_for_nothing_and_is_retried(model, monkeypatch):
    it = Attempt(model())
    it.script(monkeypatch, install=[(None, ChartUnusable("app/templates/a.yaml:3: no"))])
    with pytest.raises(Transient, match=r"app/templates/a\.yaml:3") as caught:
        await loop.release(it)
    assert caught.value.reason == "InstallFailed"
    assert (it.obj.status.failures, it.obj.status.install_failures) == (1, 0)


async def test_the_last_failure_stalls_and_ready_says_what_failed(model, record, monkeypatch):
    it = Attempt(model())
    it.script(monkeypatch, install=[(record(status="failed"), ActionFailed("timeout"))])
    with pytest.raises(Stalled, match=r"Failed to install after 1 attempt\(s\)") as caught:
        await loop.release(it)
    assert caught.value.ready is not None
    reason, message = caught.value.ready
    assert reason == "InstallFailed"
    assert message == "Helm install failed for release default/app with chart app@1.0.0: timeout"


async def test_a_failed_upgrade_is_rolled_back_and_the_attempt_ends(model, record, monkeypatch):
    old = record(chart_version="0.9.0")
    it = Attempt(model(upgrade={"remediation": {"retries": 1}}), [old])
    remember(it.obj, old, "sha256", "install")
    failed = record(version=2, status="failed")
    back = record(version=3, chart_version="0.9.0")
    it.script(monkeypatch, upgrade=[(failed, ActionFailed("timeout"))], rollback=[(back, None)])
    with pytest.raises(Transient, match=r"rollback to previous release default/app\.v1") as caught:
        await loop.release(it)
    assert it.acted == ["upgrade", "rollback"]
    assert caught.value.reason == "RollbackSucceeded"
    assert caught.value.told
    assert ready(it) == ("False", "RollbackSucceeded")
    assert it.obj.status.upgrade_failures == 1
    assert it.ctx.events == [("Warning", "UpgradeFailed"), ("Normal", "RollbackSucceeded")]


async def test_retrying_in_place_waits_for_its_interval(model, record, monkeypatch):
    strategy = {"name": "RetryOnFailure", "retryInterval": "30s"}
    it = Attempt(model(install={"strategy": strategy}))
    it.script(monkeypatch, install=[(record(status="failed"), ActionFailed("timeout"))])
    with pytest.raises(Transient) as caught:
        await loop.release(it)
    assert caught.value.retry_after == 30
    reconciling = conditions.get(it.obj, "Reconciling")
    assert reconciling is not None
    assert (reconciling.reason, reconciling.message) == (
        "ProgressingWithRetry",
        "retrying after 30s",
    )


async def test_a_force_upgrades_once(model, record, monkeypatch):
    it = Attempt(model(), [record()])
    remember(it.obj, record(), "sha256", "install")
    it.forced = True
    it.script(monkeypatch, upgrade=[(record(version=2), None)])
    await loop.release(it)
    assert it.acted == ["upgrade"]
    assert ready(it) == ("True", "UpgradeSucceeded")


async def test_a_release_in_sync_mends_its_conditions(model, record):
    it = Attempt(model(), [record()])
    remember(it.obj, record(), "sha256", "install")
    it.ctx.mark("Remediated", "True", "RollbackSucceeded", "back")
    await loop.release(it)
    assert conditions.get(it.obj, "Remediated") is None
    assert ready(it) == ("True", "InstallSucceeded")
    assert it.ctx.events == []


async def test_a_status_that_is_nobodys_is_an_error(model, record):
    it = Attempt(model(), [record(status="unknown")])
    remember(it.obj, it.stored[0], "sha256", "install")
    with pytest.raises(Transient, match="its newest record is 'unknown'") as caught:
        await loop.release(it)
    assert caught.value.reason == "StateError"
