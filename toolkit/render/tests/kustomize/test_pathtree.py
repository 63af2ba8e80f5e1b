"""Paths that are walked together lead where each of them leads alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec, apply_spec
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._merge import clone
from fluvial.render.kustomize._pathtree import Found, PathTree, pointer_of
from fluvial.render.kustomize._resource import Resource

NAMES = ["a", "b", "x/y", ""]
values = st.recursive(
    st.sampled_from(["s", 1, None]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
parts = st.sampled_from(["a", "b", "a[]", "b[]", r"x\/y", ""])
paths = st.lists(st.lists(parts, min_size=1, max_size=4).map("/".join), max_size=5)


def alone(data: dict[str, Any], path: str) -> list[str]:
    """Return the pointers that a path leads to, and what is wrong behind them."""
    found: list[str] = []
    resource = Resource(data)
    try:
        apply_spec(
            resource, FieldSpec(Gvk(), path), lambda _node, _key, pointer: found.append(pointer)
        )
    except TransformError as error:
        found.append(error.problem.rpartition(": ")[2])
    return found


def together(data: dict[str, Any], wanted: list[str]) -> list[list[str]]:
    """Return the same of several paths."""
    found = PathTree(wanted).find(data)
    return [
        [pointer_of(one.trail) if isinstance(one, Found) else one.problem for one in places]
        for places in (_to_error(found.get(number, [])) for number in range(len(wanted)))
    ]


def _to_error(places: list[Found | TransformError]) -> list[Found | TransformError]:
    ends = [at for at, one in enumerate(places) if isinstance(one, TransformError)]
    return places[: ends[0] + 1] if ends else places


@pytest.mark.fuzz
@given(objects, paths)
def test_as_each_alone(data: dict[str, Any], wanted: list[str]) -> None:
    separate = clone(data)
    # A null that a path marks as a list is one for all paths that follow, so each sees the marks.
    for path in wanted:
        alone(separate, path)
    joined = clone(separate)
    assert together(joined, wanted) == [alone(separate, path) for path in wanted]


@pytest.mark.parametrize(
    ("data", "path", "pointers", "reason"),
    [
        ({"a": {"b": 1}}, "a/b", ["/a/b"], "through maps"),
        ({"a": [{"b": 1}, None, {"b": 2}]}, "a/b", ["/a/0/b", "/a/2/b"], "through lists"),
        ({"a": {"b": None}}, "a/b", ["/a/b"], "to a null that is there"),
        ({"a": {}}, "a/b", [], "to nothing"),
        ({"a": {"x/y": 1}}, r"a/x\/y", ["/a/x~1y"], "a slash in a name"),
        ({"a": "s"}, "a/b", ["expected sequence or mapping node at /a"], "a scalar in its way"),
    ],
)
def test_places(data: dict[str, Any], path: str, pointers: list[str], reason: str) -> None:
    assert together(data, [path]) == [pointers], reason


def test_a_null_where_a_list_is_marked_becomes_one() -> None:
    data: dict[str, Any] = {"a": {"b": None}}
    assert together(data, ["a/b[]/c"]) == [[]]
    assert data == {"a": {"b": []}}
