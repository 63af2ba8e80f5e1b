"""Patches: which documents they are, whom they are for, and their application."""

from typing import Any

import msgspec

from fluvial.render.kustomize._blanks import fill
from fluvial.render.kustomize._errors import KustomizeError, TransformError
from fluvial.render.kustomize._fieldspec import escape
from fluvial.render.kustomize._jsonpatch import Operation, apply_patch
from fluvial.render.kustomize._keys import check_keys
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._merge import MISSING, merge
from fluvial.render.kustomize._model import Patch
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._schema import root_type
from fluvial.render.kustomize._selectors import select
from fluvial.render.objects import Origin
from fluvial.render.yaml import Dialect, YamlError, load_documents

__all__ = ["apply_json6902", "apply_patch_entry", "apply_strategic"]


_CONTAINERS = (dict, list)


def _track(value: Any, pointer: str, known: dict[int, str], held: dict[int, Any]) -> None:
    """Remember where each container of a tree stands, and what it holds.

    `held` also keeps the containers alive, so that no new one gets the id of an old one.
    """
    known[id(value)] = pointer
    held[id(value)] = (value, value.copy())
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, _CONTAINERS):
            _track(item, f"{pointer}/{escape(str(key))}", known, held)


class _Trace:
    """Carries provenance over a change that moves values: by the identity of containers."""

    def __init__(self, resource: Resource, patch: Resource | None, by: Origin | None) -> None:
        self.before: dict[int, str] = {}
        self.theirs: dict[int, str] = {}
        self.taken: dict[tuple[int, str | int], str] = {}
        self.held: dict[int, Any] = {}
        self.new: dict[str, Origin] = {}
        self.touched: set[int] = set()
        self.resource = resource
        self.patch = patch
        self.by = by
        _track(resource.data, "", self.before, self.held)
        if patch is not None:
            _track(patch.data, "", self.theirs, self.held)

    def take(self, node: Any, key: str | int, patch: Any, patch_key: str | int) -> None:
        """Note that a value came from the patch."""
        pointer = f"{self.theirs.get(id(patch), '')}/{escape(str(patch_key))}"
        self.taken[id(node), key] = pointer

    def finish(self) -> None:
        """Write the new table of the resource."""
        old = self.resource.origins or {}
        theirs = (self.patch.origins if self.patch is not None else None) or {}
        self.new = dict(old)
        self.touched = {node for node, _ in self.taken}
        self._walk(self.resource.data, "", old, theirs, fresh=False)
        self.resource.origins = self.new

    def _is_as_it_was(self, node: Any, pointer: str) -> bool:
        """Say whether a container stands where it stood, with what it held."""
        key = id(node)
        return (
            self.before.get(key) == pointer
            and key not in self.touched
            and node == self.held[key][1]
        )

    def _walk(
        self,
        node: Any,
        pointer: str,
        old: dict[str, Origin],
        theirs: dict[str, Origin],
        *,
        fresh: bool,
    ) -> None:
        """Correct the table for a container; `fresh` says that nothing below is in it yet."""
        items = node.items() if isinstance(node, dict) else enumerate(node)
        if not fresh and self._is_as_it_was(node, pointer):
            for key, item in items:
                if isinstance(item, _CONTAINERS):
                    inner = f"{pointer}/{escape(str(key))}"
                    self._walk(item, inner, old, theirs, fresh=False)
            return
        if not fresh:
            below = f"{pointer}/"
            for known in [name for name in self.new if name.startswith(below)]:
                del self.new[known]
        mine, foreign = self.before.get(id(node)), self.theirs.get(id(node))
        for key, item in items:
            part = escape(str(key))
            inner = f"{pointer}/{part}"
            place = self.taken.get((id(node), key))
            origin = None
            if place is None and foreign is not None:
                place = f"{foreign}/{part}"
            if place is not None:
                origin = theirs.get(place) or theirs.get("") or self.by
            elif isinstance(item, _CONTAINERS) and id(item) in self.theirs:
                origin = theirs.get(self.theirs[id(item)]) or theirs.get("") or self.by
            elif isinstance(item, _CONTAINERS) and id(item) in self.before:
                origin = old.get(self.before[id(item)])
            elif mine is not None:
                origin = old.get(f"{mine}/{part}")
            if origin is not None:
                self.new[inner] = origin
            if isinstance(item, _CONTAINERS):
                self._walk(item, inner, old, theirs, fresh=True)


