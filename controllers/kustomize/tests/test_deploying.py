"""A Kustomization from its source to the cluster, against an API and artifacts on the wire."""

import asyncio
from typing import NamedTuple

import pytest

from fluvial.toolkit.testing import FakeClock

DONE = ("True", "ReconciliationSucceeded")
TENANT = "system:serviceaccount:default:deployer"


def effective(requests):
    """Pick the requests that change something: neither reads nor dry-runs nor events."""
    return [
        (r.method, r.path.rpartition("/")[2])
        for r in requests
        if r.method != "GET" and "dryRun" not in r.query and "/events" not in r.path
    ]


async def test_the_first_run_applies_and_says_so(
    api, source, running_controller, kustomization, config_map
):
    revision = await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready(*DONE)
    assert api.get("ConfigMap", "a")["metadata"]["labels"] == {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "default",
    }
    status = api.status()
    assert status["observedGeneration"] == 1
    assert status["lastAppliedRevision"] == status["lastAttemptedRevision"] == revision
    assert status["inventory"]["entries"] == [
        {"id": "default_a__ConfigMap", "v": "v1"},
        {"id": "default_b__ConfigMap", "v": "v1"},
    ]
    assert [c["type"] for c in status["conditions"]] == ["Ready"]
    assert api.condition("Ready")["message"] == f"Applied revision: {revision}"
    (snapshot,) = status["history"]
    assert snapshot["lastReconciledStatus"] == "ReconciliationSucceeded"
    assert snapshot["metadata"] == {"revision": revision}
    assert api.get("Kustomization", "apps")["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]


async def test_the_status_steps_through_the_work(
    api, source, running_controller, kustomization, config_map
):
    revision = await source.push({"a.yaml": config_map("a")})
    api.put(kustomization(timeout="2m"))
    async with running_controller():
        await api.until_ready(*DONE)
    patches = [r for r in api.writes() if r.path.endswith("/status")]
    said = []
    for patch in patches:
        conditions = patch.body["status"].get("conditions", [])
        said += [c["message"] for c in conditions if c["type"] == "Reconciling"]
    tail = f"for revision {revision} with a timeout of 2m0s"
    assert list(dict.fromkeys(said)) == [
        "Reconciliation in progress",
        f"Fetching manifests {tail}",
        f"Building manifests {tail}",
        f"Detecting drift {tail}",
    ]
    assert {r.query["fieldManager"] for r in patches} == {"gotk-kustomize-controller"}


async def test_events_carry_the_revision_and_where_it_came_from(
    api, source, running_controller, kustomization, config_map
):
    origin = {"org.opencontainers.image.revision": "main@sha1:abc"}
    revision = await source.push({"a.yaml": config_map("a")}, metadata=origin)
    api.put(kustomization())
    async with running_controller():
        await api.until_ready(*DONE)
        await api.until(lambda: len(api.all("Event")) == 2)
    group = "kustomize.toolkit.fluxcd.io"
    facts = {f"{group}/revision": revision, f"{group}/originRevision": "main@sha1:abc"}
    changed, finished = api.all("Event")
    assert (changed["reason"], changed["message"]) == (
        "Progressing",
        "ConfigMap/default/a created",
    )
    assert changed["metadata"]["annotations"] == facts
    assert finished["reason"] == "ReconciliationSucceeded"
    assert finished["message"].endswith("next run in 10m0s")
    assert finished["metadata"]["annotations"] == {**facts, f"{group}/commit_status": "update"}
    assert api.status()["lastAppliedOriginRevision"] == "main@sha1:abc"


async def test_the_inventory_is_written_before_the_first_object(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    known = []

    def look(request):
        if request.path.endswith("/configmaps/a") and effective([request]):
            known.append(api.status()["inventory"]["entries"])

    api.faults.insert(0, look)
    async with running_controller():
        await api.until_ready(*DONE)
    assert known == [[{"id": "default_a__ConfigMap", "v": "v1"}]]


async def test_an_interval_that_finds_nothing_changed_writes_nothing(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    clock = FakeClock()
    async with running_controller(clock, interval_jitter_percentage=0):
        await api.until_ready(*DONE)
        await clock.scheduled(600.0)
        before, seen = api.get("Kustomization", "apps"), len(api.requests)
        await clock.advance(600.0)
        await api.until(lambda: any("dryRun" in r.query for r in api.requests[seen:]))
        await clock.scheduled(600.0)
    assert effective(api.requests[seen:]) == []
    assert api.get("Kustomization", "apps") == before


async def test_drift_is_corrected_at_the_interval_and_told(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    clock = FakeClock()
    async with running_controller(clock, interval_jitter_percentage=0):
        await api.until_ready(*DONE)
        await clock.scheduled(600.0)
        drifted = dict(api.get("ConfigMap", "a"))
        api.put({**drifted, "data": {"key": "by hand"}})
        await clock.advance(600.0)
        await api.until(lambda: api.status()["history"][0]["totalReconciliations"] == 2)
        await api.until(lambda: "ConfigMap/default/a configured" in api.messages())
    assert api.get("ConfigMap", "a")["data"] == {"key": "1"}
    assert api.ready() == DONE


async def test_a_new_revision_is_applied_at_once_and_prunes(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization())
    clock = FakeClock()
    async with running_controller(clock):
        await api.until_ready(*DONE)
        # Time stands still: what happens now is by the watch alone.
        revision = await source.push({"a.yaml": config_map("a", "2")})
        await api.until(lambda: api.status()["lastAppliedRevision"] == revision)
        await api.until(lambda: "ConfigMap/default/b deleted" in api.messages())
    assert api.get("ConfigMap", "a")["data"] == {"key": "2"}
    assert not api.has("ConfigMap", "b")
    assert [e["id"] for e in api.status()["inventory"]["entries"]] == ["default_a__ConfigMap"]


async def test_without_prune_what_is_gone_is_forgotten(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization(prune=False))
    async with running_controller():
        await api.until_ready(*DONE)
        revision = await source.push({"a.yaml": config_map("a")})
        await api.until(lambda: api.status()["lastAppliedRevision"] == revision)
    assert api.has("ConfigMap", "b")
    assert [e["id"] for e in api.status()["inventory"]["entries"]] == ["default_a__ConfigMap"]


async def test_a_build_of_nothing_deletes_nothing_until_someone_says_so(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready(*DONE)
        await source.push({"README.md": "moved elsewhere"})
        await api.until_ready("False", "PruneFailed")
        assert api.has("ConfigMap", "a")
        assert [e["id"] for e in api.status()["inventory"]["entries"]] == ["default_a__ConfigMap"]
        assert "fluvial.dev/allow-prune-all" in api.condition("Ready")["message"]
        allowed = api.get("Kustomization", "apps")
        annotations = {"fluvial.dev/allow-prune-all": "true"}
        api.put({**allowed, "metadata": {**allowed["metadata"], "annotations": annotations}})
        await api.until_ready(*DONE)
    assert not api.has("ConfigMap", "a")
    assert api.status()["inventory"]["entries"] == []


async def test_what_cannot_be_deleted_stays_in_the_inventory_and_is_tried_again(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization())
    clock = FakeClock()
    async with running_controller(clock):
        await api.until_ready(*DONE)
        allow = api.refuse("DELETE", "b", "held by a webhook")
        await source.push({"a.yaml": config_map("a")})
        await api.until_ready("False", "PruneFailed")
        assert "held by a webhook" in api.condition("Ready")["message"]
        assert [e["id"] for e in api.status()["inventory"]["entries"]] == [
            "default_a__ConfigMap",
            "default_b__ConfigMap",
        ]
        allow()
        await clock.scheduled(60.0, tolerance=0.0)
        await clock.advance(60.0)
        await api.until_ready(*DONE)
    assert not api.has("ConfigMap", "b")
    statuses = [one["lastReconciledStatus"] for one in api.status()["history"]]
    assert statuses == ["ReconciliationSucceeded", "PruneFailed", "ReconciliationSucceeded"]


async def test_a_failed_apply_keeps_what_was_there_and_what_may_be(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"old.yaml": config_map("old")})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready(*DONE)
        revision = await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
        api.refuse("PATCH", "b", "not allowed")
        await api.until_ready("False", "ReconciliationFailed")
    message = api.condition("Ready")["message"]
    assert "ConfigMap/default/b dry-run failed (Forbidden)" in message
    status = api.status()
    assert status["lastAttemptedRevision"] == revision
    assert status["lastAppliedRevision"] != revision
    assert status["observedGeneration"] == 1
    assert api.has("ConfigMap", "old")
    assert [e["id"] for e in status["inventory"]["entries"]] == ["default_old__ConfigMap"]
    assert api.condition("Reconciling")["reason"] == "ProgressingWithRetry"
    assert status["history"][0]["lastReconciledStatus"] == "ReconciliationFailed"


class Failure(NamedTuple):
    reason: str
    """Of the case; also its name."""
    files: dict
    spec: dict
    condition: str
    part: str
    attempted: bool


FAILURES = [
    Failure(
        "the path is not in the artifact",
        {"a.yaml": "kind: ConfigMap"},
        {"path": "./missing"},
        "ArtifactFailed",
        "kustomization path not found: stat missing: no such file or directory",
        attempted=False,
    ),
    Failure(
        "broken YAML",
        {"apps/bad.yaml": "a: b\nc: d: e\n"},
        {"path": "./apps"},
        "BuildFailed",
        "apps/bad.yaml:2:5: mapping values are not allowed",
        attempted=True,
    ),
    Failure(
        "variables are missing",
        {"a.yaml": "kind: ConfigMap"},
        {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "gone"}]}},
        "BuildFailed",
        "ConfigMap 'default/gone': not found",
        attempted=True,
    ),
]


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.reason)
async def test_what_fails_before_the_apply_leaves_no_history(
    api, source, running_controller, kustomization, case
):
    revision = await source.push(case.files)
    api.put(kustomization(**case.spec))
    clock = FakeClock()
    async with running_controller(clock):
        await api.until_ready("False", case.condition)
        # Exactly the retry interval: failures are not jittered.
        await clock.scheduled(60.0, tolerance=0.0)
    assert case.part in api.condition("Ready")["message"]
    status = api.status()
    assert (status.get("lastAttemptedRevision") == revision) is case.attempted
    assert not status.get("history")
    assert api.applied() == []


