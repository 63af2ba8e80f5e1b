"""Replacements: one value copied from a resource into fields of others."""

import json
from typing import Any

from fluvial.render.kustomize._decode import decode
from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._generators import go_json
from fluvial.render.kustomize._ids import Gvk, ResourceId, text
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._merge import MISSING, clone
from fluvial.render.kustomize._model import FieldOptions, Replacement, Source, Target
from fluvial.render.kustomize._paths import Place, find, lookup, split
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._selectors import candidates, selects_id, selects_text
from fluvial.render.objects import Origin
from fluvial.render.yaml import (
    Spelled,
    Written,
    YamlError,
    bare,
    is_text,
    load_documents,
    plain_scalar,
    read_styled,
    write_styled,
)

__all__ = ["apply_replacements", "load_replacements"]

_NAME = "metadata.name"


def load_replacements(entries: list[Replacement], loader: Loader) -> list[Replacement]:
    """Put the content of files in the place of entries that name one."""
    found: list[Replacement] = []
    for entry in entries:
        if not entry.path:
            found.append(entry)
            continue
        if entry.source is not None or entry.targets:
            raise TransformError("cannot specify both path and inline replacement")
        content, file = loader.read(entry.path), loader.resolve(entry.path)
        documents = load_documents(content, file=file)
        value = documents[0].value if documents else None
        if isinstance(value, list):
            found += decode(value, list[Replacement], file=file, content=content)
        elif isinstance(value, dict):
            found.append(decode(value, Replacement, file=file, content=content))
        else:
            raise TransformError("a replacement file must hold a map or a list", file=file)
    return found


def apply_replacements(resources: Resources, entries: list[Replacement], by: Origin | None) -> None:
    """Apply replacements in order. Raises TransformError naming the path that does not fit."""
    for entry in entries:
        if (entry.source is None and entry.sourceValue is None) or not entry.targets:
            raise TransformError("replacements must specify a source and at least one target")
        value = _value(resources, entry)
        for target in entry.targets:
            _apply(resources, value, target, by)


def _value(resources: Resources, entry: Replacement) -> Any:
    if entry.sourceValue is not None:
        if entry.source is not None:
            raise TransformError("value and resource selectors are mutually exclusive")
        return entry.sourceValue
    source = entry.source
    assert source is not None
    resource = _source(resources, source)
    path = source.fieldPath or _NAME
    value = lookup(resource.data, split(path))
    if value is MISSING or value is None or value in ({}, []):
        raise TransformError(f"fieldPath `{path}` is missing for replacement source {resource}")
    options = source.options
    if options is None or not options.delimiter:
        return value
    if isinstance(value, dict | list):
        raise TransformError("delimiter option can only be used with scalar nodes")
    parts = text(value).split(options.delimiter)
    if not 0 <= options.index < len(parts):
        raise TransformError(
            f"options.index {options.index} is out of bounds for value {text(value)}"
        )
    return parts[options.index]


def _source(resources: Resources, source: Source) -> Resource:
    gvk = Gvk(source.group, source.version, source.kind)
    wanted = ResourceId(gvk, source.name, source.namespace)

    def matches(one: ResourceId) -> bool:
        return (
            gvk.selects(one.gvk)
            and (not wanted.name or one.name == wanted.name)
            and (not wanted.namespace or one.effective_namespace == (wanted.namespace or "default"))
        )

    found = resources.by_any_id(matches, name=wanted.name)
    if len(found) > 1:
        raise TransformError(f"multiple matches for selector {wanted}")
    if not found:
        raise TransformError(f"nothing selected by {wanted}")
    return found[0]


def _apply(resources: Resources, value: Any, target: Target, by: Origin | None) -> None:
    if target.select is None:
        raise TransformError("target must specify resources to select")
    for resource in candidates(resources, target.select.name):
        if not selects_text(target.select, resource) or any(
            (reject.annotationSelector or reject.labelSelector) and selects_text(reject, resource)
            for reject in target.reject
        ):
            continue
        identities = list(resource.identities())
        by_name = [
            reject
            for reject in target.reject
            if any((reject.group, reject.version, reject.kind, reject.name, reject.namespace))
        ]
        if any(selects_id(reject, one) for reject in by_name for one in identities):
            continue
        if any(selects_id(target.select, one) for one in identities):
            for path in target.fieldPaths or [_NAME]:
                _copy(resource, value, path, target.options or FieldOptions(), by)
            if resource.id != identities[-1]:
                resources.touch()


