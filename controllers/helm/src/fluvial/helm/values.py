"""Putting the values of a release together: `valuesFrom` in order, `values` on top."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fluvial.apis.helm import HelmRelease
from fluvial.apis.meta import ValuesReference
from fluvial.helm.errors import ValuesInvalid
from fluvial.helm.strvals import set_path
from fluvial.render.yaml import YamlError, load
from fluvial.toolkit import Client, NotFound, Transient
from fluvial.toolkit.references import CONFIG_MAP, SECRET

__all__ = ["Found", "compose", "load_values", "merge_maps"]


Found: TypeAlias = Sequence[tuple[ValuesReference, str | None]]
"""References in order with the data under their key; None for what is missing and optional."""

_DEFAULT_KEY = "values.yaml"


async def load_values(client: Client, obj: HelmRelease) -> dict[str, Any]:
    """Read what `valuesFrom` names, in the release's namespace, and compose.

    Raises Transient with the reason ValuesError; its message never quotes a value.
    """
    seen: dict[tuple[str, str], Mapping[str, str] | None] = {}
    found: list[tuple[ValuesReference, str | None]] = []
    try:
        for ref in obj.spec.values_from:
            key = (ref.kind, ref.name)
            if key not in seen:
                seen[key] = await _data(client, obj, ref)
            found.append((ref, _value(seen[key], ref, obj.metadata.namespace)))
        return compose(found, obj.spec.values)
    except ValuesInvalid as error:
        raise Transient("ValuesError", f"could not resolve values: {error}") from error


def compose(found: Found, inline: Any) -> dict[str, Any]:
    """Merge in upstream's steps; every number that was YAML is a float, as in Go.

    The steps share nested maps as upstream's do: a value that is set at a path inside of the
    inline values stays, for the last merge puts those same maps on top. Raises ValuesInvalid.
    """
    if inline is not None and not isinstance(inline, dict):
        raise ValuesInvalid("spec.values must be a map")
    values: dict[str, Any] = _floats(inline or {})
    result: dict[str, Any] = {}
    for ref, text in found:
        if text is None:
            continue
        if ref.target_path:
            result = merge_maps(result, values)
            try:
                set_path(result, ref.target_path, text, literal=ref.literal)
            except ValuesInvalid as error:
                raise ValuesInvalid(f"{_name(ref)}: {error}") from error
        else:
            result = merge_maps(result, _parse(ref, text))
    return merge_maps(result, values)


def merge_maps(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge maps into a new one: maps merge, anything else is replaced by what is above."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        merged[key] = merge_maps(old, value) if both else value  # type: ignore[arg-type]
    return merged


async def _data(client: Client, obj: HelmRelease, ref: ValuesReference) -> Mapping[str, str] | None:
    """Return the text under every key; None when the object is not there."""
    resource = SECRET if ref.kind == "Secret" else CONFIG_MAP
    try:
        found = await client.get(resource, ref.name, obj.metadata.namespace)
    except NotFound:
        return None
    data: dict[str, str] = found.get("data") or {}
    if ref.kind != "Secret":
        return data
    try:
        return {key: base64.b64decode(text).decode() for key, text in data.items()}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValuesInvalid(f"{_name(ref)} has data that is no text") from error


def _value(data: Mapping[str, str] | None, ref: ValuesReference, namespace: str) -> str | None:
    key = ref.values_key or _DEFAULT_KEY
    if data is not None and key in data:
        return data[key]
    if ref.optional:
        return None
    name = f"{ref.kind} '{namespace}/{ref.name}'"
    if data is None:
        raise ValuesInvalid(f"{name} not found; create it, or say `optional: true`")
    raise ValuesInvalid(f"missing key '{key}' in {name}; name another with valuesKey")


def _parse(ref: ValuesReference, text: str) -> dict[str, Any]:
    key = ref.values_key or _DEFAULT_KEY
    try:
        parsed = load(text, file=key)
    except YamlError as error:
        # The first line has the place; further lines would quote what may be a secret.
        line = str(error).partition("\n")[0]
        raise ValuesInvalid(f"{_name(ref)}: no YAML under the key '{key}': {line}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise ValuesInvalid(f"{_name(ref)}: the key '{key}' must hold a map")
    return dict(_floats(parsed))


def _name(ref: ValuesReference) -> str:
    return f"{ref.kind} '{ref.name}'"


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
