"""Where each field of a rendered chart comes from: as text, or a line of JSON for each document."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from fluvial.cli.build.flags import FlagError
from fluvial.render.helm import (
    FieldOrigin,
    Hook,
    Manifest,
    RenderedChart,
    ValueLayers,
    ValueOrigins,
    ValueSource,
    explain,
    path_matches,
    shown_hooks,
)
from fluvial.render.objects import Origin

__all__ = ["all_layers", "check_form", "print_provenance", "template_origins"]

Fields: TypeAlias = Mapping[str, FieldOrigin | Origin]
Explain: TypeAlias = Callable[[Manifest | Hook], Fields]
"""Tells of a document where its fields come from."""

_FORMS: Final = ("text", "json")


def check_form(wanted: str) -> None:
    """Raise FlagError for a form of `--provenance` that there is not."""
    if wanted not in _FORMS:
        raise FlagError(f"--provenance: {wanted!r} is none of {', '.join(_FORMS)}")


def template_origins(done: RenderedChart, layers: ValueLayers) -> Explain:
    """Return what tells of a document where the fields that hold no others come from.

    `layers` are the values of the user; the chart's defaults are put below them.
    """
    origins = all_layers(done, layers)

    def explained(document: Manifest | Hook) -> Mapping[str, FieldOrigin]:
        found = explain(done, document, origins)
        parents = {pointer.rpartition("/")[0] for pointer in found if pointer}
        return {pointer: origin for pointer, origin in found.items() if pointer not in parents}

    return explained


def all_layers(done: RenderedChart, layers: ValueLayers) -> ValueOrigins:
    """Put the values of the user over the defaults of the chart that was rendered."""
    below = ValueLayers()
    below.add_chart(done.chart)
    return below.under(layers)


def print_provenance(
    done: RenderedChart, given: Mapping[str, Any], origins_of: Explain
) -> str | None:
    """Print the origin of every field; return the first `--show-only` that nothing matches."""
    documents: list[Manifest | Hook] = [
        *done.manifests,
        *shown_hooks(
            done,
            hooks=not given.get("no-hooks", False),
            tests=not given.get("skip-tests", False),
        ),
    ]
    wanted = given.get("show-only", [])
    if wanted:
        chosen = []
        for pattern in wanted:
            found = [one for one in documents if path_matches(pattern, _within(one.path))]
            if not found:
                return str(pattern)
            chosen += found
        documents = chosen
    show = _json if given["provenance"] == "json" else _text
    for document in documents:
        sys.stdout.write(show(document, origins_of(document)))
    return None


def _within(path: str) -> str:
    """Return the path of a template within its chart."""
    return path.partition("/")[2]


def _text(document: Manifest | Hook, fields: Fields) -> str:
    lines = "".join(f"  {pointer}: {origin}\n" for pointer, origin in fields.items())
    head = " ".join(part for part in (document.api_version, document.kind, document.name) if part)
    return f"# Source: {document.path}\n{head}\n{lines}"


def _json(document: Manifest | Hook, fields: Fields) -> str:
    record = {
        "source": document.path,
        "apiVersion": document.api_version,
        "kind": document.kind,
        "name": document.name,
        "fields": {pointer: _field(origin) for pointer, origin in fields.items()},
    }
    return msgspec.json.encode(record).decode() + "\n"


def _field(origin: FieldOrigin | Origin) -> dict[str, Any]:
    """Return an origin as JSON: a template with what it read, or else what has set the field."""
    if isinstance(origin, Origin):
        return _origin(origin)
    return {
        "template": str(origin.place),
        "values": [_source(source) for source in origin.values],
        "through": [str(place) for place in origin.through],
        "conditions": [_source(source) for source in origin.conditions],
    }


def _source(source: ValueSource) -> dict[str, Any]:
    """Return a value as JSON; one that nothing sets has no origin."""
    origin = source.origin
    if origin is None:
        return {"path": source.name, "from": None}
    return {"path": source.name, **_origin(origin)}


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "from": origin.file,
        "line": origin.line,
        "column": origin.column,
        "by": origin.by,
    }
