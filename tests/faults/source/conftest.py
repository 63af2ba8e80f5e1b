"""A mirror that fetches over real HTTP, from honest hosts and others."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pygit2
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.cluster.githost import GitHost
from fluvial.source.git.command import GitCommand
from fluvial.source.git.mirror import Mirror


@pytest.fixture
def mirror(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with ThreadPoolExecutor(4) as executor:
        command = GitCommand(home, executor)
        yield Mirror(tmp_path / "mirrors" / "apps.git", command, executor, timeout=60.0)


@pytest_asyncio.fixture
async def host(tmp_path):
    async with GitHost(tmp_path / "git") as serving:
        yield serving


@pytest_asyncio.fixture
async def apps(host):
    """Return the repository `apps.git` of the host, with one commit."""
    repository = pygit2.Repository(str(await host.create("apps.git")))
    index = pygit2.Index()
    blob = repository.create_blob(b"kind: ConfigMap\n")
    index.add(pygit2.IndexEntry("a.yaml", blob, pygit2.enums.FileMode.BLOB))
    who = pygit2.Signature("Ada", "ada@example.com")
    tree = index.write_tree(repository)
    repository.create_commit("refs/heads/main", who, who, "a commit", tree, [])
    return repository


@pytest.fixture
def serving():
    """Serve one handler for everything; yields the server's base URL."""

    @asynccontextmanager
    async def serve(handler):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        try:
            yield str(server.make_url("/"))
        finally:
            await server.close()

    return serve
