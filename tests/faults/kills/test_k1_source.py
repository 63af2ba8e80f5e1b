"""K1, A6: SIGKILL at every point of a GitRepository's reconcile: no half artifact is advertised."""

import contextlib
import hashlib

import aiohttp
import pytest
from delivery import GIT, ready_of
from harness import Repository
from killing import Case, Prepared, kill_everywhere
from portions import portions

from fluvial.cluster.githost import GitHost

pytestmark = pytest.mark.faults


class Stored(Case):
    """A first revision becomes an artifact."""

    module = "fluvial.source"

    def __init__(self, host, folder):
        self._host = host
        self._storage = folder / "storage"
        self._storage.mkdir()
        self.arguments = (
            f"--storage-path={self._storage}",
            "--storage-addr=127.0.0.1:0",
            f"--git-mirror-path={folder / 'mirrors'}",
        )
        self._repositories = {}
        self._revisions = {}

    def push(self, team, text):
        self._revisions[team.name] = self._repositories[team.name].push({"a.yaml": text})

    async def act(self, team):
        name = f"{team.name}.git"
        self._repositories[team.name] = Repository(
            await self._host.create(name), self._host.url(name)
        )
        self.push(team, "a: 1\n")
        url = self._host.url(name)
        spec = {"interval": "1h", "url": url, "ref": {"branch": "main"}}
        await team.put(GIT, "app", spec=spec, metadata={"labels": self.labels(team)})

    async def until_done(self, team):
        def holds(obj):
            artifact = obj["status"]["artifact"]
            return (
                ready_of(obj)["status"] == "True"
                and artifact["revision"] == self._revisions[team.name]
            )

        await team.until(GIT, "app", holds)

    async def check_killed(self, team):
        artifact = ((await team.get(GIT, "app")).get("status") or {}).get("artifact")
        if artifact is not None:
            content = (self._storage / artifact["path"]).read_bytes()
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == artifact["digest"]

    async def check_done(self, team):
        await self.check_killed(team)
        artifact = (await team.get(GIT, "app"))["status"]["artifact"]
        assert artifact["revision"] == self._revisions[team.name]


class Renewed(Prepared, Stored):
    """A second revision takes the place of the first."""

    async def prepare(self, team):
        await super().act(team)

    async def until_prepared(self, team):
        await self.until_done(team)

    async def act(self, team):
        self.push(team, "a: 2\n")
        await team.request(GIT, "app")

    async def until_done(self, team):
        await super().until_done(team)

    async def check_done(self, team):
        await super().check_done(team)
        artifact, served = await self.served(team)
        assert f"sha256:{hashlib.sha256(served).hexdigest()}" == artifact["digest"]

    async def served(self, team):
        """Return the artifact and what its URL serves, once that is the living process's."""
        gone = ""
        async with aiohttp.ClientSession() as session:
            while True:
                live = await team.until(
                    GIT, "app", lambda obj, gone=gone: obj["status"]["artifact"]["url"] != gone
                )
                artifact = live["status"]["artifact"]
                gone = artifact["url"]
                with contextlib.suppress(aiohttp.ClientConnectorError):
                    async with session.get(gone) as response:
                        if response.status == 200:
                            return artifact, await response.read()


@pytest.mark.parametrize("portion", portions(4, sample=2), ids=str)
@pytest.mark.parametrize("case", [Stored, Renewed], ids=lambda case: case.__name__)
async def test_k1_an_artifact_is_whole_or_not_advertised(harness, tmp_path, case, portion):
    async with GitHost(tmp_path / "git") as host:
        points = await kill_everywhere(harness, case(host, tmp_path), portion)
    written = [name.split()[1] for name in points if name.startswith("before")]
    assert {"fsync", "replace"} <= set(written), "the artifact is among what is killed"
