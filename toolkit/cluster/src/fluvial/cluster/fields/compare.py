"""Compare two values of one schema: which fields were added, modified, removed.

An atomic list or map is one field. Items of keyed lists and sets are told apart by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fluvial.cluster.fields.paths import FieldSet, Path, field_element, without_subtrees
from fluvial.cluster.fields.schema import MISSING, Schema
from fluvial.cluster.fields.typed import item_element
from fluvial.cluster.fields.values import equal

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two values as three sets of fields."""

    added: FieldSet = frozenset()
    modified: FieldSet = frozenset()
    removed: FieldSet = frozenset()

    def without(self, roots: FieldSet) -> Comparison:
        """Return the comparison without some subtrees."""
        return Comparison(
            without_subtrees(self.added, roots),
            without_subtrees(self.modified, roots),
            without_subtrees(self.removed, roots),
        )


@dataclass(slots=True)
class _Walk:
    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    def node(self, schema: Schema, left: Any, right: Any, path: Path) -> None:
        """Compare two values of which one may be MISSING."""
        left_form, left_decided = schema.form_of(left)
        right_form, right_decided = schema.form_of(right)
        leaf = False
        if right is MISSING:
            leaf = self.form(schema, left_form, left, right, path)
        elif (
            left is MISSING
            or (left_form, left_decided) == (right_form, right_decided)
            or schema.forms == 1
        ):
            leaf = self.form(schema, right_form, left, right, path)
        else:
            self.form(schema, left_form, left, right, path)
            leaf = self.form(schema, right_form, left, right, path)
        if not leaf and path:
            if left is MISSING:
                self.added.add(path)
            elif right is MISSING:
                self.removed.add(path)

    def form(self, schema: Schema, form: str, left: Any, right: Any, path: Path) -> bool:
        """Compare in one form; return whether the field is a leaf and so done with."""
        if form == "map":
            left_map = left if isinstance(left, dict) else {}
            right_map = right if isinstance(right, dict) else {}
            if schema.map_type == "atomic" or not (left_map or right_map):
                return self.leaf(left, right, path)
            self.members(schema, left_map, right_map, path)
            return False
        if form == "list":
            left_list = left if isinstance(left, list) else []
            right_list = right if isinstance(right, list) else []
            if schema.list_type == "atomic" or not (left_list or right_list):
                return self.leaf(left, right, path)
            self.items(schema, left_list, right_list, path)
            return False
        return self.leaf(left, right, path)

    def members(
        self, schema: Schema, left: dict[str, Any], right: dict[str, Any], path: Path
    ) -> None:
        """Compare maps member by member; text, which most members are, without a call each."""
        for name in {**left, **right}:
            mine, theirs = left.get(name, MISSING), right.get(name, MISSING)
            if mine.__class__ is str and mine == theirs:
                continue
            child = schema.child(name)
            if child is None:
                continue
            here = (*path, field_element(name))
            if mine is MISSING and theirs.__class__ is str and child.scalar:
                self.added.add(here)
            else:
                self.node(child, mine, theirs, here)

    def leaf(self, left: Any, right: Any, path: Path) -> bool:
        if left is MISSING:
            self.added.add(path)
        elif right is MISSING:
            self.removed.add(path)
        elif not equal(left, right):
            self.modified.add(path)
        return True

    def items(self, schema: Schema, left: list[Any], right: list[Any], path: Path) -> None:
        """Compare lists item by item; several items of one identity count as one leaf."""
        assert schema.items is not None
        left_by = _by_element(schema, left)
        right_by = _by_element(schema, right)
        for element in {**left_by, **right_by}:
            ours, theirs = left_by.get(element, []), right_by.get(element, [])
            here = (*path, element)
            if len(ours) <= 1 and len(theirs) <= 1:
                self.node(
                    schema.items,
                    ours[0] if ours else MISSING,
                    theirs[0] if theirs else MISSING,
                    here,
                )
            elif len(ours) > 1 and len(theirs) > 1:
                if not equal(ours, theirs):
                    self.modified.add(here)
            elif len(ours) > 1:
                if theirs:
                    self.node(schema.items, MISSING, theirs[0], here)
                self.removed.add(here)
            else:
                if ours:
                    self.node(schema.items, ours[0], MISSING, here)
                self.added.add(here)


def _by_element(schema: Schema, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(item_element(schema, item), []).append(item)
    return found


def compare(schema: Schema, left: Any, right: Any) -> Comparison:
    """Return what has to change in `left` to become `right`; raises `ItemError`."""
    walk = _Walk()
    walk.node(schema, left, right, ())
    return Comparison(frozenset(walk.added), frozenset(walk.modified), frozenset(walk.removed))
