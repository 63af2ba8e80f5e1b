"""One patch applied to one resource, and once more when it is asked where values came from."""

from contextlib import ExitStack
from functools import partial
from typing import Any

from fluvial.render.kustomize._blanks import fill
from fluvial.render.kustomize._frozen import Frozen, freeze, thaw
from fluvial.render.kustomize._jsonpatch import Operation, apply_patch
from fluvial.render.kustomize._ledger import Ledger, Redone, Table
from fluvial.render.kustomize._merge import MISSING, Taken, merge
from fluvial.render.kustomize._resource import Resource
from fluvial.render.kustomize._schema import Schema, choice, choosing, root_type
from fluvial.render.kustomize._styles import keeping_styles, requote, styles_kept
from fluvial.render.kustomize._trace import Trace
from fluvial.render.objects import Origin
from fluvial.render.yaml import settled

__all__ = ["change", "merge_into"]


def merge_into(resource: Resource, patch: Resource, by: Origin | None) -> None:
    """Apply a strategic merge patch, which may be changed by that.

    A resource that the patch deletes is left empty. Raises TransformError where the two do not fit.
    """
    if resource.ledger is None:
        _merge(resource, patch, None)
        return
    met, theirs = freeze(resource), freeze(patch)
    _merge(resource, patch, None)
    table = Table() if patch.ledger is None else patch.ledger
    redo = partial(_merge_again, met=met, patch=theirs, theirs=table, by=by)
    _redone(resource.ledger, redo, met.cost + theirs.cost)


def change(resource: Resource, operations: list[Operation], by: Origin | None) -> None:
    """Apply the operations of a JSON patch. Raises TransformError for one that does not apply."""
    if resource.ledger is None:
        _operate(resource, operations, None)
        return
    met = freeze(resource)
    _operate(resource, operations, None)
    redo = partial(_operate_again, met=met, operations=operations, by=by)
    _redone(resource.ledger, redo, met.cost)


def _redone(ledger: Ledger, redo: Any, cost: int) -> None:
    again = partial(_as_then, schema=choice().schema, styles=styles_kept(), redo=redo)
    ledger.entries.append(Redone(again, cost))


def _as_then(table: Table, schema: Schema | None, *, styles: bool, redo: Any) -> Table:
    """Do something again under the choices of the build in which it was done first."""
    with ExitStack() as stack:
        stack.enter_context(choosing()).make(schema)
        if styles:
            stack.enter_context(keeping_styles())
        made: Table = redo(table)
        return made


def _merge(resource: Resource, patch: Resource, taken: list[Taken] | None) -> None:
    """Merge, and give back the identity that a patch may not change."""
    metadata = resource.metadata
    name, namespace = metadata.get("name"), metadata.get("namespace")
    kind = resource.data.get("kind")
    gvk = resource.gvk
    result = merge(
        resource.data,
        patch.data,
        root_type(gvk.api_version, gvk.kind) or root_type(patch.gvk.api_version, patch.gvk.kind),
        None if taken is None else taken.append,
        (*resource.blanks, *patch.blanks),
    )
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
    if taken is not None:
        kept = {(id(metadata), "namespace")}
        kept |= set() if patch.kind_change else {(id(data), "kind")}
        kept |= set() if patch.name_change else {(id(metadata), "name")}
        taken[:] = [one for one in taken if (id(one[0]), one[1]) not in kept]


def _merge_again(
    table: Table, met: Frozen, patch: Frozen, theirs: Ledger | Table, by: Origin | None
) -> Table:
    resource, document = Resource({}), Resource({})
    thaw(met, resource)
    thaw(patch, document)
    origins = theirs.table() if isinstance(theirs, Ledger) else theirs
    mine, other = Trace(resource.data, table, by), Trace(document.data, origins, by)
    mine.join(other)
    taken: list[Taken] = []
    _merge(resource, document, taken)
    for one in taken:
        mine.take(*one)
    return mine.table(resource.data)


def _operate(resource: Resource, operations: list[Operation], trace: Trace | None) -> None:
    # Upstream goes through JSON here, which has no blanks, knows only what scalars mean, and shares
    # no values.
    fill(resource.blanks)
    resource.blanks = []
    settled(resource.data)
    changed = apply_patch(resource.data, operations, trace)
    resource.data = requote(changed, printed=True) if isinstance(changed, dict) else {}
    resource.shared = []


def _operate_again(
    table: Table, met: Frozen, operations: list[Operation], by: Origin | None
) -> Table:
    resource = Resource({})
    thaw(met, resource)
    trace = Trace(resource.data, table, by)
    _operate(resource, operations, trace)
    return trace.table(resource.data)