def _copy(
    resource: Resource, value: Any, path: str, options: FieldOptions, by: Origin | None
) -> None:
    parts = split(path)
    if _inside_scalar(resource, value, parts, options, by):
        return
    create = value if options.create else MISSING
    try:
        places = find(resource.data, parts, create)
    except TransformError as error:
        places, reason = [], f": {error.problem}"
    else:
        reason = ""
    if not places:
        verb = "find or create" if options.create else "find"
        raise TransformError(
            f"unable to {verb} field {path!r} in replacement target {resource}{reason}"
        )
    for place in places:
        _set(place, value, options)
        resource.note(place.pointer, by, deep=True)
    resource.settle()


def _set(place: Place, value: Any, options: FieldOptions) -> None:
    """Put a value in its place; a scalar that stands there keeps its type."""
    old = place.value
    if options.delimiter:
        if isinstance(old, dict | list):
            raise TransformError("delimiter option can only be used with scalar nodes")
        parts = ("" if old is None else text(old)).split(options.delimiter)
        if options.index < 0:
            parts.insert(0, text(value))
        elif options.index >= len(parts):
            parts.append(text(value))
        else:
            parts[options.index] = text(value)
        value = options.delimiter.join(parts)
    if isinstance(old, dict | list):
        place.node[place.key] = clone(value)
    elif isinstance(old, Written) and old.style:
        place.node[place.key] = Written.quoted(text(value), old.style)
    elif is_text(old) or place.pointer.startswith("/metadata/annotations/"):
        place.node[place.key] = text(value)
    elif isinstance(value, dict | list):
        place.node[place.key] = clone(value) if old is None else ""
    else:
        new = plain_scalar(text(value))
        if not place.made and not _fits(_kind(new), _kind(old)):
            raise TransformError(
                f"cannot set {place.pointer} to {text(value)!r}: a value of another type is there"
            )
        place.node[place.key] = new


def _fits(new: type, old: type) -> bool:
    """Say whether a text that reads as `new` may stand where the tag says `old`."""
    return new is old or (old is float and new is int)


def _kind(value: Any) -> type:
    """Return the type that a scalar has in YAML: a date, too, is one of its own."""
    if isinstance(value, Written) and not value.style:
        return Written if isinstance(value.value, str) else type(value.value)
    return str if isinstance(value, str) else type(value)


def _inside_scalar(
    resource: Resource, value: Any, parts: list[str], options: FieldOptions, by: Origin | None
) -> bool:
    """Edit a document that a string of the resource holds; False when the path has no such.

    Upstream replaces whole values there: delimiter and index count for fields of the resource only.
    """
    for length in range(1, len(parts)):
        try:
            places = find(resource.data, parts[:length])
        except TransformError:
            return False
        if len(places) != 1:
            return False
        place = places[0]
        if place.value is None or isinstance(place.value, dict | list):
            continue
        source = text(place.value)
        try:
            document = read_styled(source)
            inner = find(document, parts[length:], value if options.create else MISSING)
            if not inner or not isinstance(document, dict | list):
                return False
        except (YamlError, TransformError):
            return False
        for spot in inner:
            _respell(spot, value)
        try:
            written = _write(document, source)
        except ValueError:
            return True  # upstream leaves JSON alone that it cannot write, and says nothing
        place.node[place.key] = (
            Written.quoted(written, place.value.style)
            if isinstance(place.value, Written)
            else written
        )
        resource.note(place.pointer, by, deep=True)
        return True
    return False


def _respell(spot: Place, value: Any) -> None:
    """Put a value into an embedded document: a scalar that stands there keeps style and type."""
    old = spot.value
    if isinstance(old, Spelled):
        spot.node[spot.key] = old.holding(text(value))
    elif old is None and not isinstance(value, dict | list):
        spot.node[spot.key] = Spelled(text(value))
    else:
        spot.node[spot.key] = _spelled(value)


def _spelled(value: Any) -> Any:
    """Return a value as a part of a document that is to be printed."""
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    style = value.style if isinstance(value, Written) else ""
    return Spelled(text(value), style=style, kind="str" if is_text(value) else "")


def _write(document: Any, source: str) -> str:
    """Print an embedded document in the manner it had."""
    if source.lstrip()[:1] not in {"{", "["}:
        return write_styled(document).strip()
    plain = bare(document)
    if "\n" in source and "  " in source:
        return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False)
    return go_json(plain)
