import pygit2
import pytest

from fluvial.source.git.credentials import Access
from fluvial.source.git.errors import CommandFailed, ReferenceNotFound, RepositoryEmpty
from fluvial.source.git.reference import Reference, Target
from fluvial.source.git.tree import CommitTree

MAIN = Reference(branch="main")


@pytest.fixture
def ran(command, monkeypatch):
    """Collect the git commands that are run, by their verbs."""
    verbs = []
    run = command.run

    async def spy(*arguments, **options):
        verbs.append(arguments[0])
        return await run(*arguments, **options)

    monkeypatch.setattr(command, "run", spy)
    return verbs


def files(mirror, commit):
    return {entry.path: entry.data for entry in CommitTree(mirror.path, commit).entries()}


def objects(mirror):
    return set(pygit2.Repository(str(mirror.path)))


async def test_a_branch_arrives(mirror, origin, access):
    commit = origin.commit({"a/b.yaml": "b"})
    [target] = await mirror.resolve(MAIN, access)
    assert await mirror.fetch(target, access) == Target("main", "refs/heads/main", commit)
    assert files(mirror, commit)["a/b.yaml"] == b"b"


async def test_asking_fetches_nothing(mirror, origin, access, ran):
    origin.commit({"a": "1"})
    await mirror.resolve(MAIN, access)
    assert ran == ["init", "ls-remote"]


async def test_the_next_commit_brings_only_what_differs(mirror, origin, access):
    first = origin.commit({"same": "x" * 5000, "a": "1"})
    await mirror.fetch((await mirror.resolve(MAIN, access))[0], access)
    second = origin.commit({"same": "x" * 5000, "a": "2"})
    [target] = await mirror.resolve(MAIN, access)
    assert target.commit == second
    before = objects(mirror)
    await mirror.fetch(target, access)
    assert len(objects(mirror) - before) == 3  # a blob, a tree and a commit
    assert files(mirror, second)["a"] == b"2"
    assert first != second


async def test_history_stays_away(mirror, origin, access):
    old = origin.commit({"a": "1"})
    origin.commit({"a": "2"})
    await mirror.fetch((await mirror.resolve(MAIN, access))[0], access)
    assert not await mirror._holds(old)


async def test_an_annotated_tag_is_the_commit_it_points_to(mirror, origin, access):
    commit = origin.commit({"a": "1"})
    tag = origin.tag("v1.0.0", commit, annotated=True)
    assert tag != commit
    [target] = await mirror.resolve(Reference(tag="v1.0.0"), access)
    assert (await mirror.fetch(target, access)).revision == f"v1.0.0@sha1:{commit}"


async def test_equal_versions_the_newest_commit_wins(mirror, origin, access):
    old = origin.commit({"a": "1"}, time=1_000)
    new = origin.commit({"a": "2"}, time=2_000)
    origin.tag("v1.0.0", old)
    origin.tag("1.0.0", new)
    targets = await mirror.resolve(Reference(semver="1.x"), access)
    assert (await mirror.newest(targets, access)).revision == f"1.0.0@sha1:{new}"


async def test_a_pinned_commit_is_fetched_alone_and_once(mirror, origin, access, ran):
    pinned = origin.commit({"a": "1"})
    origin.commit({"a": "2"})
    reference = Reference(commit=pinned, branch="main")
    [target] = await mirror.resolve(reference, access)
    assert (await mirror.fetch(target, access)).revision == f"main@sha1:{pinned}"
    [again] = await mirror.resolve(reference, access)
    await mirror.fetch(again, access)
    assert ran == ["init", "fetch"]


async def test_a_reference_outside_of_branches_and_tags(mirror, origin, access):
    commit = origin.commit({"a": "1"})
    origin.repository.create_reference("refs/pull/7/head", commit)
    [target] = await mirror.resolve(Reference(name="refs/pull/7/head"), access)
    assert (await mirror.fetch(target, access)).revision == f"refs/pull/7/head@sha1:{commit}"


async def test_what_arrives_counts_when_the_remote_moves_meanwhile(mirror, origin, access):
    origin.commit({"a": "1"})
    [asked] = await mirror.resolve(MAIN, access)
    moved = origin.commit({"a": "2"})
    assert (await mirror.fetch(asked, access)).commit == moved


async def test_a_branch_that_was_rewritten(mirror, origin, access):
    origin.commit({"a": "1"})
    await mirror.fetch((await mirror.resolve(MAIN, access))[0], access)
    origin.repository.references.delete("refs/heads/main")
    rewritten = origin.commit({"b": "1"}, message="another beginning")
    [target] = await mirror.resolve(MAIN, access)
    assert (await mirror.fetch(target, access)).commit == rewritten


@pytest.mark.parametrize("damage", ["config", "objects", "HEAD"])
async def test_a_damaged_mirror_is_rebuilt(mirror, origin, access, damage):
    origin.commit({"a": "1"})
    await mirror.fetch((await mirror.resolve(MAIN, access))[0], access)
    if damage == "objects":
        for path in [path for path in mirror.path.rglob("objects/*/*") if path.is_file()]:
            path.chmod(0o600)
            path.write_bytes(b"")
    else:
        (mirror.path / damage).write_text("[broken")
    commit = origin.commit({"a": "2"})
    target = Target("main", "refs/heads/main", commit)
    assert (await mirror.fetch(target, access)).commit == commit
    assert files(mirror, commit)["a"] == b"2"


async def test_many_fetches_do_not_pile_up(mirror, origin, access, ran, monkeypatch):
    monkeypatch.setattr("fluvial.source.git.mirror._PACKS", 0)
    commit = origin.commit({"a": "1"})
    await mirror.fetch((await mirror.resolve(MAIN, access))[0], access)
    assert ran[-1] == "gc"
    assert files(mirror, commit)["a"] == b"1"


async def test_an_empty_remote(mirror, origin, access):
    with pytest.raises(RepositoryEmpty, match="no references"):
        await mirror.resolve(MAIN, access)


async def test_a_branch_that_is_not_there(mirror, origin, access):
    origin.commit({"a": "1"})
    with pytest.raises(ReferenceNotFound, match="refs/heads/gone"):
        await mirror.resolve(Reference(branch="gone"), access)


async def test_a_remote_that_is_not_there(mirror):
    with pytest.raises(CommandFailed):
        await mirror.resolve(MAIN, Access.to("http://git.test/none.git"))


async def test_a_commit_that_is_not_there(mirror, origin, access):
    origin.commit({"a": "1"})
    [target] = await mirror.resolve(Reference(commit="1" * 40), access)
    with pytest.raises(CommandFailed, match=r"not our ref|remote error"):
        await mirror.fetch(target, access)
