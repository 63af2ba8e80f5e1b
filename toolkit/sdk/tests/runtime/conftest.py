import pytest

from fluvial.toolkit import Manager
from fluvial.toolkit.testing import FakeApi, FakeClock, quiet_flags


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server


@pytest.fixture
def make_manager(api):
    def make(clock=None, **flags):
        return Manager("test-controller", quiet_flags(**flags), api.config, clock=clock)

    return make


@pytest.fixture
def kustomization():
    def make(name="apps", /, annotations=None, labels=None, **spec):
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {
                "name": name,
                "namespace": "default",
                "annotations": annotations or {},
                "labels": labels or {},
            },
            "spec": {
                "interval": "10m",
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": "app"},
                **spec,
            },
        }

    return make


@pytest.fixture
def repository():
    def make(name="app", revision=None):
        obj = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"interval": "1m", "url": "https://example.com/app.git"},
        }
        if revision:
            obj["status"] = {
                "artifact": {
                    "path": "gitrepository/default/app/1.tar.gz",
                    "url": "http://source/gitrepository/default/app/1.tar.gz",
                    "revision": revision,
                    "digest": "sha256:" + "0" * 64,
                    "lastUpdateTime": "2026-01-01T00:00:00Z",
                }
            }
        return obj

    return make
