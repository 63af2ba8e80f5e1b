"""The pipeline: a Git host, source-controller, kustomize-controller and a control plane.

A suite's conftest imports the fixtures: `from delivery import pipeline, team`.
"""

import pytest
import pytest_asyncio
from namespaces import Namespace, new_namespace

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
RELEASES = resource_of_kind(HELM_RELEASE)

__all__ = ["GIT", "KUSTOMIZATIONS", "RELEASES", "Team", "pipeline", "ready_of", "team"]


@pytest.fixture(scope="module")
def pipeline(make_harness):
    harness = make_harness("pipeline")
    harness.start_plane()
    harness.define()
    harness.start_githost()
    harness.start_source("--max-retry-delay=2s", "--requeue-dependency=1s")
    harness.start_controller(
        "fluvial.kustomize", "--requeue-dependency=1s", "--no-cross-namespace-refs=true"
    )
    return harness


class Team(Namespace):
    """A namespace with a repository, for one test."""

    def __init__(self, harness, client, name):
        super().__init__(harness, client, name)
        self.repository = harness.repository(name)

    async def apply(self, resource, name, spec, **metadata):
        await self.put(resource, name, spec=spec, metadata=metadata)

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
        await self.request(GIT, "app")
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

        obj = await self.until(KUSTOMIZATIONS, name, holds)
        return ready_of(obj)["message"]

    async def status(self, name="app"):
        return (await self.get(KUSTOMIZATIONS, name))["status"]


def ready_of(obj):
    return next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")


@pytest_asyncio.fixture
async def team(pipeline):
    async with new_namespace(pipeline) as (client, name):
        yield Team(pipeline, client, name)
