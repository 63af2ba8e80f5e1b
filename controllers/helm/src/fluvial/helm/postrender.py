"""What becomes of rendered documents before they are released: patches, then labels.

The labels of the owner always come, so every document is read and written again: keys sorted,
comments gone, as upstream's go through a kustomize resource map.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.helm.storage.record import Hook
from fluvial.render.helm import Hook as RenderedHook
from fluvial.render.helm import Manifest, ManifestError
from fluvial.render.kustomize import MemoryTree, build
from fluvial.render.yaml import dump, dump_all, load

__all__ = ["Document", "Labels", "post_render"]

_PLACE = "postrenderer.helm.sh/postrender-filename"


class Labels(msgspec.Struct, kw_only=True):
    """What goes on every document: `common` of the spec, then `origin`, which always wins."""

    common: dict[str, str] = {}
    annotations: dict[str, str] = {}
    origin: dict[str, str] = {}


class Document(NamedTuple):
    """A document with the template it came from, as text and as object."""

    path: str
    text: str
    object: Unstructured


def post_render(
    manifests: Sequence[Manifest],
    hooks: Sequence[RenderedHook],
    labels: Labels,
    renderers: Sequence[dict[str, Any]],
    strategy: str = "",
) -> tuple[list[Document], list[Hook]]:
    """Post-render the documents of a release.

    `strategy` says what sees what: hooks and templates together (`combined`, the default), one
    after the other (`separate`), or templates only (`nohooks`). Raises ManifestError for two
    objects of the same identity in one pass, and for a document that is no object.
    """
    plain = [_read(one.path, one.text, str(index)) for index, one in enumerate(manifests)]
    hooked = [_read(one.path, one.text, f"hook-{index}") for index, one in enumerate(hooks)]
    if strategy == "separate":
        plain, hooked = _pass(plain, renderers, labels), _pass(hooked, renderers, labels)
    elif strategy == "nohooks":
        plain = _pass(plain, renderers, labels)
    else:
        whole = _pass([*plain, *hooked], renderers, labels)
        plain = [one for one in whole if not _mark(one).startswith("hook-")]
        hooked = [one for one in whole if _mark(one).startswith("hook-")]
    documents: list[Document] = []
    for obj in plain:
        mark = _mark(obj)
        path = (
            manifests[int(mark)].path if mark else f"generated-by-postrender-{len(documents)}.yaml"
        )
        _unmark(obj)
        documents.append(Document(path, dump(obj), obj))
    return documents, [_hook(hooks[int(_mark(obj)[5:])], obj) for obj in hooked]


def _read(path: str, text: str, mark: str) -> Unstructured:
    obj = load(text, file=path)
    if not isinstance(obj, dict):
        raise ManifestError(f"{path}: a document is no object", file=path)
    try:
        ObjectId.from_object(obj)
    except ValueError as error:
        if not (obj.get("metadata") or {}).get("generateName"):
            raise ManifestError(f"{path}: {error}", file=path) from error
    metadata = obj["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), _PLACE: mark}
    return obj


def _mark(obj: Unstructured) -> str:
    mark: str = (obj["metadata"].get("annotations") or {}).get(_PLACE) or ""
    return mark


def _unmark(obj: Unstructured) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    annotations.pop(_PLACE, None)
    if not annotations:
        obj["metadata"].pop("annotations", None)


def _pass(
    objects: list[Unstructured], renderers: Sequence[dict[str, Any]], labels: Labels
) -> list[Unstructured]:
    _refuse_twins(objects)
    for renderer in renderers:
        if kustomize := renderer.get("kustomize"):
            objects = _kustomize(objects, kustomize)
    for obj in objects:
        _merge(obj, "labels", {**labels.common, **labels.origin})
        _merge(obj, "annotations", labels.annotations)
    return objects


def _refuse_twins(objects: Iterable[Unstructured]) -> None:
    seen: dict[tuple[str, str, str, str], str] = {}
    for obj in objects:
        name = obj["metadata"].get("name")
        if not name:
            continue  # with generateName the server gives each its own
        identity = ObjectId.from_object(obj)
        if identity in seen:
            raise ManifestError(
                f"may not add resource with an already registered id: {identity}; it is rendered "
                "twice"
            )
        seen[identity] = name


def _kustomize(objects: list[Unstructured], renderer: Mapping[str, Any]) -> list[Unstructured]:
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["release.yaml"],
        "patches": list(renderer.get("patches") or ()),
        "images": list(renderer.get("images") or ()),
    }
    tree = MemoryTree(
        {"kustomization.yaml": dump(kustomization), "release.yaml": dump_all(objects)}
    )
    return [rendered.decode() for rendered in build(tree, "")]


def _merge(obj: Unstructured, field: str, extra: Mapping[str, str]) -> None:
    if extra:
        metadata = obj["metadata"]
        metadata[field] = {**(metadata.get(field) or {}), **extra}


def _hook(rendered: RenderedHook, obj: Unstructured) -> Hook:
    _unmark(obj)
    return Hook(
        name=rendered.name,
        kind=rendered.kind,
        path=rendered.path,
        manifest=dump(obj),
        events=rendered.events,
        weight=rendered.weight,
        delete_policies=rendered.delete_policies,
        output_log_policies=rendered.output_log_policies,
    )
