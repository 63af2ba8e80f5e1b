"""Where the variables of post-build substitution come from."""

import base64

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.variables import load_variables
from fluvial.toolkit import Client, Transient


@pytest.fixture
async def client(api):
    async with Client(api.config, qps=0) as client:
        yield client


@pytest.fixture
def load(api, client, kustomization):
    async def run(**post_build):
        spec = {"postBuild": post_build} if post_build else {}
        return await load_variables(client, decode(KUSTOMIZATION, kustomization(**spec)), 60.0)

    return run


def config(kind, name, **data):
    if kind == "Secret":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


def refs(*pairs, **more):
    return [{"kind": kind, "name": name, **more} for kind, name in pairs]


async def test_without_post_build_nothing_is_substituted(load):
    assert await load() is None


async def test_without_variables_only_on_demand(load):
    assert await load(substitute={}) is None
    assert await load(substituteStrategy="Always") == {}


async def test_later_ones_win_and_inline_ones_over_all(api, load):
    api.put(config("ConfigMap", "one", a="1", b="1", c="1"))
    api.put(config("Secret", "two", b="2", c="2"))
    found = await load(
        substituteFrom=refs(("ConfigMap", "one"), ("Secret", "two")), substitute={"c": "3"}
    )
    assert found == {"a": "1", "b": "2", "c": "3"}


async def test_line_breaks_go_out_of_every_value(api, load):
    api.put(config("ConfigMap", "one", a="x\ny\n"))
    found = await load(substituteFrom=refs(("ConfigMap", "one")), substitute={"b": "1\n2"})
    assert found == {"a": "xy", "b": "12"}


async def test_a_missing_object_is_named(load):
    with pytest.raises(Transient, match="Secret 'default/gone': not found") as caught:
        await load(substituteFrom=refs(("Secret", "gone")))
    assert (caught.value.reason, caught.value.retry_after) == ("BuildFailed", 60.0)


async def test_optional_forgives_only_that_it_is_missing(api, load):
    optional = refs(("ConfigMap", "one"), optional=True)
    assert await load(substituteFrom=optional, substitute={"a": "1"}) == {"a": "1"}
    api.put(config("ConfigMap", "one", b="2"))
    api.refuse("GET", "one", "not yours")
    with pytest.raises(Transient, match="not yours"):
        await load(substituteFrom=optional)


async def test_a_secret_that_is_no_text_is_named_without_its_value(api, load):
    secret = config("Secret", "binary")
    secret["data"] = {"key": base64.b64encode(b"\xff\xfe-hidden").decode()}
    api.put(secret)
    with pytest.raises(Transient) as caught:
        await load(substituteFrom=refs(("Secret", "binary")))
    assert "key is no text" in caught.value.message
    assert secret["data"]["key"] not in caught.value.message
