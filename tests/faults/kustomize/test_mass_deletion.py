"""K3, K9: whatever becomes of a source or of an owner, nothing is deleted that should live."""

import pytest
from delivery import GIT, KUSTOMIZATIONS

from fluvial.toolkit import CONFIG_MAP


def config_map(name):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '1'\n"


async def alive(team):
    found = await team.client.list(CONFIG_MAP, team.name)
    return {obj["metadata"]["name"] for obj in found.items if "key" in obj["data"]}


@pytest.fixture
async def applied(team):
    """Apply three objects from a folder."""
    files = {f"app/{name}.yaml": config_map(name) for name in "abc"}
    team.repository.push(files)
    await team.source()
    await team.kustomization(path="./app")
    await team.until_ready()
    return team


@pytest.mark.parametrize(
    ("files", "reason", "why"),
    [
        ({"README.md": "moved"}, "ArtifactFailed", "the folder is gone from the source"),
        ({"app/README.md": "empty"}, "PruneFailed", "the folder renders no objects"),
        ({"app/a.yaml": "kind: ["}, "BuildFailed", "the folder is broken"),
    ],
)
async def test_k3_a_source_that_empties_deletes_nothing(applied, files, reason, why):
    await applied.push(files)
    await applied.until_ready("False", reason)
    assert await alive(applied) == set("abc"), why
    assert len((await applied.status())["inventory"]["entries"]) == 3
    revision = await applied.push({"app/a.yaml": config_map("a"), "app/b.yaml": config_map("b")})
    await applied.until_ready(revision=revision)
    assert await alive(applied) == set("ab"), "and afterwards all goes on"


async def test_k3_a_typo_in_the_path_deletes_nothing(applied):
    await applied.kustomization(path="./ap")
    await applied.until_ready("False", "ArtifactFailed", part="ap")
    assert await alive(applied) == set("abc")


async def test_k3_a_source_that_vanishes_deletes_nothing(applied):
    await applied.client.delete(GIT, "app", applied.name)
    await applied.until(GIT, "app", gone=True)
    await applied.request(KUSTOMIZATIONS, "app")
    await applied.until_ready("False", "ArtifactFailed", part="not found")
    assert await alive(applied) == set("abc")


async def test_k9_an_object_that_has_moved_is_never_deleted(applied):
    """The old owner comes last, as it does when both wake at once and the new one is quicker."""
    before = await applied.get(CONFIG_MAP, "c")
    await applied.kustomization(path="./app", suspend=True)
    moved = {"app/a.yaml": config_map("a"), "other/c.yaml": config_map("c")}
    revision = await applied.push(moved)
    await applied.kustomization("other", path="./other")
    await applied.until_ready(name="other", revision=revision)
    await applied.kustomization(path="./app")
    await applied.until_ready(revision=revision)
    await applied.until(CONFIG_MAP, "b", gone=True)
    after = await applied.get(CONFIG_MAP, "c")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "other"
    owned = {
        name: [entry["id"] for entry in (await applied.status(name))["inventory"]["entries"]]
        for name in ("app", "other")
    }
    assert owned == {
        "app": [f"{applied.name}_a__ConfigMap"],
        "other": [f"{applied.name}_c__ConfigMap"],
    }


async def test_k9_an_object_that_moves_within_a_commit_is_never_deleted(team):
    """The old owner is quicker: the new one has fifty objects to apply before this one."""
    many = {f"new/m{n:02}.yaml": config_map(f"m{n:02}") for n in range(50)}
    moving, moved = {"old/z.yaml": config_map("z")}, {"new/z.yaml": config_map("z")}
    kept = {"old/a.yaml": config_map("a"), **many}
    revision = team.repository.push({**kept, **moving})
    await team.source()
    for name in ("old", "new"):
        await team.kustomization(name, path=f"./{name}")
        await team.until_ready(name=name, revision=revision)
    before = await team.get(CONFIG_MAP, "z")
    for files in (moved, moving, moved):
        revision = await team.push({**kept, **files})
        await team.until_ready(name="new", revision=revision)
        await team.until_ready(name="old", revision=revision)
        owner = "new" if files is moved else "old"
        await team.until(
            CONFIG_MAP,
            "z",
            lambda o, owner=owner: o["metadata"]["labels"][f"{KUSTOMIZATIONS.group}/name"] == owner,
        )
        after = await team.get(CONFIG_MAP, "z")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]

        def holds(obj):
            ids = [entry["id"] for entry in obj["status"]["inventory"]["entries"]]
            return not any("_z__" in one for one in ids)

        await team.until(KUSTOMIZATIONS, "old" if owner == "new" else "new", holds)
