import tarfile

import pytest

READY = ("True", "Succeeded")


def names(system, status):
    with tarfile.open(system.storage / status["artifact"]["path"]) as archive:
        return [member.name for member in archive if member.isfile()]


async def test_the_status_of_a_stored_artifact(system, origin):
    commit = origin.commit({"a.yaml": "a", "b.png": "b"})
    system.apply(ignore="*.md")
    async with system.running():
        status = await system.until(Ready=READY)
    revision = f"main@sha1:{commit}"
    path = f"gitrepository/default/apps/{commit}.tar.gz"
    artifact = status["artifact"]
    assert artifact["revision"] == revision
    assert artifact["path"] == path
    assert artifact["url"] == f"http://artifacts.test/{path}"
    assert artifact["size"] == (system.storage / path).stat().st_size
    assert status["observedGeneration"] == 1
    assert status["observedIgnore"] == "*.md"
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "True", "Succeeded", f"stored artifact for revision '{revision}'"),
        ("ArtifactInStorage", "True", "Succeeded", f"stored artifact for revision '{revision}'"),
    ]
    assert names(system, status) == ["a.yaml", "b.png"]


async def test_the_event_quotes_the_beginning_of_the_subject(system, origin):
    origin.commit({"a": "1"}, message="S" * 80 + "\n\nbody")
    system.apply()
    async with system.running():
        status = await system.until(Ready=READY)
        await system.api.until(system.events)
    [event] = system.api.all("Event")
    assert event["reason"] == "NewArtifact"
    assert event["message"] == f"stored artifact for commit '{'S' * 50}'"
    group = "source.toolkit.fluxcd.io"
    assert event["metadata"]["annotations"] == {
        f"{group}/revision": status["artifact"]["revision"],
        f"{group}/digest": status["artifact"]["digest"],
    }


async def test_an_interval_in_which_nothing_changed_writes_nothing(system, origin):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        await system.until(Ready=READY)
        await system.api.until(system.events)
        system.apply(name="other")  # seen to be through: its failure comes after
        await system.until(name="other", Ready=("False", "GitOperationFailed"))
        before = len([w for w in system.api.writes() if "/apps" in w.path])
        mirror = next(system.mirrors.glob("default/apps/*.git"))
        marks = {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}
        await system.clock.advance(61)
        await system.api.until(lambda: True)
        system.apply(annotations={"reconcile.fluxcd.io/requestedAt": "t"})
        await system.handled("t")
    writes = [w for w in system.api.writes() if "/apps" in w.path][before:]
    assert [w.body["status"] for w in writes] == [{"lastHandledReconcileAt": "t"}]
    assert {path: path.stat().st_mtime_ns for path in mirror.rglob("*")} == marks


async def test_a_new_revision_is_announced_then_stored(system, origin, requested):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        await system.until(Ready=READY)
        second = origin.commit({"a": "2"})
        system.apply(annotations=requested("t"))
        status = await system.handled("t")
    assert status["artifact"]["revision"] == f"main@sha1:{second}"
    written = [
        w.body["status"]["conditions"]
        for w in system.api.writes()
        if "status" in w.body and "conditions" in w.body["status"]
    ]
    announced = [c for conditions in written for c in conditions if c["type"] == "ArtifactOutdated"]
    assert announced[0]["reason"] == "NewRevision"
    assert announced[0]["message"] == f"new upstream revision 'main@sha1:{second}'"
    assert system.condition("ArtifactOutdated") is None


@pytest.mark.parametrize("damage", ["lost", "corrupted"])
async def test_a_damaged_file_is_made_anew(system, origin, requested, damage):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        status = await system.until(Ready=READY)
        stored = system.storage / status["artifact"]["path"]
        content = stored.read_bytes()
        if damage == "lost":
            stored.unlink()
        else:
            stored.write_bytes(b"x")
        system.apply(annotations=requested("t"))
        assert (await system.handled("t"))["artifact"]["digest"] == status["artifact"]["digest"]
    assert stored.read_bytes() == content
    told = {reason for _, reason, _ in system.events()}
    assert ("ArtifactVerificationFailed" in told) == (damage == "corrupted")


