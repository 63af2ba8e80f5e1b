"""What becomes of rendered documents before they are released: patches, then labels.

The labels of the owner always come, so every document is read and written again: keys sorted,
comments gone, as upstream's go through a kustomize resource map.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from fluvial.apis.helm import GROUP, HelmRelease
from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.render.helm._errors import ManifestError
from fluvial.render.helm._marking import template_of
from fluvial.render.helm._postrender import BuiltSteps, PostRenderer, kustomize_steps
from fluvial.render.yaml import dump_all, load_all

__all__ = ["Labels", "labels_of", "origin_labels", "post_renderer", "steps_of"]

_FIELDS = ("patches", "images")


class Labels(msgspec.Struct, kw_only=True):
    """What goes on every document: `common` of the spec, then `origin`, which always wins."""

    common: dict[str, str] = {}
    annotations: dict[str, str] = {}
    origin: dict[str, str] = {}


def origin_labels(obj: HelmRelease) -> dict[str, str]:
    """Return the labels by which an object tells the HelmRelease that it comes from."""
    return {f"{GROUP}/name": obj.metadata.name, f"{GROUP}/namespace": obj.metadata.namespace}


def labels_of(obj: HelmRelease) -> Labels:
    """Return what goes on every document of a HelmRelease."""
    common = obj.spec.common_metadata
    return Labels(
        common=dict(common.labels) if common else {},
        annotations=dict(common.annotations) if common else {},
        origin=origin_labels(obj),
    )


def steps_of(obj: HelmRelease) -> list[dict[str, Any]]:
    """Return `spec.postRenderers` as plain data, the form that `post_renderer` takes."""
    steps: list[dict[str, Any]] = msgspec.to_builtins(obj.spec.post_renderers)
    return steps


def post_renderer(
    labels: Labels,
    steps: Sequence[Mapping[str, Any]],
    tell: Callable[[int, BuiltSteps], None] | None = None,
) -> PostRenderer:
    """Return what the documents of a release go through: `spec.postRenderers`, then the labels.

    It raises KustomizeError for two objects of one identity in a stream, and ManifestError for one
    without apiVersion. `tell` is called with the index of each step and what that has built.
    """

    def applying(index: int, fields: Mapping[str, Any]) -> PostRenderer:
        return kustomize_steps(fields, None if tell is None else functools.partial(tell, index))

    renderers = [
        applying(index, {key: list(step["kustomize"].get(key) or ()) for key in _FIELDS})
        for index, step in enumerate(steps)
        if step.get("kustomize")
    ]

    def run(text: str) -> str:
        # Without steps, too, everything goes through kustomize once.
        for renderer in renderers or [applying(0, {})]:
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
