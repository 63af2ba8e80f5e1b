"""Where each field of a built kustomization comes from: as text, or a line of JSON an object."""

from collections.abc import Iterable
from typing import Final

import msgspec

from fluvial.render.objects import Origin, Rendered
from fluvial.render.pointers import leaves

__all__ = ["FORMS", "listed"]

FORMS: Final = ("text", "json")


def listed(objects: Iterable[Rendered], form: str) -> str:
    """Return the origin of every field that holds no others, object by object."""
    show = _json if form == "json" else _text
    return "".join(show(one, _fields(one)) for one in objects)


def _fields(one: Rendered) -> dict[str, Origin]:
    origins = one.blame()
    return {pointer: origins[pointer] for pointer in leaves(one.decode())}


def _text(one: Rendered, fields: dict[str, Origin]) -> str:
    version = f"{one.id.group}/{one.version}" if one.id.group else one.version
    name = f"{one.id.namespace}/{one.id.name}" if one.id.namespace else one.id.name
    lines = "".join(f"  {pointer}: {origin}\n" for pointer, origin in fields.items())
    return f"{version} {one.id.kind} {name}\n{lines}"


def _json(one: Rendered, fields: dict[str, Origin]) -> str:
    record = {
        "apiVersion": f"{one.id.group}/{one.version}" if one.id.group else one.version,
        "kind": one.id.kind,
        "namespace": one.id.namespace,
        "name": one.id.name,
        "fields": {pointer: origin._asdict() for pointer, origin in fields.items()},
    }
    return msgspec.json.encode(record).decode() + "\n"
