"""Applying and removing the objects of a release, on a cluster in memory."""

import pytest
from aiohttp import web

from fluvial.apis.ids import ObjectId
from fluvial.helm.engine.objects import Objects
from fluvial.helm.engine.ordering import uninstall_order
from fluvial.helm.errors import ActionFailed
from fluvial.toolkit import Client
from fluvial.toolkit.testing import FakeApi, FakeClock


class Cluster(FakeApi):
    """Knows as much of server-side apply as these tests need: the body becomes the object."""

    def __init__(self):
        super().__init__()
        self.faults.append(self._apply)

    def _apply(self, request):
        if "apply-patch" not in request.headers.get("Content-Type", ""):
            return None
        return web.json_response(self.put(request.body))

    def refuse(self, name, message):
        def fault(request):
            if request.method != "GET" and request.path.endswith(f"/{name}"):
                body = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}
                return web.json_response(body, status=403)
            return None

        self.faults.insert(0, fault)

    def written(self, method="PATCH"):
        return [r.path.rpartition("/")[2] for r in self.writes() if r.method == method]


@pytest.fixture
async def api():
    async with Cluster() as cluster:
        yield cluster


@pytest.fixture
async def objects(api, model):
    async with Client(api.config) as client:
        yield Objects(client, "app", "default", FakeClock(), model())


def config(name, kind="ConfigMap", **metadata):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


async def test_what_is_applied_says_whose_it_is(api, objects):
    created = await objects.apply([config("a")])
    assert created == [ObjectId("", "ConfigMap", "default", "a")]
    metadata = api.get("ConfigMap", "a")["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert metadata["annotations"] == {
        "meta.helm.sh/release-name": "app",
        "meta.helm.sh/release-namespace": "default",
    }


async def test_only_what_was_not_there_counts_as_created(api, objects):
    api.put(config("a", namespace="default"))
    created = await objects.apply([config("a"), config("b")])
    assert [one.name for one in created] == ["b"]


async def test_an_install_stops_at_the_first_failure(api, objects):
    api.refuse("b", "not for you")
    with pytest.raises(ActionFailed, match="ConfigMap/b: not for you"):
        await objects.apply([config("a"), config("b"), config("c")])
    assert api.written() == ["a", "b"]


async def test_an_upgrade_goes_on_and_tells_all_failures(api, objects):
    api.refuse("a", "first")
    api.refuse("c", "second")
    with pytest.raises(ActionFailed, match="ConfigMap/a: first && ConfigMap/c: second"):
        await objects.apply([config("a"), config("b"), config("c")], stop=False)
    assert "b" in api.written()


async def test_what_belongs_to_others_is_refused_where_it_may_not_be_taken(api, objects):
    api.put(config("a", namespace="default"))
    with pytest.raises(ActionFailed, match="cannot be imported into the current release"):
        await objects.apply([config("a")], adopt=False)
    assert api.written() == []
    await objects.apply([config("a")], adopt=False, known=await objects.identify([config("a")]))
    await objects.apply([config("a")], adopt=False)


async def test_an_error_never_shows_the_values_of_a_secret(api, objects):
    secret = {**config("s", "Secret"), "stringData": {"password": "hunter22hunter22"}}
    api.refuse("s", "bad value aHVudGVyMjJodW50ZXIyMg== or hunter22hunter22")
    with pytest.raises(ActionFailed, match="Secret/s") as caught:
        await objects.apply([secret])
    assert "hunter22" not in str(caught.value)


async def test_what_is_no_longer_wanted_goes_unless_the_live_one_asks_to_stay(api, objects):
    before = [config("a"), config("b"), config("kept"), config("gone")]
    await objects.apply(before[:3])
    keep = {"helm.sh/resource-policy": "keep"}
    api.put(config("kept", namespace="default", annotations=keep))
    removed = await objects.remove_stale(before, [config("a")])
    assert [one.name for one in removed] == ["b"]
    assert api.written("DELETE") == ["b"]


async def test_an_uninstall_leaves_what_the_manifest_keeps(api, objects):
    kept = config("kept", annotations={"helm.sh/resource-policy": "keep"})
    await objects.apply([config("a"), kept])
    removed = await objects.delete([config("a"), kept])
    assert [one.name for one in removed] == ["a"]


def test_the_order_of_an_uninstall_is_helms():
    kinds = ["Namespace", "Zebra", "Secret", "Deployment", "Service", "Ape", "Ingress"]
    found = [one["kind"] for one in uninstall_order([config("a", kind) for kind in kinds])]
    assert found == ["Ingress", "Service", "Deployment", "Secret", "Namespace", "Ape", "Zebra"]