async def test_the_event_of_a_failure_names_the_revision(
    api, source, running_controller, kustomization
):
    revision = await source.push({"bad.yaml": "a: b: c"})
    api.put(kustomization())
    async with running_controller():
        await api.until(lambda: api.all("Event"))
    (event,) = api.all("Event")
    assert (event["type"], event["reason"]) == ("Warning", "BuildFailed")
    assert event["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/revision": revision}


async def test_one_broken_kustomization_does_not_stop_the_others(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"good/a.yaml": config_map("a"), "bad/b.yaml": "a: b: c"})
    api.put(kustomization("bad", path="bad"))
    api.put(kustomization("good", path="good"))
    async with running_controller(concurrent=1):
        await api.until_ready("False", "BuildFailed", name="bad")
        await api.until_ready(*DONE, name="good")
    assert api.applied() == ["a"]


async def test_an_artifact_that_is_gone_is_waited_for(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    broken = api.get("GitRepository", "app")
    artifact = {**broken["status"]["artifact"], "url": broken["status"]["artifact"]["url"] + ".x"}
    api.put({**broken, "status": {"artifact": artifact}})
    api.put(kustomization())
    async with running_controller(FakeClock()):
        await api.until_ready("False", "ArtifactFailed")
        assert api.condition("Reconciling")["reason"] == "Progressing"
        await source.push({"a.yaml": config_map("a")})
        await api.until_ready(*DONE)


async def test_an_artifact_that_is_not_what_its_digest_says_is_refused(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    broken = api.get("GitRepository", "app")
    artifact = {**broken["status"]["artifact"], "digest": "sha256:" + "0" * 64}
    api.put({**broken, "status": {"artifact": artifact}})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready("False", "ArtifactFailed")
    assert "does not match" in api.condition("Ready")["message"]


async def test_dependents_go_on_as_soon_as_their_dependency_is_ready(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"base/a.yaml": config_map("a"), "apps/b.yaml": config_map("b")})
    api.put(kustomization("apps", path="apps", dependsOn=[{"name": "base"}]))
    async with running_controller(FakeClock()):
        await api.until_ready("False", "DependencyNotReady")
        api.put(kustomization("base", path="base"))
        await api.until_ready(*DONE)
        revision = await source.push(
            {"base/a.yaml": config_map("a", "2"), "apps/b.yaml": config_map("b", "2")}
        )
        await api.until(lambda: api.status("apps")["lastAppliedRevision"] == revision)
    assert api.applied() == ["a", "b", "a", "b"]


async def test_variables_are_substituted_and_a_watched_change_of_them_is_applied(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a", "${who}")})

    def variables(who):
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "vars",
                "namespace": "default",
                "labels": {"reconcile.fluxcd.io/watch": "Enabled"},
            },
            "data": {"who": who},
        }

    api.put(variables("ada"))
    reference = {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}
    api.put(kustomization(postBuild=reference))
    async with running_controller(FakeClock()):
        await api.until_ready(*DONE)
        assert api.get("ConfigMap", "a")["data"] == {"key": "ada"}
        api.put(variables("grace"))
        await api.until(lambda: api.get("ConfigMap", "a")["data"] == {"key": "grace"})


