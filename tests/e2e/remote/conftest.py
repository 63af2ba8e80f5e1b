"""Two clusters: controllers and their objects in one, and what they apply in the other."""

import pytest
import pytest_asyncio
from delivery import KUSTOMIZATIONS, RELEASES, ready_of
from namespaces import NAMESPACES, Namespace, new_namespace
from offers import offering


@pytest.fixture(scope="module")
def clusters(make_harness, clouds):
    """Run two control planes, and the controllers against the first."""
    near, far = make_harness("near"), make_harness("far")
    far.start_plane(standins=False)
    near.start_plane(standins=False)
    near.define()
    arguments = ("--requeue-dependency=1s", "--max-retry-delay=1s", "--kube-api-qps=0")
    gates = "--feature-gates=ObjectLevelWorkloadIdentity=true"
    near.start_controller("fluvial.kustomize", gates, *arguments)
    near.start_controller("fluvial.helm", *arguments)
    return near, far


class Team(Namespace):
    """A namespace of the first cluster, and `far`: the one of the same name in the other."""

    def __init__(self, harness, client, name, offers, far):
        super().__init__(harness, client, name)
        self.offers = offers
        self.far = far

    async def access(self, name="far", text=None):
        """Store how to reach the other cluster."""
        text = self.far.harness.kubeconfig.read_text() if text is None else text
        await self.secret(name, value=text)

    async def kustomization(self, name="app", /, **spec):
        wanted = {
            "interval": "10m",
            "retryInterval": "1s",
            "prune": True,
            "targetNamespace": self.name,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            "kubeConfig": {"secretRef": {"name": "far"}},
            **spec,
        }
        await self.put(KUSTOMIZATIONS, name, spec=wanted)

    async def release(self, name="app", /, **spec):
        wanted = {
            "interval": "10m",
            "timeout": "20s",
            "chartRef": {"kind": "HelmChart", "name": "app"},
            "kubeConfig": {"secretRef": {"name": "far"}},
            **spec,
        }
        await self.put(RELEASES, name, spec=wanted)

    async def until_ready(self, resource=KUSTOMIZATIONS, name="app", *, status="True", part=""):
        """Wait for Ready with a status and a part of the message; returns the object."""

        def holds(obj):
            ready = ready_of(obj)
            return ready["status"] == status and part in ready["message"]

        return await self.until(resource, name, holds)


@pytest_asyncio.fixture
async def team(clusters, tmp_path):
    near, far = clusters
    async with (
        new_namespace(near) as (client, name),
        far.client() as there,
        offering(tmp_path) as offers,
    ):
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await there.create(NAMESPACES, obj)
        yield Team(near, client, name, offers, Namespace(far, there, name))
        await there.delete(NAMESPACES, name)
