"""The cluster's own controllers, while a conversion webhook answers nobody."""

import asyncio

from fluvial.cluster.plane import ControlPlane, Options

DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACES = "v1/namespaces"
WITHIN = 30.0


async def until(api, resource, name, holds):
    """Wait until an object is as it should be; None stands for one that is gone."""
    async with asyncio.timeout(WITHIN):
        async for kind, obj in api.watch(resource):
            if obj["metadata"]["name"] == name and holds(None if kind == "DELETED" else obj):
                return obj
    return None


def condition(obj, kind):
    found = (obj or {}).get("status", {}).get("conditions") or []
    return next((each for each in found if each["type"] == kind), {})


def widget(version, namespace, **spec):
    meta = {"name": "a", "namespace": namespace}
    return {
        "apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": meta, "spec": spec,
    }  # fmt: skip


async def serve(api, definition):
    await api.create(definition)
    await until(
        api, DEFINITIONS, "widgets.example.com",
        lambda obj: condition(obj, "Established").get("status") == "True",
    )  # fmt: skip


async def test_a_namespace_goes_whose_objects_are_in_their_storage_version(definition):
    dead = definition("v1", clientConfig={"url": "https://127.0.0.1:1/"})
    dead["spec"]["versions"].reverse()  # v2, which nobody can make, is the first
    async with ControlPlane(Options(standins=True)) as plane:
        await serve(plane.api, dead)
        await plane.api.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        )
        await plane.api.create(widget("v1", "shop", size=1))
        await plane.api.delete(NAMESPACES, None, "shop")
        await until(plane.api, NAMESPACES, "shop", lambda obj: obj is None)
        assert await plane.api.list("example.com/v1/widgets") == []


async def test_a_namespace_says_what_cannot_be_deleted_and_goes_when_it_can(definition):
    async with ControlPlane(Options(standins=True)) as plane:
        await serve(plane.api, definition("v1"))
        await plane.api.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        )
        await plane.api.create(widget("v1", "shop", size=1))
        await plane.api.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
        )
        found = await plane.api.get(DEFINITIONS, None, "widgets.example.com")
        dead = {"clientConfig": {"url": "https://127.0.0.1:1/"}}
        await plane.api.update({**found, "spec": definition("v2", **dead)["spec"]})
        await plane.api.delete(NAMESPACES, None, "shop")
        held = await until(
            plane.api, NAMESPACES, "shop",
            lambda obj: condition(obj, "NamespaceDeletionContentFailure").get("status") == "True",
        )  # fmt: skip
        assert condition(held, "NamespaceDeletionContentFailure")["message"].startswith(
            "Failed to delete all resource types, 1 remaining: conversion webhook for "
            "example.com/v1, Kind=Widget failed: "
        )
        assert await plane.api.list("v1/secrets", "shop") == []
        change = {"spec": {"conversion": {"strategy": "None", "webhook": None}}}
        await plane.api.patch_merge(DEFINITIONS, None, "widgets.example.com", change)
        await until(plane.api, NAMESPACES, "shop", lambda obj: obj is None)
        assert not plane.broken.is_set()
