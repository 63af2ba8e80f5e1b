import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.fields.paths import (
    decode_fields,
    encode_fields,
    key_element,
    path_text,
    under,
    value_element,
    without_subtrees,
)

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "i:0"])
SETS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=12)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas", "fields with dots between"),
        (("f:metadata", "f:labels", "f:a/b"), ".metadata.labels.a/b", "names are not quoted"),
        (("f:l", key_element({"name": "x"}), "f:v"), '.l[name="x"].v', "an item by key"),
        (
            ("f:l", key_element({"port": 80, "protocol": "TCP"})),
            '.l[port=80,protocol="TCP"]',
            "several keys, sorted, numbers without quotes",
        ),
        (("f:s", value_element("x")), '.s[="x"]', "an item of a set"),
        (("f:l", "i:3"), ".l[3]", "an index"),
    ],
)
def test_path_text(path, text, reason):
    assert path_text(path) == text, reason


def test_a_dot_marks_an_inner_node_that_is_a_member():
    fields = {("f:data",), ("f:data", "f:k")}
    assert encode_fields(fields) == {"f:data": {".": {}, "f:k": {}}}
    assert encode_fields({("f:data", "f:k")}) == {"f:data": {"f:k": {}}}


@given(SETS)
def test_the_wire_form_round_trips(fields):
    assert decode_fields(encode_fields(fields)) == fields


def test_an_unknown_element_is_refused():
    with pytest.raises(ValueError, match="x:y"):
        decode_fields({"f:a": {"x:y": {}}})


@given(SETS, SETS)
def test_without_subtrees_leaves_nothing_below_a_root(fields, roots):
    left = without_subtrees(fields, roots)
    assert left <= fields
    assert not any(path[:n] in roots for path in left for n in range(1, len(path) + 1))
    assert fields - left == {
        path for path in fields if any(path[:n] in roots for n in range(1, len(path) + 1))
    }


def test_under_is_relative():
    fields = frozenset({("f:a", "f:b"), ("f:a",), ("f:c", "f:b")})
    assert under(fields, ("f:a",)) == {("f:b",)}
