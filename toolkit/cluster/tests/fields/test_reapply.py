"""Applying again what was applied before: only what is left out is looked for to be removed."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster import fields

TEXT_SET = {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}
ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "value": {"type": "string"}, "tags": TEXT_SET},
}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": ITEM,
}
SPEC = {
    "texts": {"type": "object", "additionalProperties": {"type": "string"}},
    "tags": TEXT_SET,
    "keyed": KEYED,
    "sets": {"type": "object", "additionalProperties": TEXT_SET},
}
SCHEMA = fields.schema_from_crd(
    {"type": "object", "properties": {"spec": {"type": "object", "properties": SPEC}}}
)
WORDS = st.sampled_from("ab")
TAGS = st.none() | st.lists(WORDS, max_size=2, unique=True)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"value": WORDS, "tags": TAGS}),
    max_size=2,
    unique_by=lambda item: item["name"],
)
SPECS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "texts": st.none() | st.dictionaries(WORDS, st.none() | WORDS, max_size=2),
        "tags": TAGS,
        "keyed": ITEMS,
        "sets": st.dictionaries(WORDS, TAGS, max_size=2),
    },
)
STEPS = st.lists(st.tuples(st.sampled_from(["one", "two"]), SPECS), min_size=2, max_size=5)


def apply(live, spec, manager):
    body = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "x"}, "spec": spec}
    return fields.apply(
        live,
        body,
        manager=manager,
        subresource="",
        schema=SCHEMA,
        force=True,
        now="2026-01-01T00:00:00Z",
        version="g/v1",
    )


def live(spec, owned):
    entry = {
        "manager": "one",
        "operation": "Apply",
        "apiVersion": "g/v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": owned},
    }
    metadata = {"name": "x", "uid": "u", "managedFields": [entry]}
    return {"apiVersion": "g/v1", "kind": "K", "metadata": metadata, "spec": spec}


def play(start, steps):
    """Apply one after the other; return what was there after each, order of members and all.

    Of what is there at the start nobody owns more than `spec` itself.
    """
    there, seen = live(start, {}), []
    for manager, spec in steps:
        there = apply(there, spec, manager)
        seen.append(json.dumps(there))
    return seen


@given(SPECS, STEPS)
def test_looking_for_what_to_remove_finds_nothing_where_it_is_left_out(start, steps):
    shortcut = play(start, steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["fluvial.cluster.fields.apply"], "_is_filled", lambda _: False)
        assert play(start, steps) == shortcut


@pytest.mark.parametrize(
    ("spec", "owned", "applied", "left", "reason"),
    [
        (
            {"tags": ["a"], "texts": {"a": "b"}},
            {"f:tags": {}, "f:texts": {"f:a": {}}},
            {"tags": None, "texts": {"a": "b"}},
            {"texts": {"a": "b"}},
            "a list that is null again goes with items that nobody owns",
        ),
        (
            {"texts": None, "keyed": []},
            {},
            {},
            None,
            "so does an empty map with what is empty in it",
        ),
        (
            {"tags": ["a", "b"]},
            {"f:tags": {'v:"a"': {}}},
            {"tags": ["a"]},
            {"tags": ["a", "b"]},
            "items that nobody owns stay in a list with items of one's own",
        ),
        (
            {"tags": ["a", "b"]},
            {"f:tags": {'v:"a"': {}, 'v:"b"': {}}},
            {"tags": ["a"]},
            {"tags": ["a"]},
            "what is left out goes",
        ),
    ],
)
def test_what_stays(spec, owned, applied, left, reason):
    assert apply(live(spec, owned), applied, "one").get("spec") == left, reason