async def test_a_restart_finds_a_half_written_artifact(system, origin):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        status = await system.until(Ready=READY)
    stored = system.storage / status["artifact"]["path"]
    content = stored.read_bytes()
    stored.write_bytes(content[: len(content) // 2])
    async with system.running():
        await system.api.until(lambda: stored.exists() and stored.read_bytes() == content)
        await system.until(Ready=READY)


STALLING = [
    ({"ref": {"branch": "--x"}}, "GitOperationFailed", "spec.ref.branch"),
    ({"ref": {"semver": "latest"}}, "GitOperationFailed", "spec.ref.semver"),
    ({"url": "http://git.test:port/x"}, "URLInvalid", "failed to parse spec.url"),
    ({"provider": "github"}, "InvalidProviderConfiguration", "spec.provider"),
    (
        {"provider": "azure", "serviceAccountName": "a"},
        "FeatureGateDisabled",
        "spec.serviceAccountName needs the feature gate ObjectLevelWorkloadIdentity",
    ),
    ({"verify": {"secretRef": {"name": "k"}}}, "VerificationError", "spec.verify"),
    ({"recurseSubmodules": True}, "GitOperationFailed", "spec.recurseSubmodules"),
]


@pytest.mark.parametrize(("spec", "reason", "message"), STALLING)
async def test_what_only_another_spec_can_mend_stalls(system, origin, spec, reason, message):
    origin.commit({"a": "1"})
    system.apply(**spec)
    async with system.running():
        status = await system.until(Stalled=("True", reason))
        assert message in system.condition("Ready")["message"]
        assert system.condition("Ready")["status"] == "False"
        assert system.condition("FetchFailed")["reason"] == reason
        assert system.condition("Reconciling") is None
        assert status["observedGeneration"] == 1
        assert "artifact" not in status
        system.apply()
        await system.until(Ready=READY)
        assert system.condition("Stalled") is None
        assert system.condition("FetchFailed") is None


RETRIED = [
    ({"ref": {"branch": "gone"}}, "GitOperationFailed", "couldn't find remote ref"),
    ({"url": "http://git.test/none.git"}, "GitOperationFailed", "unable to clone"),
    ({"secretRef": {"name": "none"}}, "AuthenticationFailed", "secret 'default/none'"),
    ({"proxySecretRef": {"name": "none"}}, "AuthenticationFailed", "secret 'default/none'"),
    ({"secretRef": {"name": "half"}}, "AuthenticationFailed", "'password' requires 'username'"),
    ({"provider": "aws"}, "AuthenticationFailed", "spec.url must be of the form https://git-code"),
    ({"sparseCheckout": ["./gone"]}, "GitOperationFailed", "'gone' does not exist"),
    ({"sparseCheckout": ["../.."]}, "GitOperationFailed", "does not exist"),
]


@pytest.mark.parametrize(("spec", "reason", "message"), RETRIED)
async def test_what_may_mend_itself_is_retried(system, origin, spec, reason, message):
    origin.commit({"a": "1"})
    system.secret("half", password="s3cret")
    system.apply(**spec)
    async with system.running():
        status = await system.until(Ready=("False", reason))
    assert message in system.condition("Ready")["message"]
    assert system.condition("FetchFailed")["status"] == "True"
    assert system.condition("Reconciling")["reason"] == "ProgressingWithRetry"
    assert system.condition("Stalled") is None
    assert status["observedGeneration"] == -1
    assert "s3cret" not in str(status)


async def test_an_empty_repository(system, origin):
    system.apply()
    async with system.running():
        await system.until(Ready=("False", "EmptyGitRepository"))


async def test_a_failure_keeps_the_old_artifact_and_recovery_is_told(system, origin, requested):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        good = await system.until(Ready=READY)
        hidden = origin.path.with_suffix(".hidden")
        origin.path.rename(hidden)
        system.apply(annotations=requested("1"))
        bad = await system.handled("1")
        assert system.condition("Ready")["status"] == "False"
        assert bad["artifact"] == good["artifact"]
        hidden.rename(origin.path)
        system.apply(annotations=requested("2"))
        await system.handled("2")
        assert system.condition("Ready")["status"] == "True"
        await system.api.until(lambda: "Succeeded" in {event[1] for event in system.events()})
    told = [(kind, reason) for kind, reason, _ in system.events()]
    assert told.count(("Normal", "NewArtifact")) == 1
    assert ("Warning", "GitOperationFailed") in told
    assert ("Normal", "Succeeded") in told


async def test_deletion_takes_artifacts_and_mirror_along(system, origin):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        await system.until(Ready=READY)
        obj = system.api.get("GitRepository", "apps")
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        system.api.put(obj)
        await system.api.until(lambda: not system.api.all("GitRepository"))
    assert list(system.storage.rglob("*.tar.gz")) == []
    assert list(system.mirrors.rglob("*.git")) == []


async def test_another_url_begins_with_another_mirror(system, origin, tmp_path):
    commit = origin.commit({"a": "1"})
    (tmp_path / "remotes" / "fork.git").symlink_to(origin.path)
    system.apply(ref={"commit": commit})
    async with system.running():
        await system.until(Ready=READY)
        [first] = system.mirrors.glob("default/apps/*.git")
        system.apply(ref={"commit": commit}, url="http://git.test/fork.git")
        await system.api.until(lambda: system.status()["observedGeneration"] == 2)
        assert first not in set(system.mirrors.glob("default/apps/*.git"))
