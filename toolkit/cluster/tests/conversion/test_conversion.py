"""Custom resources in versions that a webhook makes: reads, writes, lists and watches."""

import asyncio

import pytest

from fluvial.cluster.endpoints import Target, WriteOptions
from fluvial.cluster.errors import StatusError

V1, V2 = "example.com/v1/widgets", "example.com/v2/widgets"
DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN = 20


async def refusal(call):
    with pytest.raises(StatusError) as error:
        await call
    return error.value


def stored(endpoints, name="a"):
    return endpoints.store.get("example.com/widgets", ("default", name)).object


async def test_an_object_is_stored_in_one_version_and_shown_in_both(
    api, endpoints, widgets, converter
):
    made = await api.create(widgets("v2", count=3))
    assert (made["apiVersion"], made["spec"]) == ("example.com/v2", {"count": 3})
    assert (stored(endpoints)["apiVersion"], stored(endpoints)["spec"]) == (
        "example.com/v1", {"size": 3},
    )  # fmt: skip
    assert (await api.get(V1, "default", "a"))["spec"] == {"size": 3}
    assert (await api.get(V2, "default", "a")) == made
    assert converter.asked[:2] == [("example.com/v1", ["a"]), ("example.com/v2", ["a"])]


async def test_the_storage_version_asks_nobody(api, widgets, converter):
    await api.create(widgets(size=1))
    await api.patch_merge(V1, "default", "a", {"spec": {"size": 2}})
    assert [each["spec"] for each in await api.list(V1)] == [{"size": 2}]
    await api.delete(V1, "default", "a")
    assert converter.asked == []


async def update(api, spec):
    old = await api.get(V2, "default", "a")
    return await api.update({**old, "spec": spec})


async def patch(api, spec):
    return await api.patch_merge(V2, "default", "a", {"spec": spec})


