"""A full or failing disk: nothing half is advertised, and the old artifact stays."""

import errno

import pytest

from fluvial.toolkit.artifacts import LocalStore

READY = ("True", "Succeeded")


@pytest.fixture
def disk(monkeypatch):
    """Let the disk fail while `disk["error"]` is set."""
    state = {"error": None}
    write = LocalStore.write

    async def failing(self, path, chunks):
        if state["error"] is not None:

            def cut():
                yield next(iter(chunks))[:10]
                raise OSError(state["error"], "the disk says no")

            return await write(self, path, cut())
        return await write(self, path, chunks)

    monkeypatch.setattr(LocalStore, "write", failing)
    return state


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_failing_disk(system, origin, requested, disk, number):
    origin.commit({"a": "1"})
    system.apply()
    async with system.running():
        good = await system.until(Ready=READY)
        disk["error"] = number
        second = origin.commit({"a": "2"})
        system.apply(annotations=requested("1"))
        bad = await system.handled("1")
        assert bad["artifact"] == good["artifact"]
        assert system.condition("StorageOperationFailed")["reason"] == "ArchiveOperationFailed"
        assert system.condition("Ready")["status"] == "False"
        assert system.condition("ArtifactOutdated")["status"] == "True"
        left = [path.name for path in system.storage.rglob("*") if path.is_file()]
        assert left == [good["artifact"]["path"].rpartition("/")[2]]
        disk["error"] = None
        system.apply(annotations=requested("2"))
        status = await system.handled("2")
    assert status["artifact"]["revision"] == f"main@sha1:{second}"
    assert system.condition("StorageOperationFailed") is None


async def test_superseded_artifacts_are_collected(system, origin, requested):
    commits = [origin.commit({"a": "0"})]
    system.apply()
    async with system.running():
        await system.until(Ready=READY)
        for number in ("1", "2", "3"):
            commits.append(origin.commit({"a": number}))
            system.apply(annotations=requested(number))
            await system.handled(number)
        system.apply(annotations=requested("4"))
        await system.handled("4")
    kept = {path.name for path in system.storage.rglob("*.tar.gz")}
    assert kept == {f"{commit}.tar.gz" for commit in commits[-2:]}
