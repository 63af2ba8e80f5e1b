"""A control plane, the source controller and a Git host: real processes, real sockets."""

import asyncio
from contextlib import aclosing

import pytest
import pytest_asyncio
from harness import WITHIN, Harness, Repository
from namespaces import Namespace, new_namespace

from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.cluster.githost import GitHost
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
EVENTS = Resource("", "v1", "events", "Event")


@pytest.fixture(scope="module")
def controller(make_harness, clouds):
    """Start a plane and the controller; its storage is `harness.storage`."""
    harness = make_harness("source")
    harness.start_plane(standins=False)
    harness.define([GIT_REPOSITORY])
    harness.start_source("--max-retry-delay=2s", "--requeue-dependency=1s", "--log-level=debug")
    return harness


@pytest_asyncio.fixture
async def host(tmp_path):
    async with GitHost(tmp_path / "git") as serving:
        yield serving


class Team(Namespace):
    """A namespace with GitRepositories, for one test."""

    async def apply(self, name: str, spec: dict) -> None:
        await self.put(GIT, name, spec={"interval": "1h", **spec})

    async def repository(self, name, holds):
        """Wait until a GitRepository is as wanted, and return it."""
        return await self.until(GIT, name, holds)

    async def events(self, name: str, reason: str) -> list[dict]:
        """Wait until there is an event of that reason about an object; return all such."""
        async with (
            asyncio.timeout(WITHIN),
            aclosing(self.client.watch(EVENTS, self.name)) as changes,
        ):
            async for event in changes:
                if event.type != "BOOKMARK" and _about(event.object, name, reason):
                    break
        listed = await self.client.list(EVENTS, self.name)
        return [event for event in listed.items if _about(event, name, reason)]


def _about(event, name, reason):
    return event["involvedObject"]["name"] == name and event["reason"] == reason


@pytest_asyncio.fixture
async def namespace(controller: Harness):
    async with new_namespace(controller) as (client, name):
        yield Team(controller, client, name)


@pytest_asyncio.fixture
async def apps(host):
    """Return the repository `apps.git` of the host."""
    return Repository(await host.create("apps.git"), host.url("apps.git"))
