"""The pipeline: a Git host, source-controller, kustomize-controller and a control plane."""

import itertools
import os

import pytest
import pytest_asyncio
from harness import until

from fluvial.apis.kinds import GIT_REPOSITORY, KUSTOMIZATION
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

_names = itertools.count(1)


@pytest.fixture(scope="module")
def pipeline(make_harness):
    harness = make_harness("pipeline")
    harness.start_plane()
    harness.define()
    harness.start_githost()
    harness.start_source("--max-retry-delay=2s", "--requeue-dependency=1s")
    harness.start_controller("fluvial.kustomize", "--requeue-dependency=1s")
    return harness


class Team:
    """A namespace with a repository, for one test."""

    def __init__(self, harness, client, name):
        self.harness = harness
        self.client = client
        self.name = name
        self.repository = harness.repository(name)
        self._tokens = itertools.count(1)

    async def apply(self, resource, name, spec, **metadata):
        obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": self.name, **metadata},
            "spec": spec,
        }
        await self.client.patch(
            resource, name, obj, self.name, type="apply", field_manager="kubectl", force=True
        )

    async def source(self, name="app"):
        spec = {"interval": "10m", "url": self.repository.url, "ref": {"branch": "main"}}
        await self.apply(GIT, name, spec)

    async def kustomization(self, name="app", /, annotations=None, **spec):
        wanted = {
            "interval": "10m",
            "retryInterval": "1h",
            "prune": True,
            "targetNamespace": self.name,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            **spec,
        }
        await self.apply(KUSTOMIZATIONS, name, wanted, annotations=annotations or {})

    async def push(self, files):
        """Push, and tell the source so, as a webhook would."""
        revision = self.repository.push(files)
        token = {"reconcile.fluxcd.io/requestedAt": f"push-{next(self._tokens)}"}
        await self.client.patch(GIT, "app", {"metadata": {"annotations": token}}, self.name)
        return revision

    async def until_ready(self, status="True", reason="ReconciliationSucceeded", **wanted):
        """Wait for Ready with this status and reason, at `revision`; returns its message.

        `part` must be in the message: while a source has no artifact yet, that is the failure.
        """
        name, revision = wanted.pop("name", "app"), wanted.pop("revision", None)
        part = wanted.pop("part", "")

        def holds(obj):
            ready = ready_of(obj)
            at = obj["status"].get("lastAttemptedRevision")
            return (ready["status"], ready["reason"]) == (status, reason) and (
                revision in {None, at} and part in ready["message"]
            )

        obj = await until(self.client, KUSTOMIZATIONS, name, self.name, holds)
        return ready_of(obj)["message"]

    async def status(self, name="app"):
        return (await self.client.get(KUSTOMIZATIONS, name, self.name))["status"]

    async def until(self, resource, name, holds=lambda _: True, **more):
        return await until(self.client, resource, name, self.name, holds, **more)


def ready_of(obj):
    return next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")


@pytest_asyncio.fixture
async def team(pipeline):
    async with pipeline.client() as client:
        name = f"team-{os.getpid()}-{next(_names)}"
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await client.create(NAMESPACES, obj)
        yield Team(pipeline, client, name)
