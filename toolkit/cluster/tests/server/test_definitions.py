import pytest

from fluvial.cluster.api import StatusError

DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "example.com/v1/widgets"


def definition(plural="widgets", kind="Widget"):
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"size": {"type": "integer", "default": 3, "minimum": 1}},
            }
        },
    }
    version = {"name": "v1", "served": True, "storage": True,
               "schema": {"openAPIV3Schema": schema}}  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": plural[:-1], "kind": kind},
            "versions": [version],
        },
    }


def widget(**spec):
    meta = {"name": "a", "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": meta, "spec": spec}


async def test_a_definition_is_served_once_its_names_are_accepted(api, registrar):
    await api.create(definition())
    assert not api.serves(WIDGETS)
    registrar.step()
    assert api.serves(WIDGETS)
    found = await api.get(DEFINITIONS, None, "widgets.example.com")
    conditions = {item["type"]: item["status"] for item in found["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


async def test_a_second_claim_of_a_kind_is_not_served(api, registrar):
    await api.create(definition())
    await api.create(definition("gadgets"))
    registrar.step()
    found = await api.get(DEFINITIONS, None, "gadgets.example.com")
    assert found["status"]["acceptedNames"]["kind"] == ""
    assert not api.serves("example.com/v1/gadgets")


async def test_objects_are_defaulted_pruned_and_validated(api, registrar):
    await api.create(definition())
    registrar.step()
    assert (await api.create(widget()))["spec"] == {"size": 3}
    with pytest.raises(StatusError) as caught:
        await api.patch_merge(WIDGETS, "default", "a", {"spec": {"size": 0}})
    assert caught.value.code == 422


async def test_a_deleted_definition_takes_its_objects_along(api, registrar):
    await api.create(definition())
    registrar.step()
    await api.create(widget())
    await api.delete(DEFINITIONS, None, "widgets.example.com")
    registrar.step()
    assert not api.serves(WIDGETS)
    await api.create(definition())
    registrar.step()
    assert await api.list(WIDGETS) == []


async def test_an_object_with_a_finalizer_keeps_its_definition(api, registrar):
    await api.create(definition())
    registrar.step()
    held = widget()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await api.create(held)
    await api.delete(DEFINITIONS, None, "widgets.example.com")
    registrar.step()
    assert api.serves(WIDGETS)
    other = widget()
    other["metadata"]["name"] = "b"
    with pytest.raises(StatusError, match="definition is terminating"):
        await api.create(other)
    await api.patch_merge(WIDGETS, "default", "a", {"metadata": {"finalizers": None}})
    registrar.step()
    assert not api.serves(WIDGETS)
