"""A control plane with a database goes on where it was, however it ended."""

import signal

import pytest
from harness import DEFINITIONS, until

from fluvial.apis.definition import define
from fluvial.apis.schema import Model
from fluvial.toolkit import CONFIG_MAP, Resource
from fluvial.toolkit.client import resource_of_kind

SERVICES = Resource("", "v1", "services", "Service")


class Spec(Model, kw_only=True):
    size: int = 0


WIDGET = define("example.com/v1", "Widget", Spec)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
async def test_everything_is_there_again(make_harness, number):
    harness = make_harness("restarts")
    database = harness.folder / "plane.db"
    plane = harness.start_plane(f"--database={database}", standins=False)
    await harness.define_within([WIDGET])
    widgets = resource_of_kind(WIDGET)
    async with harness.client() as client:
        created = await client.create(
            CONFIG_MAP, {"metadata": {"name": "a"}, "data": {"key": "1"}}, "default"
        )
        widget = {"apiVersion": WIDGET.api_version, "kind": "Widget", "metadata": {"name": "w"}}
        await client.create(widgets, widget | {"spec": {"size": 3}}, "default")
        service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
        taken = await client.create(SERVICES, service, "default")
        await client.patch(CONFIG_MAP, "a", {"data": {"key": "2"}}, "default")
        last = await client.get(CONFIG_MAP, "a", "default")
        config = harness.kubeconfig.read_text()

    plane.stop(number)
    (harness.folder / "plane.ready").unlink()
    plane.start()
    plane.wait_for((harness.folder / "plane.ready").exists)

    async with harness.client() as client:
        assert await client.get(CONFIG_MAP, "a", "default") == last
        kept = await client.get(widgets, "w", "default")
        assert kept["spec"] == {"size": 3}
        definition = await client.get(DEFINITIONS, "widgets.example.com")
        assert definition["status"]["conditions"][-1]["status"] == "True"
        events = client.watch(
            CONFIG_MAP, "default", resource_version=created["metadata"]["resourceVersion"]
        )
        event = await anext(events)
        assert event.object["metadata"]["resourceVersion"] == last["metadata"]["resourceVersion"]
        await events.aclose()
        service = {"metadata": {"name": "t"}, "spec": {"ports": [{"port": 80}]}}
        another = await client.create(SERVICES, service, "default")
        assert another["spec"]["clusterIP"] != taken["spec"]["clusterIP"]
        await client.patch(CONFIG_MAP, "a", {"data": {"key": "3"}}, "default")
        await until(client, CONFIG_MAP, "a", "default", lambda o: o["data"]["key"] == "3")
        newest = await client.get(CONFIG_MAP, "a", "default")
        versions = [int(obj["metadata"]["resourceVersion"]) for obj in (last, newest)]
        assert versions == sorted(versions)
    certificate = "certificate-authority-data"
    assert [line for line in config.splitlines() if certificate in line] == [
        line for line in harness.kubeconfig.read_text().splitlines() if certificate in line
    ], "whoever trusted it still does"
