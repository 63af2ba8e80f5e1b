"""Of any values, put together in any way, each is named after the layer that brought it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.meta import ValuesReference
from fluvial.render.helm import ValueLayers, ValuesError
from fluvial.render.helm.flux import ReleasePlace, compose
from fluvial.render.yaml import load_documents

KEYS = st.sampled_from(["a", "b", "c"])
SHAPES = st.recursive(
    st.just("leaf"),
    lambda below: st.one_of(
        st.dictionaries(KEYS, below, max_size=3), st.lists(st.just("leaf"), min_size=1, max_size=2)
    ),
    max_leaves=6,
)
MAPS = st.dictionaries(KEYS, SHAPES, max_size=3)
PARTS = st.sampled_from(["a", "b", "c", "a[0]", "b[1]"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(".".join)
STEPS = st.lists(st.one_of(MAPS, PATHS), max_size=5)


def marked(shape, mark):
    """Fill a shape with leaves that tell where they come from."""
    if isinstance(shape, dict):
        return {key: marked(item, mark) for key, item in shape.items()}
    if isinstance(shape, list):
        return [marked(item, mark) for item in shape]
    return mark


def found(steps):
    for number, step in enumerate(steps):
        mark = f"step{number}"
        if isinstance(step, str):
            yield ValuesReference(kind="Secret", name=mark, target_path=step), mark
        else:
            text = msgspec.json.encode(marked(step, mark)).decode()
            yield ValuesReference(kind="ConfigMap", name=mark), text


def leaves(value, path=()):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, str(key)))
    elif value is not None:  # an item that a longer list was filled up with
        yield path, value


@pytest.mark.fuzz
@given(STEPS, MAPS, st.booleans())
def test_each_value_is_named_after_its_layer(steps, inline, placed):
    layers = ValueLayers()
    release = {"spec": {"values": marked(inline, "inline")}}
    (document,) = load_documents(msgspec.json.encode(release), positions=True)
    place = ReleasePlace("hr.yaml", document) if placed else None
    references, values = list(found(steps)), document.value["spec"]["values"]
    try:
        composed = compose(references, values, layers, namespace="shop", place=place)
    except ValuesError:
        return  # a path through what is no map
    assert composed == compose(references, values)
    for path, mark in leaves(composed):
        origin = layers.origins[path]
        wanted = f" shop/{mark} " if mark != "inline" else "hr.yaml" if placed else "spec.values"
        assert wanted in origin.file, (path, mark, origin)
