"""A prune waits for the others of its source, and not for ever."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.handover import is_behind
from fluvial.toolkit.testing import FakeClock

REVISION = "main@sha1:new"


def kustomization(name, spec=None, status=None, **metadata):
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "default", "generation": 2, **metadata},
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            **(spec or {}),
        },
        "status": status or {},
    }


def attempted(ready="True", revision=REVISION, generation=2):
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "R",
        "message": "",
        "observedGeneration": generation,
    }
    return {"lastAttemptedRevision": revision, "conditions": [condition]}


@dataclass
class Other:
    reason: str
    behind: bool
    status: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


OTHERS = [
    Other("it has never been reconciled", True),
    Other("it is at an earlier revision", True, attempted(revision="main@sha1:old")),
    Other("it is at work on this one", True, attempted("Unknown")),
    Other("its spec has changed since", True, attempted(generation=1)),
    Other("it has been through", False, attempted()),
    Other("it has failed, and so takes nothing over now", False, attempted("False")),
    Other("it is suspended", False, spec={"suspend": True}),
    Other("it is being deleted", False, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
    Other(
        "it has another source", False, spec={"sourceRef": {"kind": "GitRepository", "name": "b"}}
    ),
    Other(
        "it has a source of that name elsewhere",
        False,
        spec={"sourceRef": {"kind": "GitRepository", "name": "app", "namespace": "x"}},
    ),
    Other("it is in another cluster", False, spec={"kubeConfig": {"secretRef": {"name": "far"}}}),
]


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.reason)
def test_who_is_waited_for(case):
    obj = decode(KUSTOMIZATION, kustomization("app"))
    other = kustomization("other", case.spec, case.status, **case.metadata)
    assert is_behind(other, obj, REVISION) is case.behind


def test_nobody_waits_for_itself():
    raw = kustomization("app")
    assert not is_behind(raw, decode(KUSTOMIZATION, raw), REVISION)


DONE = ("True", "ReconciliationSucceeded")


def entries(api):
    return [entry["id"] for entry in api.status()["inventory"]["entries"]]


def go_through(api, revision):
    """Let the other one have ended its attempt."""
    other = api.get("Kustomization", "other")
    generation = other["metadata"]["generation"]
    api.put({**other, "status": attempted(revision=revision, generation=generation)})


@pytest.fixture
async def pending(api, source, running_controller, config_map):
    """Run until a prune waits for another of the source, which nobody here reconciles."""
    clock = FakeClock()
    labels = {"shard": "one"}
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization("apps", labels=labels))
    async with running_controller(
        clock, interval_jitter_percentage=0, watch_label_selector="shard=one"
    ):
        await api.until_ready(*DONE)
        api.put(kustomization("other", labels={"shard": "two"}))
        revision = await source.push({"a.yaml": config_map("a")}, revision="main@sha1:two")
        await api.until(lambda: api.status().get("lastAppliedRevision") == revision)
        yield clock, revision


async def test_a_prune_waits_and_the_rest_is_done(api, pending):
    clock, revision = pending
    await clock.scheduled(1.0)
    assert api.ready() == DONE
    assert api.deleted() == []
    assert entries(api) == ["default_a__ConfigMap", "default_b__ConfigMap"]
    go_through(api, revision)
    await clock.advance(1.0)
    await api.until(lambda: api.deleted() == ["b"])
    await api.until(lambda: entries(api) == ["default_a__ConfigMap"])


async def test_a_prune_does_not_wait_for_ever_nor_talk_of_it(api, pending):
    clock, _ = pending
    await clock.scheduled(1.0)
    said = len(api.messages())
    for delay in (1.0, 2.0, 4.0, 8.0, 16.0, 29.0):
        await clock.scheduled(delay)
        assert api.deleted() == []
        assert len(api.messages()) == said
        await clock.advance(delay)
    await api.until(lambda: api.deleted() == ["b"])
    await api.until(lambda: entries(api) == ["default_a__ConfigMap"])


async def test_what_another_has_taken_over_is_left_to_it(api, pending):
    clock, revision = pending
    await clock.scheduled(1.0)
    taken = api.get("ConfigMap", "b")
    taken["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = "other"
    api.put(taken)
    go_through(api, revision)
    await clock.advance(1.0)
    await api.until(lambda: entries(api) == ["default_a__ConfigMap"])
    assert api.deleted() == []
