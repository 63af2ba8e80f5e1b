"""What is known without asking, and when it is no longer."""

import asyncio

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.meta import Artifact
from fluvial.kustomize.known import Known, Unknown
from fluvial.kustomize.proofs import _inputs
from fluvial.toolkit import CONFIG_MAP, Informer, Selection
from fluvial.toolkit.testing import FakeClock

DONE = ("True", "ReconciliationSucceeded")
INTERVAL = 47.0
"""No other timer is due then."""


class Passes:
    """Moves time from pass to pass."""

    def __init__(self, api):
        self.clock = FakeClock()
        self._api = api

    async def heard(self):
        """Let time pass until every watch has told what there is: some connect again first."""
        proofs, begun = self._api.proofs, self.clock.monotonic()
        self._api.bookmark()
        async with asyncio.timeout(10):
            while self.clock.monotonic() < begun + INTERVAL / 2:
                tracked = [one.informer for one in proofs._tracker._watched.values()]
                informers = [*proofs._known._informers.values(), proofs._tracker._definitions]
                informers += [one for one in tracked if one]
                if self.clock.monotonic() > begun + 3 and all(
                    one.synced.is_set() and int(one._version or 0) >= self._api.now
                    for one in informers
                    if one.last_seen >= 0
                ):
                    return
                await self.clock.advance(0.5)
                await asyncio.sleep(0.01)

    async def step(self, *, listening=True):
        """Let the interval pass; returns the objects that were dry-run, and all that was asked."""
        begun = self.clock.monotonic()
        if listening:
            await self.heard()
        before = len(self._api.requests)
        await self.clock.advance(INTERVAL - (self.clock.monotonic() - begun))
        await self.clock.scheduled(INTERVAL)
        asked = [r for r in self._api.requests[before:] if not r.watch]
        return [r.path.rpartition("/")[2] for r in asked if "dryRun" in r.query], asked


@pytest.fixture
async def quiet(api, source, running_controller, kustomization, config_map, monkeypatch):  # noqa: PLR0917  fixtures
    """Run a controller that knows of two ConfigMaps that nothing has changed."""
    passes = Passes(api)
    monkeypatch.setattr("fluvial.kustomize.proofs._SWEEP_INTERVALS", 1000)
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization(interval="47s"))
    async with running_controller(passes.clock, interval_jitter_percentage=0):
        await api.until_ready(*DONE)
        await passes.clock.scheduled(INTERVAL)
        assert (await passes.step())[0] == ["a", "b"]
        assert await passes.step() == ([], [])
        yield passes


def edit(api, name, value):
    live = api.get("ConfigMap", name)
    api.put({**live, "data": {"key": value}})


async def test_a_gap_of_the_watch_hides_nothing(api, quiet):
    api.close_watches()
    edit(api, "b", "by hand")
    api.compact()
    assert (await quiet.step())[0] == ["b"]
    assert api.get("ConfigMap", "b")["data"] == {"key": "1"}
    assert (await quiet.step())[0] == ["b"], "what was written is verified"
    assert await quiet.step() == ([], [])


async def test_watches_without_a_sign_of_life_say_nothing(api, quiet):
    dry, _ = await quiet.step(listening=False)
    assert dry == ["a", "b"], "the last bookmark is 91 s old"
    assert await quiet.step() == ([], []), "they were alive all the time"


async def test_an_inventory_that_somebody_edits_is_no_proof(api, quiet):
    live = api.get("Kustomization", "apps")
    entries = live["status"]["inventory"]["entries"][:1]
    api.put({**live, "status": {**live["status"], "inventory": {"entries": entries}}})
    assert (await quiet.step())[0] == ["a", "b"]
    assert len(api.status()["inventory"]["entries"]) == 2


async def test_an_artifact_of_the_same_revision_is_another_input(api, source, quiet, config_map):
    revision = api.status()["lastAppliedRevision"]
    await source.push(
        {"a.yaml": config_map("a"), "b.yaml": config_map("b", "2")}, revision=revision
    )
    await api.until(lambda: api.get("ConfigMap", "b")["data"] == {"key": "2"})
    await quiet.clock.scheduled(INTERVAL)
    assert (await quiet.step())[0] == ["b"]


async def test_what_is_pruned_and_what_is_deleted_is_followed_no_longer(
    api, source, quiet, config_map
):
    tracker = api.proofs._tracker
    (watched,) = tracker._watched.values()
    assert len(watched.ledger) == 2
    await source.push({"a.yaml": config_map("a")})
    await api.until(lambda: not api.has("ConfigMap", "b"))
    await api.until(lambda: len(api.status()["inventory"]["entries"]) == 1)
    await quiet.step()
    assert len(watched.ledger) == 1
    live = api.get("Kustomization", "apps")
    api.put({**live, "metadata": {**live["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    await api.until(lambda: not api.has("Kustomization", "apps"))
    assert not tracker._watched


def parsed(metadata=None, **spec):
    """Decode a Kustomization."""
    raw = {
        "metadata": {"uid": "u", "namespace": "default", "name": "apps"} | (metadata or {}),
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            **spec,
        },
    }
    return decode(KUSTOMIZATION, raw)


ARTIFACT = {
    "path": "1.tar.gz",
    "url": "http://localhost/1.tar.gz",
    "last_update_time": "2026-01-01T00:00:00Z",
    "revision": "main@sha1:1",
    "digest": "sha256:a",
    "metadata": {},
}


@pytest.mark.parametrize(
    ("obj", "artifact", "variables", "reason"),
    [
        (parsed(path="b"), {}, b"", "another spec"),
        (parsed({"uid": "v"}), {}, b"", "deleted and created anew"),
        (
            parsed({"annotations": {"fluvial.dev/allow-prune-all": "true"}}),
            {},
            b"",
            "an annotation that allows more",
        ),
        (parsed(), {"digest": "sha256:b"}, b"", "other files"),
        (parsed(), {"revision": "main@sha1:2"}, b"", "another revision"),
        (parsed(), {"metadata": {"x": "y"}}, b"", "made from something else"),
        (parsed(), {}, b"v", "other variables"),
    ],
)
def test_inputs_differ_with_everything_that_counts(obj, artifact, variables, reason):
    known = _inputs(parsed(), Artifact(**ARTIFACT), b"")
    assert known == _inputs(parsed({"labels": {"x": "y"}}), Artifact(**ARTIFACT), b"")
    assert _inputs(obj, Artifact(**ARTIFACT | artifact), variables) != known, reason


async def test_what_no_living_watch_shows_is_unknown():
    clock = FakeClock()
    informer = Informer(None, Selection(CONFIG_MAP), clock)
    known = Known({CONFIG_MAP: informer})
    one = (CONFIG_MAP, "a", "default")
    with pytest.raises(Unknown):
        await known.get(*one)
    metadata = {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    informer.store.put({"metadata": metadata})
    informer._signal()
    assert (await known.get(*one))["metadata"] == metadata
    assert await known.versions([one]) == ["u/7"]
    assert await known.versions([one, (CONFIG_MAP, "b", "default")]) is None
    await clock.advance(91)
    assert await known.versions([one]) is None
