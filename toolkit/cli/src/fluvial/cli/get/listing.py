"""Asks the server for the tables and lays them out as kubectl does."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from fluvial.apis.definition import Kind
from fluvial.apis.kinds import AnyKind
from fluvial.toolkit import Client, ClusterConfig
from fluvial.toolkit.client import NotFound, resource_of_kind

__all__ = ["Column", "Row", "Table", "laid_out", "list_tables"]

_ACCEPT: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"
_GAP: Final = "   "


class Column(msgspec.Struct, rename="camel"):
    """A column; those of priority above 0 are for wide output."""

    name: str
    priority: int = 0


class _Metadata(msgspec.Struct):
    namespace: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class Row(msgspec.Struct):
    """An object's cells, and the part of it that the server sends along."""

    cells: list[Any]
    object: _Object = msgspec.field(default_factory=_Object)


class Table(msgspec.Struct, rename="camel"):
    """What the server answers when asked for a table."""

    column_definitions: list[Column] = []
    rows: list[Row] = []


async def list_tables(
    kinds: Iterable[Kind[Any]], kubeconfig: str, namespace: str | None, *, everywhere: bool
) -> str:
    """Return one table per kind that has objects, or a sentence that there are none.

    `namespace` None means the context's own. Raises the client's errors; a kind that is not
    installed counts as one without objects.
    """
    async with Client(await ClusterConfig.discover(kubeconfig or None)) as client:
        space = None if everywhere else namespace or client.config.namespace
        found = [(kind, await _table(client, kind, space)) for kind in kinds]
    texts = [
        laid_out(table, prefix=kind.singular, everywhere=everywhere)
        for kind, table in found
        if table.rows
    ]
    where = "in any namespace" if everywhere else f"in namespace {space}"
    return "\n\n".join(texts) or f"No objects {where}."


def laid_out(table: Table, *, prefix: str, everywhere: bool) -> str:
    """Return the table as lines of equal columns; names are `<prefix>/<name>`."""
    wanted = [n for n, column in enumerate(table.column_definitions) if column.priority == 0]
    lines = [[table.column_definitions[n].name.upper() for n in wanted]]
    for row in table.rows:
        cells = ["" if row.cells[n] is None else str(row.cells[n]) for n in wanted]
        lines.append([f"{prefix}/{cells[0]}", *cells[1:]])
    if everywhere:
        spaces = ["NAMESPACE", *(row.object.metadata.namespace for row in table.rows)]
        lines = [[space, *line] for space, line in zip(spaces, lines, strict=True)]
    return _columns(lines)


def _columns(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


async def _table(client: Client, kind: AnyKind, namespace: str | None) -> Table:
    try:
        path = resource_of_kind(kind).path(namespace)
        raw = await client.get_raw(path, accept=_ACCEPT)
    except NotFound:
        return Table()
    return msgspec.json.decode(raw, type=Table)
