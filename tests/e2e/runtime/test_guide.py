"""The two larger controllers of the guide, as processes in a pipeline with our own."""

import asyncio
import importlib.util

import pytest
from aiohttp import web
from harness import until

from fluvial.apis.kinds import EXTERNAL_ARTIFACT, GIT_REPOSITORY, KUSTOMIZATION
from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.testing import inconsistencies

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: downloaded\ndata:\n  text: {text}\n"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_ready(obj):
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in obj["status"]["conditions"]
    )


class Site:
    """A web server that answers with what it holds, and takes what is put."""

    def __init__(self):
        self.files = {}
        self.calls = []
        self.url = ""
        self.moved = asyncio.Event()

    async def handle(self, request):
        path = request.path.lstrip("/")
        self.calls.append((request.method, path))
        try:
            if request.method == "PUT":
                self.files[path] = await request.text()
            elif request.method == "DELETE":
                if self.files.pop(path, None) is None:
                    raise web.HTTPNotFound
            elif path not in self.files:
                raise web.HTTPNotFound
            return web.Response(text=self.files.get(path, ""))
        finally:
            self.moved.set()

    async def until(self, holds):
        async with asyncio.timeout(60):
            while not holds():
                self.moved.clear()
                await self.moved.wait()


@pytest.fixture
async def site():
    made = Site()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


@pytest.fixture(scope="module")
def pipeline(make_harness):
    harness = make_harness("guide")
    harness.start_plane()
    harness.define()
    return harness


async def create(client, resource, name, spec):
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
    await client.create(resource, obj | {"metadata": {"name": name}}, "default")


async def asked(client, resource, name, token):
    edit = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}}
    await client.patch(resource, name, edit, "default", type="merge")


@pytest.fixture
def controller(pipeline, pages, tmp_path, monkeypatch):
    """Save a controller of the guide, install its kind, and start it."""
    started = []

    def start(name, kind, *arguments):
        path = pages(name)
        module = load(path)
        monkeypatch.setenv("PYTHONPATH", str(path.parent))
        started.append(pipeline.start_controller(path.stem, *arguments))
        return resource_of_kind(getattr(module, kind))

    yield start
    for process in started:
        process.stop()


async def test_a_download_is_applied(pipeline, pages, controller, site, tmp_path):
    await pipeline.define_within([load(pages("downloads.py")).DOWNLOAD])
    downloads = controller(
        "downloads.py", "DOWNLOAD", f"--storage-path={tmp_path}", "--storage-port=0"
    )
    kustomize = pipeline.start_controller(
        "fluvial.kustomize", "--feature-gates=ExternalArtifact=true"
    )
    site.files["app.yaml"] = MANIFEST.format(text="one")
    async with pipeline.client() as client:
        await create(client, downloads, "app", {"url": f"{site.url}/app.yaml"})
        source = {"kind": "ExternalArtifact", "name": "app"}
        wanted = {
            "interval": "1h",
            "prune": True,
            "sourceRef": source,
            "targetNamespace": "default",
        }
        await create(client, resource_of_kind(KUSTOMIZATION), "app", wanted)
        await until(
            client, CONFIG_MAP, "downloaded", "default", lambda o: o["data"]["text"] == "one"
        )
        done = await until(client, downloads, "app", "default", is_ready)
        assert inconsistencies(done) == []

        site.files["app.yaml"] = MANIFEST.format(text="two")
        await asked(client, downloads, "app", "now")
        await until(
            client, CONFIG_MAP, "downloaded", "default", lambda o: o["data"]["text"] == "two"
        )

        del site.files["app.yaml"]
        await asked(client, downloads, "app", "again")
        failed = await until(
            client,
            downloads,
            "app",
            "default",
            lambda o: "404" in str(o["status"]["conditions"]),
        )
        assert inconsistencies(failed) == []
        kept = await client.get(resource_of_kind(EXTERNAL_ARTIFACT), "app", "default")
        assert kept["status"]["artifact"]["revision"] == failed["status"]["revision"]

        await client.delete(downloads, "app", "default")
        await until(client, downloads, "app", "default", is_ready, gone=True)
        assert not list(tmp_path.rglob("*.tar.gz"))
    kustomize.stop()


async def test_files_become_records(pipeline, pages, controller, site):
    await pipeline.define_within([load(pages("records.py")).RECORD_SET])
    records = controller("records.py", "RECORD_SET")
    pipeline.start_githost()
    pipeline.start_source()
    repository = pipeline.repository("records")
    repository.push({"a.txt": "first", "more/b.txt": "second"})
    async with pipeline.client() as client:
        git = resource_of_kind(GIT_REPOSITORY)
        where = {"interval": "1h", "url": repository.url, "ref": {"branch": "main"}}
        await create(client, git, "records", where)
        await create(
            client, records, "all", {"repository": "records", "endpoint": f"{site.url}/v1"}
        )
        await site.until(lambda: site.files == {"v1/a.txt": "first", "v1/more/b.txt": "second"})
        revision = repository.push({"a.txt": "changed"})
        await asked(client, git, "records", "now")
        done = await until(
            client, records, "all", "default", lambda o: o["status"]["revision"] == revision
        )
        assert site.files == {"v1/a.txt": "changed"}
        assert done["status"]["records"] == ["a.txt"]
        assert inconsistencies(await until(client, records, "all", "default", is_ready)) == []
        await client.delete(records, "all", "default")
        await until(client, records, "all", "default", is_ready, gone=True)
        assert site.files == {}