async def test_everything_of_a_tenant_is_done_with_the_tenants_rights(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a", "${x}"), "b.yaml": config_map("b")})
    api.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "vars", "namespace": "default"},
            "data": {"x": "1"},
        }
    )
    reference = {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}
    api.put(kustomization(serviceAccountName="deployer", postBuild=reference, wait=True))
    async with running_controller():
        await api.until_ready(*DONE)
        await source.push({"a.yaml": config_map("a", "${x}")})
        await api.until(lambda: not api.has("ConfigMap", "b"))
    touched = [r for r in api.requests if "/configmaps/" in r.path]
    assert {r.method for r in touched} == {"GET", "PATCH", "DELETE"}
    assert {r.headers.get("Impersonate-User") for r in touched} == {TENANT}
    others = [r for r in api.requests if "fluxcd.io" in r.path]
    assert {r.headers.get("Impersonate-User") for r in others} == {None}


async def test_the_account_of_the_flag_counts_where_the_spec_names_none(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    async with running_controller(default_service_account="deployer"):
        await api.until_ready(*DONE)
    touched = [r for r in api.requests if r.path.endswith("/configmaps/a")]
    assert {r.headers.get("Impersonate-User") for r in touched} == {TENANT}


async def test_ciphertext_is_never_applied(api, source, running_controller, kustomization):
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: default\n"
        "data:\n  key: ENC[AES256_GCM,data:abc]\nsops:\n  mac: ENC[x]\n"
    )
    await source.push({"s.yaml": secret})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready("False", "ReconciliationFailed")
    assert "Secret/default/s is SOPS encrypted" in api.condition("Ready")["message"]
    assert api.applied() == []
    assert not any("dryRun" in r.query for r in api.requests)


