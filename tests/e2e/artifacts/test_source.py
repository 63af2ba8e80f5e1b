"""The source controller with its artifacts in a bucket."""

import asyncio

from harness import until

from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.toolkit.artifacts import BucketStore, Fetcher
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)


def repository(name, url, **spec):
    return {
        "apiVersion": GIT.api_version,
        "kind": "GitRepository",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"url": url, "interval": "1h", "ref": {"branch": "main"}, **spec},
    }


def artifact_of(obj):
    ready = next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")
    assert ready["status"] != "False", ready["message"]
    return ready["status"] == "True" and obj["status"]["artifact"]


async def fetched(artifact, folder):
    async with (
        Fetcher(folder) as fetcher,
        fetcher.tree(artifact["url"], artifact["digest"]) as tree,
    ):
        return {p.relative_to(tree).as_posix(): p.read_text() for p in tree.rglob("*.yaml")}


async def test_a_push_goes_through_the_bucket(make_harness, bucket, tmp_path):
    harness = make_harness("bucket")
    where = f"s3://{bucket.name}/{bucket.prefix}?endpoint={bucket.endpoint}"
    await asyncio.to_thread(harness.start_plane, standins=False)
    await harness.define_within([GIT_REPOSITORY])
    await asyncio.to_thread(harness.start_githost)
    await asyncio.to_thread(harness.start_source, f"--storage-bucket={where}")
    base, apps = harness.repository("base"), harness.repository("apps")
    base.push({"base.yaml": "x: 0\n"})
    apps.push({"apps.yaml": "x: 1\n"})

    async with harness.client() as client:
        await client.create(GIT, repository("base", base.url), "default")
        await until(client, GIT, "base", "default", artifact_of)
        include = [{"repository": {"name": "base"}, "toPath": "from/base"}]
        await client.create(GIT, repository("apps", apps.url, include=include), "default")
        obj = await until(client, GIT, "apps", "default", artifact_of)

    artifact = obj["status"]["artifact"]
    assert await fetched(artifact, tmp_path / "fetched") == {
        "apps.yaml": "x: 1\n",
        "from/base/base.yaml": "x: 0\n",
    }
    async with BucketStore(bucket, "") as store:
        assert await store.verify(artifact["path"], artifact["digest"])
    assert not list(harness.storage.iterdir()), "nothing of it is on the disk"
