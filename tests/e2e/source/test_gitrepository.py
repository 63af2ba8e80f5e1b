"""GitRepository end to end: a push becomes an artifact that a consumer can fetch."""

import signal

import pytest

from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)


def condition(obj, type):
    return next((c for c in obj["status"]["conditions"] if c["type"] == type), None)


def ready(revision):
    def holds(obj):
        found = condition(obj, "Ready")
        return found["status"] == "True" and obj["status"]["artifact"]["revision"] == revision

    return holds


def failed(reason):
    return lambda obj: (
        condition(obj, "Ready")["status"] == "False" and condition(obj, "Ready")["reason"] == reason
    )


def commit_of(revision):
    return revision.rpartition(":")[2]


def url_of(host, user=""):
    return host.url("apps.git").replace("://", f"://{user}")


async def tree_of(artifact, folder):
    async with (
        Fetcher(folder) as fetcher,
        fetcher.tree(artifact["url"], artifact["digest"]) as tree,
    ):
        return {
            str(path.relative_to(tree)): path.read_text()
            for path in tree.rglob("*")
            if path.is_file()
        }


async def test_a_push_becomes_an_artifact(namespace, host, apps, tmp_path):
    files = {"a/deployment.yaml": "kind: Deployment\n", "b.yaml": "x: 1\n"}
    first = apps.push({**files, ".gitignore": "*", "logo.png": "png"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    obj = await namespace.repository("apps", ready(first))
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    artifact = obj["status"]["artifact"]
    assert artifact["path"] == f"gitrepository/{namespace.name}/apps/{commit_of(first)}.tar.gz"
    assert await tree_of(artifact, tmp_path / "fetched") == files

    second = apps.push({"b.yaml": "x: 2\n"}, message="Turn the knob")
    await namespace.request(GIT, "apps", "now")
    obj = await namespace.repository("apps", ready(second))
    assert await tree_of(obj["status"]["artifact"], tmp_path / "again") == {"b.yaml": "x: 2\n"}
    obj = await namespace.repository(
        "apps", lambda o: o["status"]["lastHandledReconcileAt"] == "now"
    )
    assert condition(obj, "ArtifactOutdated") is None
    assert condition(obj, "Reconciling") is None
    told = await namespace.events("apps", "NewArtifact")
    assert {event["message"] for event in told} >= {"stored artifact for commit 'Turn the knob'"}


async def test_nothing_changed_costs_no_write_and_no_fetch(namespace, host, apps):
    apps.push({"a": "1"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    await namespace.repository("apps", lambda o: condition(o, "Ready")["status"] == "True")
    await namespace.request(GIT, "apps", "one")
    before = await namespace.repository(
        "apps", lambda o: o["status"].get("lastHandledReconcileAt") == "one"
    )
    asked = len([request for request in host.requests if request.startswith("POST")])
    await namespace.request(GIT, "apps", "two")
    after = await namespace.repository(
        "apps", lambda o: o["status"].get("lastHandledReconcileAt") == "two"
    )
    assert len([r for r in host.requests if r.startswith("POST")]) == asked + 1  # the listing
    assert before["status"]["conditions"] == after["status"]["conditions"]
    assert before["status"]["artifact"] == after["status"]["artifact"]


async def test_an_unknown_host_fails_alone(namespace, host, apps):
    commit = apps.push({"a": "1"})
    await namespace.apply("lost", {"url": "http://git.invalid/apps.git"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    await namespace.repository("apps", ready(commit))
    obj = await namespace.repository("lost", failed("GitOperationFailed"))
    assert "git.invalid" in condition(obj, "Ready")["message"]
    assert condition(obj, "FetchFailed")["status"] == "True"
    assert condition(obj, "Reconciling")["reason"] == "ProgressingWithRetry"


@pytest.mark.parametrize("wrong", ["a wrong password", "no secret at all", "a missing secret"])
async def test_refused_credentials_and_their_cure(namespace, host, apps, wrong):
    host.account = ("ada", "open-sesame")
    commit = apps.push({"a": "1"})
    spec = {"url": url_of(host), "ref": {"branch": "main"}}
    if wrong != "no secret at all":
        spec["secretRef"] = {"name": "git"}
    if wrong == "a wrong password":
        await namespace.secret("git", username="ada", password="guessed-it")
    await namespace.apply("apps", spec)
    obj = await namespace.repository("apps", failed("AuthenticationFailed"))
    assert "guessed-it" not in str(obj["status"])
    await namespace.secret("git", username="ada", password="open-sesame")
    await namespace.apply("apps", {**spec, "secretRef": {"name": "git"}})
    obj = await namespace.repository("apps", ready(commit))
    assert "open-sesame" not in str(obj["status"])
    assert condition(obj, "FetchFailed") is None


async def test_a_bearer_token(namespace, host, apps):
    host.token = "a-token"
    commit = apps.push({"a": "1"})
    await namespace.secret("git", bearerToken="a-token")
    spec = {"url": url_of(host), "ref": {"branch": "main"}, "secretRef": {"name": "git"}}
    await namespace.apply("apps", spec)
    await namespace.repository("apps", ready(commit))


async def test_the_token_of_the_machine(namespace, host, apps, clouds):
    host.token = clouds.machine
    commit = apps.push({"a": "1"})
    spec = {"url": url_of(host), "ref": {"branch": "main"}, "provider": "azure"}
    await namespace.apply("apps", spec)
    await namespace.repository("apps", ready(commit))


async def test_tags_ranges_and_commits(namespace, host, apps):
    one = apps.push({"a": "1"})
    apps.tag("v1.0.0", commit_of(one))
    two = apps.push({"a": "2"})
    apps.tag("v1.1.0", commit_of(two))
    url = url_of(host)
    await namespace.apply("tag", {"url": url, "ref": {"tag": "v1.0.0"}})
    await namespace.apply("range", {"url": url, "ref": {"semver": "1.x"}})
    await namespace.apply("pin", {"url": url, "ref": {"commit": commit_of(one), "branch": "main"}})
    await namespace.apply("full", {"url": url, "ref": {"name": "refs/heads/main"}})
    await namespace.repository("tag", ready(f"v1.0.0@sha1:{commit_of(one)}"))
    await namespace.repository("range", ready(f"v1.1.0@sha1:{commit_of(two)}"))
    await namespace.repository("pin", ready(one))
    await namespace.repository("full", ready(f"refs/heads/main@sha1:{commit_of(two)}"))


async def test_a_reference_that_can_name_nothing_stalls(namespace, host):
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "--upload-pack=x"}})
    obj = await namespace.repository("apps", lambda o: condition(o, "Stalled")["status"] == "True")
    assert "spec.ref.branch" in condition(obj, "Ready")["message"]
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    assert host.requests == []


async def test_changed_settings_make_a_new_artifact_of_the_same_revision(
    namespace, host, apps, tmp_path
):
    commit = apps.push({"a/x": "1", "b/y": "2", "c.md": "3"})
    spec = {"url": url_of(host), "ref": {"branch": "main"}}
    await namespace.apply("apps", spec)
    first = await namespace.repository("apps", ready(commit))
    await namespace.apply("apps", {**spec, "ignore": "*.md", "sparseCheckout": ["./a"]})
    obj = await namespace.repository(
        "apps", lambda o: o["status"]["observedSparseCheckout"] == ["./a"]
    )
    assert obj["status"]["observedIgnore"] == "*.md"
    assert obj["status"]["artifact"]["revision"] == first["status"]["artifact"]["revision"]
    assert await tree_of(obj["status"]["artifact"], tmp_path / "fetched") == {"a/x": "1"}


async def test_an_empty_repository(namespace, host, apps):
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    await namespace.repository("apps", failed("EmptyGitRepository"))


async def test_suspended_means_untouched(namespace, host, apps):
    apps.push({"a": "1"})
    spec = {"url": url_of(host), "ref": {"branch": "main"}}
    await namespace.apply("apps", {**spec, "suspend": True})
    await namespace.repository("apps", lambda o: o["metadata"].get("finalizers"))
    await namespace.apply("other", spec)
    await namespace.repository("other", lambda o: condition(o, "Ready")["status"] == "True")
    assert "artifact" not in (await namespace.get(GIT, "apps"))["status"]


async def test_deletion_removes_what_was_stored(namespace, host, apps, controller):
    apps.push({"a": "1"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    obj = await namespace.repository("apps", lambda o: condition(o, "Ready")["status"] == "True")
    folder = (controller.storage / obj["status"]["artifact"]["path"]).parent
    assert folder.is_dir()
    await namespace.client.delete(GIT, "apps", namespace.name)
    await namespace.until(GIT, "apps", gone=True)
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["lost", "corrupted"])
async def test_a_damaged_artifact_is_made_anew(namespace, host, apps, controller, damage):
    commit = apps.push({"a": "1"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    obj = await namespace.repository("apps", ready(commit))
    stored = controller.storage / obj["status"]["artifact"]["path"]
    content = stored.read_bytes()
    if damage == "lost":
        stored.unlink()
    else:
        stored.write_bytes(content[:-1] + b"?")
    await namespace.request(GIT, "apps", damage)
    await namespace.repository(
        "apps",
        lambda o: ready(commit)(o) and o["status"].get("lastHandledReconcileAt") == damage,
    )
    assert stored.read_bytes() == content
    if damage == "corrupted":
        assert await namespace.events("apps", "ArtifactVerificationFailed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_trusts_nothing_and_loses_nothing(
    namespace, host, apps, controller, number
):
    first = apps.push({"a": "1"})
    await namespace.apply("apps", {"url": url_of(host), "ref": {"branch": "main"}})
    await namespace.repository("apps", ready(first))
    controller.process("fluvial.source").stop(number)
    second = apps.push({"a": "2"})
    controller.restart("fluvial.source")
    obj = await namespace.repository("apps", ready(second))
    fetched = host.root.parent / "fetched"
    assert await tree_of(obj["status"]["artifact"], fetched) == {"a": "2"}