async def test_suspended_nothing_is_done(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization("paused", suspend=True))
    api.put(kustomization("apps"))
    async with running_controller(concurrent=1):
        await api.until_ready(*DONE)
        await api.until(lambda: api.get("Kustomization", "paused")["metadata"]["finalizers"])
    assert api.status("paused") == {"observedGeneration": -1}


async def test_a_request_is_answered_in_the_status_and_counts_as_an_attempt(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a")})
    api.put(kustomization())
    async with running_controller(FakeClock()):
        await api.until_ready(*DONE)
        asked = api.get("Kustomization", "apps")
        annotations = {"reconcile.fluxcd.io/requestedAt": "now"}
        api.put({**asked, "metadata": {**asked["metadata"], "annotations": annotations}})
        await api.until(lambda: api.status()["lastHandledReconcileAt"] == "now")
    assert api.status()["history"][0]["totalReconciliations"] == 2
    assert api.applied() == ["a"]


async def test_a_run_that_was_killed_between_apply_and_status_is_finished_by_the_next(
    api, source, running_controller, kustomization, config_map
):
    await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization())
    reached = asyncio.Event()

    def hang(request):
        # The second object is applied, and its answer never arrives.
        if request.path.endswith("/configmaps/b") and effective([request]):
            reached.set()
            raise ConnectionResetError

    api.faults.insert(0, hang)
    async with running_controller(graceful_shutdown_timeout=0.0):
        await reached.wait()
    api.faults.remove(hang)
    entries = api.status()["inventory"]["entries"]
    assert [e["id"] for e in entries] == ["default_a__ConfigMap", "default_b__ConfigMap"]
    assert api.has("ConfigMap", "a")
    async with running_controller():
        await api.until_ready(*DONE)
    assert api.has("ConfigMap", "b")
    assert api.applied().count("a") == 1
