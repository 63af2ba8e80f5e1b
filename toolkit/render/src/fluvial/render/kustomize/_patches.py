"""Patches: which documents they are, whom they are for, and their application."""

from typing import Any

import msgspec

from fluvial.render.kustomize._apply import change, merge_into
from fluvial.render.kustomize._errors import KustomizeError, TransformError
from fluvial.render.kustomize._jsonpatch import Operation
from fluvial.render.kustomize._keys import check_keys
from fluvial.render.kustomize._ledger import Ledger, Whole
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._model import Patch
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._selectors import select
from fluvial.render.objects import Origin
from fluvial.render.yaml import Dialect, YamlError, load_documents

__all__ = ["apply_json6902", "apply_patch_entry", "apply_strategic"]


def _replaces_annotations(patch: dict[str, Any]) -> bool:
    """Say whether a patch deletes or replaces all annotations, whatever they are."""
    metadata = patch.get("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("$patch") in {"replace", "delete"}:
        return True
    annotations = metadata.get("annotations", {})
    return not isinstance(annotations, dict) or annotations.get("$patch") in {"replace", "delete"}


def _merge_into(
    resources: Resources, resource: Resource, patch: Resource, by: Origin | None
) -> None:
    """Apply a strategic merge patch to one resource; `patch` may be changed.

    A resource that the patch deletes is left empty, and found by no identity from then on.
    """
    if patch.name_change or patch.kind_change:
        resource.remember()
        resources.touch()
    before, labels = resource.strings("labels"), patch.metadata.get("labels")
    if _replaces_annotations(patch.data):
        resource.forget_records()
    try:
        merge_into(resource, patch, by)
    except TransformError as error:
        raise TransformError(f"patching {resource}: {error.problem}", file=patch.file) from None
    if not resource.data:
        return
    resource.settle()
    if patch.plain_labels:
        now = resource.metadata.get("labels")
        added = set(resource.strings("labels")).difference(() if now is labels else before)
        check_keys(sorted(added), f"labels of {resource}")


def _load(patch: Patch, loader: Loader) -> tuple[str, str]:
    """Return a patch's text and what to call it in messages."""
    text = patch.patch.strip()
    if text and patch.path:
        raise TransformError("patch and path can't be set at the same time", file=loader.file)
    if text:
        return text, loader.file
    if not patch.path:
        raise TransformError("must specify one of patch and path in a patch", file=loader.file)
    try:
        return loader.read(patch.path).decode(), loader.resolve(patch.path)
    except KustomizeError as error:
        raise TransformError(
            f"failed to get the patch file from path({patch.path}): {error}"
        ) from None


def _operations(text: str, file: str) -> list[Operation] | None:
    """Read a text as JSON6902 operations; None when it is not a list.

    Upstream takes a text that starts with a bracket as JSON, all others as YAML.
    """
    if text.startswith("["):
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise TransformError(
                f"a JSON patch that starts with [ must be JSON: {error}", file=file
            ) from None
    documents = load_documents(text, file=file, dialect=Dialect.SIGS, first=True)
    value = documents[0].value if documents else None
    if not isinstance(value, list):
        return None
    if not all(isinstance(one, dict) and "op" in one for one in value):
        raise TransformError("a JSON patch must be a list of operations with op", file=file)
    return value


def apply_patch_entry(
    resources: Resources, entry: Patch, loader: Loader, by: Origin | None
) -> None:
    """Apply one entry of `patches`.

    Raises TransformError when the text is neither kind of patch, when a JSON patch has no target,
    or when a strategic merge patch without target matches no resource.
    """
    text, file = _load(entry, loader)
    try:
        operations = _operations(text, file)
        documents = [] if operations is not None else _documents(text, file, by, entry)
    except (YamlError, KustomizeError) as error:
        raise TransformError(f"unable to parse SM or JSON patch: {error}") from None
    if operations is not None:
        if not operations:
            return
        if entry.target is None:
            raise TransformError("must specify a target for JSON patch", file=file)
        for resource in select(resources, entry.target):
            resource.remember()
            _change(resources, resource, operations, file, by)
        return
    for document in documents:
        if entry.options is not None:
            document.name_change = entry.options.allowNameChange
            document.kind_change = entry.options.allowKindChange
    if entry.target is None:
        apply_strategic(resources, documents, by)
        return
    if len(documents) > 1:
        raise TransformError(
            "multiple strategic merge patches in one entry need no target: split the entry, or "
            "leave the target out",
            file=file,
        )
    for document in documents:
        for resource in select(resources, entry.target):
            _apply_to_target(resources, resource, document, by)


def _apply_to_target(
    resources: Resources, resource: Resource, document: Resource, by: Origin | None
) -> None:
    """Apply a strategic merge patch to a resource that its target selects.

    Upstream gives the patch the version of the resource, so one without a version gets an empty
    one, except where the patch replaces it.
    """
    copy = document.copy()
    version = copy.data["apiVersion"] = resource.data.get("apiVersion")
    replaces = "$patch" in copy.data
    _merge_into(resources, resource, copy, by)
    if resource.data and version is None and not replaces:
        resource.data["apiVersion"] = None


def _documents(text: str, file: str, by: Origin | None, entry: Patch) -> list[Resource]:
    """Read strategic merge patches.

    With a target upstream renames a copy of the patch, whereby its labels and annotations become
    strings: nulls in them then delete nothing.
    """
    named = entry.target is None
    documents = parse_resources(text, file, provenance=by is not None, by="patch", nulls=named)
    for document in documents if not named else ():
        document.write_labels_as_texts()
    if not entry.path and by is not None:
        for document in documents:
            document.ledger = Ledger(Whole(by._replace(by="patch")))
    return documents


def apply_strategic(resources: Resources, documents: list[Resource], by: Origin | None) -> None:
    """Apply strategic merge patches to the resources that have their identities."""
    for document in documents:
        wanted = document.original
        try:
            target = resources.one_by_id(wanted)
        except KustomizeError as error:
            raise TransformError(
                f"no resource matches strategic merge patch {str(wanted)!r}: {error.problem}",
                file=document.file,
            ) from None
        _merge_into(resources, target, document.copy(), by)


def _overwrites_annotations(operation: Operation) -> bool:
    paths = {operation.get("path")} if operation["op"] != "test" else set()
    if operation["op"] == "move":
        paths.add(operation.get("from"))
    return not paths.isdisjoint({"", "/metadata", "/metadata/annotations"})


def _change(
    resources: Resources,
    resource: Resource,
    operations: list[Operation],
    file: str,
    by: Origin | None,
) -> None:
    """Apply a JSON patch to one resource."""
    before = resource.id
    try:
        change(resource, operations, by)
    except TransformError as error:
        raise TransformError(f"patching {resource}: {error.problem}", file=file) from None
    if resource.id != before:
        resources.touch()
    if any(_overwrites_annotations(operation) for operation in operations):
        resource.forget_records()


def apply_json6902(resources: Resources, entry: Patch, loader: Loader, by: Origin | None) -> None:
    """Apply one entry of the deprecated `patchesJson6902`: its target names one resource."""
    if entry.target is None or not entry.target.name:
        raise TransformError("must specify a target name in patchesJson6902", file=loader.file)
    text, file = _load(entry, loader)
    operations = _operations(text, file)
    if operations is None:
        raise TransformError("a JSON patch must be a list of operations", file=file)
    for resource in select(resources, entry.target):
        _change(resources, resource, operations, file, by)
