"""Whatever a model can hold survives its way through JSON."""

import functools
import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluvial.apis import decode, decode_list, encode
from fluvial.apis.kinds import ALL

TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
SCALARS = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
    typing.Any: JSON,
}


@functools.cache
def values(hint):
    """Return a strategy for a field's type."""
    if hint in SCALARS:
        return SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return models(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return values(hint.__origin__)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=2)
    if origin is dict:
        return st.dictionaries(TEXT, values(arguments[1]), max_size=2)
    return st.one_of(*map(values, arguments))


@functools.cache
def models(model):
    """Return a strategy that sets the required fields of a model, and some of the others."""
    required, optional = {}, {}
    for field in msgspec.structs.fields(model):
        if field.name not in {"api_version", "kind"} or field.required:
            (required if field.required else optional)[field.name] = values(field.type)
    some = st.fixed_dictionaries(
        required, optional={name: optional[name] for name in sorted(optional)}
    )
    return some.map(lambda chosen: model(**chosen))


@pytest.mark.parametrize("kind", ALL, ids=str)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_round_trip(kind, data):
    model = data.draw(models(kind.model))
    encoded = encode(model)
    again = decode(kind, msgspec.json.decode(msgspec.json.encode(encoded)))
    assert again == model
    assert encode(again) == encoded


@pytest.mark.parametrize("kind", ALL, ids=str)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_unknown_fields_change_nothing(kind, data):
    model = data.draw(models(kind.model))
    encoded = encode(model)
    encoded["spec"]["fieldOfTheNextVersion"] = {"a": [1]}
    encoded["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    assert decode(kind, encoded) == model


def places(value):
    """List every container of a JSON value with each of its keys."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@pytest.mark.parametrize("kind", ALL, ids=str)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_anything_is_read_or_refused_by_name(kind, data):
    encoded = encode(data.draw(models(kind.model)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(encoded)))
        container[key] = data.draw(JSON | st.just(1.5))
    read, errors = decode_list(kind, [encoded])
    assert len(read) + len(errors) == 1
    assert all(error.name.startswith(kind.kind) and error.expected for error in errors)
    assert all(decode(kind, encode(model)) == model for model in read)
