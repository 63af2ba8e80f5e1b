"""How values are put together."""

import pytest

from fluvial.apis.meta import ValuesReference
from fluvial.render.helm import ValuesError, merge_files
from fluvial.render.helm.flux import compose


def ref(text, target="", *, literal=False):
    reference = ValuesReference(kind="ConfigMap", name="c", target_path=target, literal=literal)
    return (reference, text)


@pytest.mark.parametrize(
    ("found", "inline", "expected", "reason"),
    [
        ([], None, {}, "nothing at all"),
        ([], {"a": 1}, {"a": 1.0}, "a number in YAML or JSON is a float"),
        ([ref("a: 1\nb: {c: 1}"), ref("b: {d: 2}")], None,
         {"a": 1.0, "b": {"c": 1.0, "d": 2.0}}, "maps merge"),
        ([ref("a: [1, 2]"), ref("a: [3]")], None, {"a": [3.0]}, "lists are replaced"),
        ([ref("a: 1")], {"a": 2}, {"a": 2.0}, "inline beats a reference"),
        ([ref("a: 1")], {"a": None}, {"a": None}, "null stays"),
        ([ref(None)], {"a": 1}, {"a": 1.0}, "an optional one that is missing"),
        ([ref("")], {"a": 1}, {"a": 1.0}, "an empty file"),
        ([ref("3", "a.b")], {"a": {"b": 1}}, {"a": {"b": 3}},
         "a value at a path beats a nested inline one, for they share the map"),
        ([ref("3", "a")], {"a": 1}, {"a": 1.0}, "at the top inline wins again"),
        ([ref("a: {x: 1}"), ref("3", "a.b")], {"a": {"b": 1}}, {"a": {"x": 1.0, "b": 1.0}},
         "and where a reference had made the map its own"),
        ([ref("3", "n")], None, {"n": 3}, "a number at a path is an integer"),
        ([ref("{a}", "n", literal=True)], None, {"n": "{a}"}, "literal"),
        ([ref("n: 1\nyes: y")], None, {"false": 1.0, "true": True}, "YAML 1.1, as Helm reads it"),
    ],
)  # fmt: skip
def test_compose(found, inline, expected, reason):
    result = compose(found, inline)
    assert result == expected, reason
    assert [type(v) for v in result.values()] == [type(v) for v in expected.values()], reason


@pytest.mark.parametrize(
    ("found", "inline", "message"),
    [
        ([ref("- a")], None, "must hold a map"),
        ([ref("password: [")], None, "no YAML under the key 'values.yaml'"),
        ([ref("v", "a[x]")], None, "ConfigMap 'c': targetPath"),
        ([], ["a"], r"spec.values must be a map"),
    ],
)
def test_errors_name_the_reference(found, inline, message):
    with pytest.raises(ValuesError, match=message) as caught:
        compose(found, inline)
    assert "password" not in str(caught.value)


def test_merging_leaves_both_sides_alone():
    below, above = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge_files(below, above) == {"a": {"b": 1, "c": 2}}
    assert (below, above) == ({"a": {"b": 1}}, {"a": {"c": 2}})
