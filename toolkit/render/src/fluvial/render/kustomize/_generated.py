"""Generated resources taking their place among the others, by their behavior."""

from typing import Any

from fluvial.render.kustomize._errors import ResourceError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._styles import requote

__all__ = ["add_generated"]


def add_generated(made: Resource, resources: Resources) -> None:
    """Add a generated resource, or let it merge with or replace the one of its identity.

    Raises ResourceError when its behavior asks for another one that is not there, or is.
    """
    key = made.id.key
    found = resources.by_any_id(lambda one: one.key == key, name=made.name)
    behavior = made.behavior if made.behavior in {"merge", "replace"} else "create"
    if not found:
        if behavior != "create":
            raise ResourceError(
                f"id {made.id} does not exist; cannot merge or replace", file=made.file
            )
        resources.append(made)
        return
    if len(found) > 1:
        raise ResourceError(
            f"found multiple objects {made.id} that could accept merge", file=made.file
        )
    if behavior == "create":
        raise ResourceError(
            f"id {made.id} exists; behavior must be merge or replace", file=made.file
        )
    _take_over(made, found[0], merging=behavior == "merge")
    resources.replace_all([made if item is found[0] else item for item in resources])


def _take_over(new: Resource, old: Resource, *, merging: bool) -> None:
    """Give a generated resource the metadata, and when merging the data, of the one it meets."""
    metadata = new.data["metadata"]
    for field in ("labels", "annotations"):
        merged = {**old.strings(field), **new.strings(field)}
        if merged:
            metadata[field] = merged
    metadata["name"] = old.metadata.get("name")
    metadata.pop("namespace", None)
    if old.namespace:
        metadata["namespace"] = old.namespace
    for slot in ("previous", "prefixes", "suffixes", "variables", "behavior", "transformations"):
        setattr(new, slot, getattr(old, slot))
    new.needs_hash = new.needs_hash and old.needs_hash
    if not merging:
        return
    new.origin = old.origin or new.origin
    for field in ("data", "binaryData"):
        theirs = old.data.get(field)
        mine = new.data.pop(field, None)
        both = {
            **({key: _string(item) for key, item in theirs.items()} if theirs else {}),
            **(mine or {}),
        }
        if both:
            new.data[field] = requote({key: both[key] for key in sorted(both)}, printed=False)


def _string(value: Any) -> str:
    return "" if value is None else text(value)