def _replaces_annotations(patch: dict[str, Any]) -> bool:
    """Say whether a patch deletes or replaces all annotations, whatever they are."""
    metadata = patch.get("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("$patch") in {"replace", "delete"}:
        return True
    annotations = metadata.get("annotations", {})
    return not isinstance(annotations, dict) or annotations.get("$patch") in {"replace", "delete"}


def _kind_of(patch: Resource) -> tuple[str, str]:
    """Return the kind whose schema serves where the resource's own has none."""
    return patch.gvk.api_version, patch.gvk.kind


def _merge_into(
    resources: Resources, resource: Resource, patch: Resource, by: Origin | None
) -> None:
    """Apply a strategic merge patch to one resource; `patch` may be changed.

    A resource that the patch deletes is left empty, and found by no identity from then on.
    """
    name, namespace, kind = (
        resource.metadata.get("name"),
        resource.metadata.get("namespace"),
        resource.data.get("kind"),
    )
    if patch.name_change or patch.kind_change:
        resource.remember()
        resources.touch()
    gvk = resource.gvk
    before, labels = resource.strings("labels"), patch.metadata.get("labels")
    trace = _Trace(resource, patch, by) if resource.origins is not None else None
    if _replaces_annotations(patch.data):
        resource.forget_records()
    try:
        result = merge(
            resource.data,
            patch.data,
            root_type(gvk.api_version, gvk.kind) or root_type(*_kind_of(patch)),
            trace.take if trace else None,
            resource.blanks,
        )
    except TransformError as error:
        raise TransformError(f"patching {resource}: {error.problem}", file=patch.file) from None
    if result is MISSING or not result:
        resource.data = {}
        return
    data = resource.data
    if not patch.kind_change:
        data["kind"] = kind
    metadata = data.setdefault("metadata", {})
    if not patch.name_change:
        metadata["name"] = name
    if namespace in (None, ""):
        metadata.pop("namespace", None)
    else:
        metadata["namespace"] = namespace
    if trace is not None:
        restored = [] if patch.kind_change else [(id(data), "kind")]
        restored += [] if patch.name_change else [(id(metadata), "name")]
        for place in (*restored, (id(metadata), "namespace")):
            trace.taken.pop(place, None)
        trace.finish()
    resource.settle()
    if patch.plain_labels:
        now = metadata.get("labels")
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
    documents = load_documents(text, file=file, dialect=Dialect.SIGS)
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
            document.origins = {
                pointer: by._replace(by="patch") for pointer in document.origins or ()
            }
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
    trace = _Trace(resource, None, by) if resource.origins is not None else None
    fill(resource.blanks)  # as upstream goes through JSON here, which also has no blanks
    resource.blanks = []
    try:
        changed = apply_patch(resource.data, operations)
    except TransformError as error:
        raise TransformError(f"patching {resource}: {error.problem}", file=file) from None
    resource.data = changed if isinstance(changed, dict) else {}
    if resource.id != before:
        resources.touch()
    if any(_overwrites_annotations(operation) for operation in operations):
        resource.forget_records()
    resource.shared = []  # upstream goes through JSON here, which knows no shared values
    if trace is not None:
        trace.finish()
        for operation in operations:
            if operation["op"] in {"add", "replace", "move", "copy"}:
                resource.note(str(operation.get("path")), by, deep=True)


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
