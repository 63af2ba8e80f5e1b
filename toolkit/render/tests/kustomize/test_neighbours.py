"""Who is within reach of whom is looked up, and is what a look at everybody would find."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._neighbours import Named, Neighbours, reach_from
from fluvial.render.kustomize._resource import Resource

NAMESPACES = ["", "default", "a", "b"]
KINDS = {"ConfigMap": "v1", "Namespace": "v1", "Widget": "example.com/v1"}


def resource(kind: str, name: str, namespace: str) -> Resource:
    """Make an object without content."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return Resource({"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata})


resources = st.builds(
    resource,
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["x", "y"]),
    st.sampled_from(NAMESPACES),
)


def reaches(one: Resource, other: Resource, more: set[str]) -> bool:
    """Say the same by the rule: its own namespace, some more, and what is in none."""
    return (
        one.id.cluster_scoped
        or other.id.cluster_scoped
        or one.id.effective_namespace == other.id.effective_namespace
        or other.namespace in more
    )


@pytest.mark.fuzz
@given(st.lists(resources, max_size=8), resources, st.sets(st.sampled_from(["default", "a", "b"])))
def test_within_reach(items: list[Resource], referrer: Resource, more: set[str]) -> None:
    found = Neighbours(items).within(reach_from(referrer, more))
    assert found == [item for item in items if reaches(referrer, item, more)]


def test_names_are_those_of_before() -> None:
    renamed = resource("ConfigMap", "old", "a")
    renamed.remember()
    renamed.rename("new")
    named = Named([renamed, resource("ConfigMap", "still", "a")])
    everywhere = reach_from(resource("Namespace", "n", ""), set())
    assert ("old" in named, "new" in named, "still" in named) == (True, False, False)
    assert named.find("old", everywhere) == [renamed]
    assert named.was(renamed, Gvk(kind="ConfigMap"))
    assert not named.was(renamed, Gvk(kind="Secret"))


def test_what_moves_is_found_where_it_is_now() -> None:
    moved = resource("ConfigMap", "x", "a")
    moved.remember()
    named = Named([moved])
    from_b = reach_from(resource("ConfigMap", "y", "b"), set())
    assert named.find("x", from_b) == []
    assert named.origins(from_b) == set()
    moved.metadata["namespace"] = "b"
    named.forget()
    assert named.find("x", from_b) == [moved]
    assert named.origins(from_b) == {"a"}
