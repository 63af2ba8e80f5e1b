"""Transformers of workloads: images and replicas."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec, Plan, apply_spec
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._model import Image, Replica
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._styles import overlay
from fluvial.render.objects import Origin
from fluvial.render.pointers import escape

__all__ = ["check_scaled", "is_scaled", "set_image", "set_replicas", "split_image"]

_CONTAINERS = ("containers", "initContainers")


@lru_cache(maxsize=256)
def _pattern(name: str) -> re.Pattern[str]:
    """Compile an image's name, which upstream inserts into the expression as it stands."""
    try:
        return re.compile(f"^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?\\Z")
    except re.error as error:
        raise TransformError(
            f"images: the name {name!r} is no regular expression: {error}"
        ) from None


def split_image(image: str) -> tuple[str, str, str]:
    """Split into name, tag and digest; a port of the registry host is no tag."""
    slash = max(image.find("/"), 0)
    at = image.find("@", slash)
    colon = image.find(":", slash)
    if at >= 0 and (colon < 0 or at < colon):
        return image[:at], "", image[at + 1 :]
    if colon < 0:
        return image, "", ""
    if at >= 0:
        return image[:colon], image[colon + 1 : at], image[at + 1 :]
    return image[:colon], image[colon + 1 :], ""


def _replaced(value: str, image: Image) -> str:
    if not _pattern(image.name).match(value):
        return value
    name, tag, digest = split_image(value)
    name = image.newName or name
    if image.newTag:
        tag, digest = image.newTag, image.digest
    elif image.digest:
        tag, digest = "", image.digest
    elif image.tagSuffix:
        tag, digest = tag + image.tagSuffix, ""
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def set_image(
    resources: Resources, image: Image, specs: Iterable[FieldSpec], by: Origin | None
) -> None:
    """Change an image wherever it is used: in pod specs, and in any list named containers."""
    plan = Plan(specs)
    for resource in resources:
        if resource.gvk.kind == "CustomResourceDefinition":
            continue

        def setter(node: Any, key: Any, pointer: str, resource: Resource = resource) -> None:
            value = node[key]
            if isinstance(value, dict | list):
                raise TransformError(f"wrong node kind: expected a scalar at {pointer}")
            if value is not None:
                written = text(value)
                changed = _replaced(written, image)
                if changed != written:
                    node[key] = changed
                    resource.note(pointer, by)

        for spec in plan.of(resource.gvk):
            apply_spec(resource, spec, setter)
        _everywhere(resource.data, "", setter)


def _everywhere(node: Any, pointer: str, setter: Any) -> None:
    """Call `setter` for the images of every list named containers or initContainers."""
    if isinstance(node, dict):
        for key, value in node.items():
            if not isinstance(value, dict | list):
                continue
            inner = f"{pointer}/{escape(key)}"
            _everywhere(value, inner, setter)
            if key in _CONTAINERS and isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, dict) and item.get("image") is not None:
                        setter(item, "image", f"{inner}/{index}/image")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            if isinstance(item, dict | list):
                _everywhere(item, f"{pointer}/{index}", setter)


def set_replicas(
    resources: Resources, replica: Replica, specs: Iterable[FieldSpec], by: Origin | None
) -> None:
    """Set the number of replicas of the workloads with a name, now or before.

    Ask `check_scaled` afterwards whether there was one.
    """
    for spec in specs:
        for resource in resources.named(replica.name):
            if not is_scaled(resource, replica, [spec]):
                continue

            def setter(node: Any, key: Any, pointer: str, resource: Resource = resource) -> None:
                old = node[key]
                node[key] = overlay(old, replica.count) if isinstance(old, str) else replica.count
                resource.note(pointer, by)

            apply_spec(resource, spec, setter, leaf=lambda: None)


def is_scaled(resource: Resource, replica: Replica, specs: Iterable[FieldSpec]) -> bool:
    """Say whether a resource has, or had, a name and a kind of which the replicas are set."""
    wanted = replica.name
    if resource.name != wanted and all(name != wanted for _, name, _ in resource.previous):
        return False
    return any(
        one.name == wanted and spec.gvk.selects(one.gvk)
        for one in resource.identities()
        for spec in specs
    )


def check_scaled(found: Iterable[bool], replica: Replica, specs: Iterable[FieldSpec]) -> None:
    """Raise TransformError when `is_scaled` was true of no resource."""
    if not any(found):
        kinds = ", ".join(spec.gvk.kind for spec in specs)
        raise TransformError(
            f"replicas: no resource with name {replica.name!r} among the kinds {kinds}"
        )
