import tarfile

import pytest

READY = ("True", "Succeeded")


def names(system, status):
    with tarfile.open(system.storage / status["artifact"]["path"]) as archive:
        return [member.name for member in archive if member.isfile()]


@pytest.fixture(autouse=True)
def base(origin):
    other = type(origin)(origin.path.with_name("base.git"))
    other.commit({"k/x.yaml": "x", "k/README": "r", "top": "t"})
    return other


async def test_an_included_artifact_is_laid_over_the_tree(system, origin):
    origin.commit({"a": "1", "vendor/k/old": "o"})
    system.apply("base")
    async with system.running():
        included = await system.until(name="base", Ready=READY)
        system.apply(
            include=[
                {"repository": {"name": "base"}},
                {"repository": {"name": "base"}, "fromPath": "./k", "toPath": "vendor/k/"},
            ],
            ignore="README",
        )
        status = await system.until(Ready=READY)
    assert names(system, status) == [
        *("a", "base/k/x.yaml", "base/top"),
        *("vendor/k/old", "vendor/k/x.yaml"),
    ]
    assert status["includedArtifacts"] == [included["artifact"]] * 2
    assert len(status["observedInclude"]) == 2


async def test_its_next_artifact_wakes_those_that_include_it(system, origin, base, requested):
    origin.commit({"a": "1"})
    system.apply("base")
    system.apply(include=[{"repository": {"name": "base"}}])
    async with system.running():
        await system.until(Ready=READY)
        base.commit({"new": "n"})
        system.apply("base", annotations=requested("t"))
        await system.api.until(lambda: "base/new" in names(system, system.status()))


@pytest.mark.parametrize(("there", "reason"), [(False, "NotFound"), (True, "NoArtifact")])
async def test_one_that_is_missing_is_waited_for(system, origin, there, reason):
    origin.commit({"a": "1"})
    if there:
        system.apply("base", suspend=True)
    system.apply(include=[{"repository": {"name": "base"}}])
    async with system.running():
        await system.until(IncludeUnavailable=("True", reason))
        await system.until(Ready=("False", reason))
        system.apply("base")
        await system.until(Ready=READY)
    assert system.condition("IncludeUnavailable") is None


@pytest.mark.parametrize(
    ("include", "reason"),
    [
        ({"toPath": "../../x"}, "IllegalPath"),
        ({"fromPath": "k/../../.."}, "IllegalPath"),
        ({"fromPath": "gone"}, "CopyFailure"),
    ],
)
async def test_paths_that_lead_nowhere(system, origin, include, reason):
    origin.commit({"a": "1"})
    system.apply("base")
    async with system.running():
        await system.until(name="base", Ready=READY)
        system.apply(include=[{"repository": {"name": "base"}, **include}])
        await system.until(Ready=("False", reason))
        assert system.condition("StorageOperationFailed")["reason"] == reason


async def test_a_fetch_that_works_again_is_not_blamed_for_a_missing_include(
    system, origin, requested
):
    hidden = origin.path.with_suffix(".hidden")
    origin.commit({"a": "1"})
    origin.path.rename(hidden)
    system.apply(include=[{"repository": {"name": "base"}}])
    async with system.running():
        await system.until(FetchFailed=("True", "GitOperationFailed"))
        hidden.rename(origin.path)
        system.apply(include=[{"repository": {"name": "base"}}], annotations=requested("t"))
        await system.until(Ready=("False", "NotFound"))
    assert system.condition("FetchFailed") is None
