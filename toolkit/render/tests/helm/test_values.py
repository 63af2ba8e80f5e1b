"""Layers of values, and which subcharts they leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.helm import Chart, ValuesError, load_chart, merge_values
from fluvial.render.helm._values import coalesce, floats
from fluvial.render.kustomize.tree import MemoryTree
from fluvial.render.yaml import dump

KEYS = st.sampled_from(["a", "b", "sub", "global"])
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.lists(st.integers(0, 3), max_size=2)
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
TABLES = st.dictionaries(st.sampled_from(["a", "b", "global"]), TREES, max_size=3)


def chart(values: dict[str, object], sub: dict[str, object] | None = None) -> Chart:
    files = {"Chart.yaml": "name: web\nversion: 1.0.0\n", "values.yaml": dump(values)}
    if sub is not None:
        files["charts/sub/Chart.yaml"] = "name: sub\nversion: 1.0.0\n"
        files["charts/sub/values.yaml"] = dump(sub)
    return load_chart(MemoryTree(files))


@pytest.mark.parametrize(
    ("defaults", "given_values", "expected", "reason"),
    [
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1.0, "y": 2.0}}, "maps merge"),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3.0]}, "lists are replaced"),
        ({"a": 1}, {"a": None}, {}, "null deletes a default"),
        ({}, {"a": None}, {"a": None}, "null without default stays"),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {}}, "null deletes in a table"),
        ({"a": {"x": None, "y": 1}}, {}, {"a": {"y": 1.0}}, "a null default is dropped"),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2.0}, "a scalar over a table wins"),
        ({"a": 2}, {"a": {"x": 1}}, {"a": {"x": 1.0}}, "a table over a scalar wins"),
        ({"a": True}, {}, {"a": True}, "booleans are no numbers"),
    ],
)
def test_coalescing(defaults, given_values, expected, reason) -> None:
    result = merge_values(chart(defaults), given_values)
    assert result == expected, reason
    assert not any(isinstance(v, int) and not isinstance(v, bool) for v in result.values())


@pytest.mark.parametrize(
    ("defaults", "sub", "given_values", "expected", "reason"),
    [
        ({"sub": {"a": 2}}, {"a": 1, "b": 1}, {}, {"a": 2, "b": 1}, "the parent's defaults win"),
        ({"sub": {"a": 2}}, {"a": 1}, {"sub": {"a": 3}}, {"a": 3}, "the user's win over both"),
        ({}, {"a": 1}, {"sub": {"a": None}}, {}, "the user deletes a subchart's default"),
        ({"sub": {"a": None}}, {"a": 1}, {"sub": {"b": 1}}, {"b": 1}, "so does the parent"),
        ({"sub": {"a": None}}, {"a": 1}, {}, {"a": 1}, "but not when nothing is given for it"),
    ],
)
def test_a_subchart(defaults, sub, given_values, expected, reason) -> None:
    result = merge_values(chart(defaults, sub), given_values)
    assert result["sub"] == {**expected, "global": {}}, reason


def test_globals_go_down_and_the_parents_win() -> None:
    top = {"global": {"a": 1, "t": {"x": 1}}}
    result = merge_values(chart(top, {"global": {"a": 2, "b": 3, "t": {"y": 2, "x": 3}}}), {})
    assert result["sub"]["global"] == {"a": 1, "b": 3, "t": {"x": 1, "y": 2}}
    assert result["global"] == {"a": 1, "t": {"x": 1}}


def test_a_global_wins_over_what_is_given_for_one_subchart() -> None:
    result = merge_values(chart({}, {}), {"global": {"a": 1}, "sub": {"global": {"a": 5, "b": 2}}})
    assert result["sub"]["global"] == {"a": 1, "b": 2}


def test_values_of_a_subchart_must_be_a_mapping() -> None:
    with pytest.raises(ValuesError, match="type mismatch on sub"):
        merge_values(chart({}, {}), {"sub": 1})


@given(TABLES, TABLES)
def test_neither_argument_is_changed(defaults, given_values) -> None:
    loaded = chart(defaults, {"a": {"b": 1}})
    before, supplied = floats(loaded.values), floats(given_values)
    merge_values(loaded, given_values)
    assert loaded.values == before
    assert floats(given_values) == supplied


@given(TABLES, TABLES)
def test_every_key_of_the_user_wins_or_deletes(defaults, given_values) -> None:
    result = merge_values(chart(defaults), given_values)
    for key, value in floats(given_values).items():
        if value is None:
            assert result.get(key) is None
        elif not isinstance(value, dict):
            assert result[key] == value


@given(TABLES)
def test_merging_keeps_the_nulls_of_defaults(defaults) -> None:
    assert coalesce(chart(defaults), {}, merge=True) == floats(defaults)
