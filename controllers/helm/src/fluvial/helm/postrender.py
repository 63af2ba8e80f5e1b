"""What becomes of rendered documents before they are released: patches, then labels.

The labels of the owner always come, so every document is read and written again: keys sorted,
comments gone, as upstream's go through a kustomize resource map.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.render.helm import ManifestError, PostRenderer, kustomize_steps, template_of
from fluvial.render.yaml import dump_all, load_all

__all__ = ["Labels", "post_renderer"]

_FIELDS = ("patches", "images")


class Labels(msgspec.Struct, kw_only=True):
    """What goes on every document: `common` of the spec, then `origin`, which always wins."""

    common: dict[str, str] = {}
    annotations: dict[str, str] = {}
    origin: dict[str, str] = {}


def post_renderer(labels: Labels, steps: Sequence[Mapping[str, Any]]) -> PostRenderer:
    """Return what the documents of a release go through: `spec.postRenderers`, then the labels.

    It raises KustomizeError for two objects of one identity in a stream, and ManifestError for one
    without apiVersion.
    """
    renderers = [
        kustomize_steps({key: list(step["kustomize"].get(key) or ()) for key in _FIELDS})
        for step in steps
        if step.get("kustomize")
    ]

    def run(text: str) -> str:
        # Without steps, too, everything goes through kustomize once.
        for renderer in renderers or [kustomize_steps({})]:
            text = renderer(text)
        objects = [obj for obj in load_all(text) if isinstance(obj, dict)]
        for obj in objects:
            _check(obj)
            _merge(obj, "labels", {**labels.common, **labels.origin})
            _merge(obj, "annotations", labels.annotations)
        return dump_all(objects)

    return run


def _check(obj: Unstructured) -> None:
    if obj["metadata"].get("name"):  # with generateName the server gives each its own
        try:
            ObjectId.from_object(obj)
        except ValueError as error:
            raise ManifestError(f"{template_of(obj)}: {error}") from error


def _merge(obj: Unstructured, field: str, extra: Mapping[str, str]) -> None:
    if extra:
        metadata = obj["metadata"]
        metadata[field] = {**(metadata.get(field) or {}), **extra}
