"""Bad input of every kind: each object says what is wrong and where, and the others go on."""

import asyncio
from contextlib import aclosing

import pytest
from harness import until

from fluvial.apis.kinds import CANARY, GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: bad-input}\n"
FILES = {
    "good/a.yaml": CONFIG_MAP,
    "charts/broken/Chart.yaml": "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
    "charts/broken/templates/bad.yaml": "a: b\nc: {{ .Values.no.such.value }}\n",
}
SOURCE = {"kind": "GitRepository", "name": "app"}


@pytest.fixture(scope="module")
def pipeline(make_harness):
    harness = make_harness("bad-input")
    harness.start_plane()
    harness.define()
    harness.start_githost()
    harness.start_source()
    harness.start_controller("fluvial.kustomize")
    harness.start_controller("fluvial.helm", "--requeue-dependency=1s")
    harness.start_controller(
        "fluvial.canary", "-control-loop-interval=1s", "-analysis-interval-floor=1s"
    )
    return harness


def objects(url):
    analysis = {"interval": "1s", "threshold": 1, "iterations": 1}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
    lost = {"interval": "1h", "prune": True, "sourceRef": SOURCE}
    chart = {"spec": {"chart": "./charts/broken", "sourceRef": SOURCE}}
    return [
        (GIT_REPOSITORY, "app", {"url": url, "interval": "1h", "ref": {"branch": "main"}}),
        (GIT_REPOSITORY, "nowhere", {"url": "https://no-such-host.invalid/x", "interval": "1h"}),
        (KUSTOMIZATION, "good", lost | {"path": "./good"}),
        (KUSTOMIZATION, "lost", lost | {"path": "./no/such/folder"}),
        (HELM_RELEASE, "broken", {"interval": "1h", "chart": chart}),
        (
            CANARY,
            "orphan",
            {
                "provider": "kubernetes",
                "targetRef": target,
                "service": {"port": 80},
                "analysis": analysis,
            },
        ),
    ]


async def says(client, kind, name, status, reason, *, words=""):
    """Wait until the object's Ready condition is this one, its message with these words."""

    def holds(obj):
        found = next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")
        return (found["status"], found["reason"]) == (status, reason) and words in found["message"]

    await until(client, resource_of_kind(kind), name, "bad-input", holds)


async def complaint(client, name):
    """Wait for a Warning about an object, as Canaries have no condition for it."""
    async with asyncio.timeout(30), aclosing(client.watch(EVENTS, "bad-input")) as events:
        async for event in events:
            told = event.object
            if told.get("type") == "Warning" and told["involvedObject"]["name"] == name:
                return told
    return pytest.fail(f"the watch ended without a warning about {name}")


async def test_each_names_its_place_and_the_others_go_on(pipeline):
    repository = pipeline.repository("app")
    repository.push(FILES)
    async with pipeline.client() as client:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bad-input"}}
        await client.create(NAMESPACES, space)
        for kind, name, spec in objects(repository.url):
            obj = {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "metadata": {"name": name, "namespace": "bad-input"},
                "spec": spec,
            }
            await client.create(resource_of_kind(kind), obj)
        failed = "False"
        await says(
            client,
            GIT_REPOSITORY,
            "nowhere",
            failed,
            "GitOperationFailed",
            words="no-such-host.invalid",
        )
        await says(client, KUSTOMIZATION, "lost", failed, "ArtifactFailed", words="no/such/folder")
        await says(
            client,
            HELM_RELEASE,
            "broken",
            failed,
            "InstallFailed",
            words="broken/templates/bad.yaml:2:",
        )
        event = await complaint(client, "orphan")
        assert event["reason"] == "Synced"
        assert event["source"]["component"] == "flagger"
        assert "nobody" in event["message"]
        await says(client, GIT_REPOSITORY, "app", "True", "Succeeded")
        await says(client, KUSTOMIZATION, "good", "True", "ReconciliationSucceeded")