async def apply(api, spec):
    meta = {"name": "a", "namespace": "default"}
    return await api.apply(
        {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": meta, "spec": spec}
    )


@pytest.mark.parametrize("write", [update, patch, apply], ids=lambda write: write.__name__)
async def test_a_write_in_another_version(api, endpoints, widgets, write):
    old = await api.create(widgets(size=1))
    made = await write(api, {"count": 2})
    assert made["spec"] == {"count": 2}
    assert stored(endpoints)["spec"] == {"size": 2}
    assert made["metadata"]["generation"] == old["metadata"]["generation"] + 1
    assert made["metadata"]["resourceVersion"] == stored(endpoints)["metadata"]["resourceVersion"]


async def test_a_write_that_changes_nothing_stores_nothing(api, widgets):
    old = await api.create(widgets("v2", count=1))
    assert await patch(api, {"count": 1}) == old


async def test_status_and_scale_in_another_version(api, endpoints, widgets):
    await api.create(widgets(size=1))
    old = await api.get(V2, "default", "a")
    assert (await api.update_status({**old, "status": {"ready": 1}}))["status"] == {"ready": 1}
    scale = await api.patch_merge(V2, "default", "a", {"spec": {"replicas": 4}}, "scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 4}, {"replicas": 1})
    assert stored(endpoints)["spec"] == {"size": 4}


async def test_a_list_and_its_selectors_are_of_the_version_asked_for(api, widgets, converter):
    for number in range(3):
        await api.create(widgets(name=f"w{number}", size=number))
    assert [each["spec"] for each in await api.list(V2)] == [{"count": n} for n in range(3)]
    assert converter.asked == [("example.com/v2", ["w0", "w1", "w2"])]
    found = await api.list(V2, field_selector="spec.count=1")
    assert [each["metadata"]["name"] for each in found] == ["w1"]
    assert len(converter.asked) == 1  # what was made for the first list is kept


async def test_a_get_is_converted_each_time(api, widgets, converter):
    await api.create(widgets(size=1))
    await api.get(V2, "default", "a")
    converter.spoil = lambda obj: {**obj, "spec": {"count": 9}}
    assert (await api.get(V2, "default", "a"))["spec"] == {"count": 9}


async def test_a_watch_shows_every_change_in_its_version(api, widgets):
    await api.create(widgets(name="old", size=1))
    changes = api.watch(V2, field_selector="spec.count!=7")
    seen = []
    async with asyncio.timeout(WITHIN):
        seen.append(await anext(changes))
        await api.create(widgets(name="new", size=2))
        seen.append(await anext(changes))
        await api.patch_merge(V1, "default", "new", {"spec": {"size": 7}})
        seen.append(await anext(changes))
        await api.delete(V1, "default", "old")
        seen.append(await anext(changes))
    await changes.aclose()
    assert [(kind, obj["apiVersion"], obj["metadata"]["name"]) for kind, obj in seen] == [
        ("ADDED", "example.com/v2", "old"),
        ("ADDED", "example.com/v2", "new"),
        ("DELETED", "example.com/v2", "new"),  # it left the selection
        ("DELETED", "example.com/v2", "old"),
    ]
    assert [obj["spec"] for _, obj in seen] == [{"count": n} for n in (1, 2, 2, 1)]


async def test_those_who_want_the_same_ask_once(api, widgets, converter):
    for number in range(3):
        await api.create(widgets(name=f"w{number}", size=number))
    async with asyncio.timeout(WITHIN):
        lists = await asyncio.gather(*(api.list(V2) for _ in range(5)))
    assert all(found == lists[0] for found in lists)
    assert converter.asked == [("example.com/v2", ["w0", "w1", "w2"])]


async def test_a_long_list_is_asked_for_in_parts_and_each_of_them_once(api, widgets, converter):
    for number in range(150):
        await api.create(widgets(name=f"w{number:03}", size=number))
    async with asyncio.timeout(WITHIN):
        lists = await asyncio.gather(*(api.list(V2) for _ in range(3)))
    assert [each["spec"]["count"] for each in lists[2]] == list(range(150))
    assert sorted(len(names) for _, names in converter.asked) == [22, 64, 64]


async def test_those_who_wait_for_a_conversion_are_told_that_it_failed(api, widgets, converter):
    await api.create(widgets(size=1))
    converter.spoil = lambda obj: {**obj, "kind": "Gadget"}
    async with asyncio.timeout(WITHIN):
        results = await asyncio.gather(*(api.list(V2) for _ in range(3)), return_exceptions=True)
    assert [each.code for each in results] == [500, 500, 500]
    assert len(converter.asked) == 1


async def test_who_gives_up_during_a_conversion_takes_nobody_along(api, widgets, converter):
    await api.create(widgets(size=1))
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(wanted):
        entered.set()
        await go_on.wait()

    converter.before = slow
    async with asyncio.timeout(WITHIN):
        first = asyncio.create_task(api.list(V2))
        await entered.wait()
        second = asyncio.create_task(api.list(V2))
        await asyncio.sleep(0)
        first.cancel()
        go_on.set()
        assert [each["spec"] for each in await second] == [{"count": 1}]
    assert len(converter.asked) == 2


async def test_a_watch_ends_with_what_its_webhook_says(api, widgets, converter):
    await api.create(widgets(size=1))
    converter.answer = lambda review: {
        **review, "response": {**review["response"], "result": {"message": "no"}},
    }  # fmt: skip
    changes = api.watch(V2)
    async with asyncio.timeout(WITHIN):
        found = await refusal(anext(changes))
    assert (found.code, found.message) == (
        500, "conversion webhook for example.com/v1, Kind=Widget failed: no",
    )  # fmt: skip


async def test_a_watch_ends_when_the_definition_changes(api, widgets, registrar):
    await api.create(widgets(size=1))
    changes = api.watch(V2)
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        await anext(changes)
        last = group.create_task(anext(changes, "the end"))
        await asyncio.sleep(0)
        webhook = {"conversionReviewVersions": ["v1", "v1beta1"]}
        change = {"spec": {"conversion": {"webhook": webhook}}}
        await api.patch_merge(DEFINITIONS, None, "widgets.example.com", change)
        registrar.step()
    assert last.result() == "the end"


async def test_a_delete_in_another_version(api, endpoints, widgets):
    held = widgets(size=1)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await api.create(held)
    made = await api.delete(V2, "default", "a")
    assert (made["apiVersion"], made["spec"]) == ("example.com/v2", {"count": 1})
    assert made["metadata"]["deletionTimestamp"]
    assert stored(endpoints)["apiVersion"] == "example.com/v1"
    await api.patch_merge(V2, "default", "a", {"metadata": {"finalizers": None}})
    assert (await refusal(api.get(V1, "default", "a"))).code == 404


async def test_what_comes_in_during_a_conversion_is_not_overwritten(api, widgets, converter):
    await api.create(widgets(size=1))
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(wanted):
        if wanted == "example.com/v1" and not entered.is_set():
            entered.set()
            await go_on.wait()

    converter.before = slow
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        mine = group.create_task(patch(api, {"count": 2}))
        await entered.wait()
        await api.patch_merge(V1, "default", "a", {"spec": {"note": "theirs"}})
        go_on.set()
    assert mine.result()["spec"] == {"count": 2, "note": "theirs"}


async def test_only_one_of_two_creates_wins(api, widgets, converter):
    both = asyncio.Barrier(2)

    async def together(wanted):
        if wanted == "example.com/v1":
            await both.wait()

    converter.before = together
    async with asyncio.timeout(WITHIN):
        results = await asyncio.gather(
            api.create(widgets("v2", count=1)),
            api.create(widgets("v2", count=2)),
            return_exceptions=True,
        )
    failed = [each for each in results if isinstance(each, StatusError)]
    assert [each.reason for each in failed] == ["AlreadyExists"]


async def test_objects_of_an_earlier_storage_version_stay_as_they_are(
    api, endpoints, registrar, definition, widgets
):
    await api.create(widgets(size=1))
    found = await api.get(DEFINITIONS, None, "widgets.example.com")
    await api.update({**found, "spec": definition("v2")["spec"]})
    registrar.step()
    assert stored(endpoints)["apiVersion"] == "example.com/v1"
    assert (await api.get(V2, "default", "a"))["spec"] == {"count": 1}
    await api.patch_merge(V1, "default", "a", {"spec": {"size": 2}})
    assert (stored(endpoints)["apiVersion"], stored(endpoints)["spec"]) == (
        "example.com/v2", {"count": 2},
    )  # fmt: skip


async def test_a_definition_goes_with_its_objects_though_its_webhook_is_gone(
    api, registrar, definition, widgets
):
    await api.create(widgets(size=1))
    dead = {"clientConfig": {"url": "https://127.0.0.1:1/", "caBundle": None}}
    found = await api.get(DEFINITIONS, None, "widgets.example.com")
    await api.update({**found, "spec": definition("v2", **dead)["spec"]})
    registrar.step()
    assert (await refusal(api.get(V2, "default", "a"))).code == 500
    await api.delete(DEFINITIONS, None, "widgets.example.com")
    registrar.step()
    assert not api.serves(V1)


async def test_a_dry_run_is_converted_and_not_stored(api, endpoints, widgets, converter):
    found = endpoints.catalog.find_kind("example.com", "v2", "Widget")
    target = Target(found, "default", "a")
    made = await endpoints.create(target, widgets("v2", count=1), WriteOptions(dry_run=True))
    assert made["spec"] == {"count": 1}
    assert len(converter.asked) == 2
    assert (await refusal(api.get(V1, "default", "a"))).code == 404


async def test_the_webhook_may_be_behind_a_service(
    api, endpoints, registrar, definition, converter
):
    meta = {"name": "kubernetes", "namespace": "default"}  # the name that its certificate is for
    ports = [{"name": "https", "port": 443, "targetPort": 8443}]
    await api.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}}
    )
    labels = {"kubernetes.io/service-name": "kubernetes"}
    await api.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "s", "namespace": "default", "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": converter.served.port}],
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
        }
    )
    config = {"service": {**meta, "path": "/convert"}, "caBundle": converter.served.bundle}
    await api.create(definition(clientConfig=config))
    registrar.step()
    body = {"apiVersion": "example.com/v2", "kind": "Widget", "spec": {"count": 1}}
    await api.create({**body, "metadata": {"name": "a", "namespace": "default"}})
    assert stored(endpoints)["spec"] == {"size": 1}


async def test_objects_of_a_version_that_is_no_more_cannot_be_shown(
    api, registrar, definition, widgets, endpoints
):
    """Whoever takes a version out of `status.storedVersions` says that no object is in it."""
    await api.create(widgets(size=1))
    found = await api.get(DEFINITIONS, None, "widgets.example.com")
    spec = definition("v2")["spec"]
    await api.update({**found, "spec": spec})
    change = {"status": {"storedVersions": ["v2"]}}
    await api.patch_merge(DEFINITIONS, None, "widgets.example.com", change, "status")
    found = await api.get(DEFINITIONS, None, "widgets.example.com")
    spec = {**spec, "versions": spec["versions"][1:], "conversion": {"strategy": "None"}}
    await api.update({**found, "spec": spec})
    registrar.step()
    error = await refusal(api.get(V2, "default", "a"))
    assert (error.code, error.message) == (
        500, "request to convert CR from an invalid group/version: example.com/v1",
    )  # fmt: skip
