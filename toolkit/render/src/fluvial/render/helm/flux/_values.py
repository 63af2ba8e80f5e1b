"""Putting the values of a release together: `valuesFrom` in order, `values` on top."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import ValuesReference
from fluvial.render.helm._errors import ValuesError
from fluvial.render.helm._layers import ValueLayers
from fluvial.render.helm._values import floats, merge_files
from fluvial.render.helm.flux._origins import Origins
from fluvial.render.helm.flux._place import ReleasePlace
from fluvial.render.helm.flux._setting import set_path
from fluvial.render.yaml import YamlError, load

__all__ = ["Found", "compose", "text_of"]

Found: TypeAlias = Sequence[tuple[ValuesReference, str | None]]
"""References in order with the data under their key; None for what is missing and optional."""

_DEFAULT_KEY: Final = "values.yaml"


def text_of(ref: ValuesReference, obj: Unstructured | None, namespace: str) -> str | None:
    """Return the text that a reference names; None for what is missing and optional.

    `obj` is the ConfigMap or Secret as the server has it, None where there is none. `namespace` is
    the release's. Raises ValuesError; its message never quotes a value.
    """
    data = None if obj is None else _texts(ref, obj)
    key = ref.values_key or _DEFAULT_KEY
    if data is not None and key in data:
        return data[key]
    if ref.optional:
        return None
    name = f"{ref.kind} '{namespace}/{ref.name}'"
    if data is None:
        raise ValuesError(f"{name} not found; create it, or say `optional: true`")
    raise ValuesError(f"missing key '{key}' in {name}; name another with valuesKey")


def _texts(ref: ValuesReference, obj: Unstructured) -> dict[str, str]:
    """Return the text under every key."""
    data: dict[str, str] = obj.get("data") or {}
    if ref.kind != "Secret":
        return data
    try:
        return {key: base64.b64decode(text).decode() for key, text in data.items()}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValuesError(f"{_name(ref)} has data that is no text") from error


def compose(
    found: Found,
    inline: Any,
    layers: ValueLayers | None = None,
    *,
    namespace: str = "",
    place: ReleasePlace | None = None,
) -> dict[str, Any]:
    """Merge in upstream's steps; every number that was YAML is a float, as in Go.

    The steps share nested maps as upstream's do: a value that is set at a path inside of the
    inline values stays, for the last merge puts those same maps on top. `layers` are told where
    each value is written, `namespace` is in the names that they get, and `place` says where the
    inline values stand. Raises ValuesError, whose message never quotes a value.
    """
    if inline is not None and not isinstance(inline, dict):
        raise ValuesError("spec.values must be a map")
    values: dict[str, Any] = floats(inline or {})
    origins = None if layers is None else Origins(layers, namespace, values, place)
    result: dict[str, Any] = {}
    for ref, text in found:
        if text is None:
            continue
        key = ref.values_key or _DEFAULT_KEY
        if ref.target_path:
            result = merge_files(result, values)
            try:
                set_path(result, ref.target_path, text, literal=ref.literal)
            except ValuesError as error:
                raise ValuesError(f"{_name(ref)}: {error}") from error
        else:
            result = merge_files(result, _parse(ref, key, text))
        if origins is not None:
            origins.add(ref, key, text)
    if origins is not None:
        origins.add_inline()
    return merge_files(result, values)


def _parse(ref: ValuesReference, key: str, text: str) -> dict[str, Any]:
    try:
        parsed = load(text, file=key)
    except YamlError as error:
        # The first line has the place; further lines would quote what may be a secret.
        line = str(error).partition("\n")[0]
        raise ValuesError(f"{_name(ref)}: no YAML under the key '{key}': {line}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise ValuesError(f"{_name(ref)}: the key '{key}' must hold a map")
    return dict(floats(parsed))


def _name(ref: ValuesReference) -> str:
    return f"{ref.kind} '{ref.name}'"
