"""Records as Secrets, on a cluster in memory."""

from datetime import UTC, datetime

import pytest

from fluvial.helm.errors import RecordInvalid
from fluvial.helm.storage import Storage
from fluvial.toolkit import Client
from fluvial.toolkit.testing import FakeApi

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def api():
    async with FakeApi() as api:
        yield api


@pytest.fixture
async def storage(api):
    async with Client(api.config) as client:
        yield Storage(client, "default", "app", "helm-controller")


def secret(api, version=1):
    return api.get("Secret", f"sh.helm.release.v1.app.v{version}")


async def test_a_record_is_a_secret_of_helms_type(api, storage, record):
    assert not storage.created
    await storage.create(record(), NOW)
    assert storage.created
    found = secret(api)
    assert found["type"] == "helm.sh/release.v1"
    assert found["metadata"]["labels"] == {
        "name": "app",
        "owner": "helm",
        "status": "deployed",
        "version": "1",
        "createdAt": "1767225600",
    }


async def test_an_update_moves_the_labels_and_leaves_those_of_others(api, storage, record):
    await storage.create(record(), NOW)
    found = secret(api)
    found["metadata"]["labels"]["team"] = "a"
    api.put(found)
    await storage.update(record(status="superseded"), NOW)
    labels = secret(api)["metadata"]["labels"]
    assert (labels["status"], labels["modifiedAt"]) == ("superseded", "1767225600")
    assert labels["team"] == "a"
    assert "createdAt" not in labels


async def test_the_newest_comes_first_by_number(storage, record):
    for version in (2, 10, 9):
        await storage.create(record(version), NOW)
    assert [one.version for one in await storage.records()] == [10, 9, 2]


async def test_a_broken_one_is_named(api, storage, record):
    await storage.create(record(), NOW)
    api.put({**secret(api), "data": {"release": "!"}})
    with pytest.raises(RecordInvalid, match=r"Secret/default/sh\.helm\.release\.v1\.app\.v1"):
        await storage.records()


async def test_deleting_what_is_gone_is_no_error(storage, record):
    await storage.create(record(), NOW)
    await storage.delete(1)
    await storage.delete(1)
    assert await storage.records() == []


@pytest.mark.parametrize(
    ("statuses", "limit", "left", "reason"),
    [
        (["superseded"] * 3, 0, [3, 2, 1], "no limit"),
        (["superseded"] * 3, 5, [3, 2, 1], "room enough"),
        (["superseded"] * 5, 5, [5, 4, 3, 2], "one more will be made"),
        (["deployed", "failed", "failed", "failed"], 3, [4, 1], "the deployed one stays"),
        (["superseded", "superseded"], 1, [], "only the new one is kept"),
    ],
)
async def test_prune(storage, record, statuses, limit, left, reason):  # noqa: PLR0917 - a table
    for version, status in enumerate(statuses, 1):
        await storage.create(record(version, status), NOW)
    await storage.prune(await storage.records(), limit)
    assert [one.version for one in await storage.records()] == left, reason
