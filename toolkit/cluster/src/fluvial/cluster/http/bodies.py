"""Request bodies: JSON, YAML and protobuf to objects, with the checks before decoding."""

from __future__ import annotations

from typing import Any

import msgspec

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import StatusError, bad_request, too_large, unsupported_media_type
from fluvial.cluster.fields import json_complaint
from fluvial.cluster.http import protobuf
from fluvial.cluster.http.jsontext import duplicates, plain
from fluvial.cluster.http.protobuf import BodyError
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.schemas import STRICT_YAML
from fluvial.cluster.typed import json_type
from fluvial.render import yaml

__all__ = [
    "LIMIT",
    "PATCH_FORMS",
    "STRICT_YAML",
    "decode",
    "decode_patch",
    "unrecognized",
]

LIMIT = 3 * 1024 * 1024
MOST_SHOWN = 30
"""Bytes of a body that are shown in a message about it."""
MAX_OPERATIONS = 10_000
_OPERATION = frozenset({"op", "path", "from", "value"})
JSON, YAML, PROTOBUF = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
)  # fmt: skip
READ = (JSON, YAML, PROTOBUF)
PATCH_FORMS = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


def check_size(body: bytes) -> None:
    """Refuse a body over the limit."""
    if len(body) > LIMIT:
        raise too_large(f"Request entity too large: limit is {LIMIT}")


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def decode(
    body: bytes, content_type: str, resource: Resource, wanted: tuple[str, str] = ("v1", "")
) -> tuple[Object, tuple[str, ...]]:
    """Return the body as an object, and what a strict decoder says of its duplicate fields.

    `wanted` is the apiVersion and kind that the body has to have; without a kind it is that of
    options, about which upstream has fewer words. Raises 400, 413 and 415.
    """
    kind = wanted[1]
    check_size(body)
    media = _media(content_type) or JSON
    if media not in READ:
        raise unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(READ)
        )
    try:
        if media == PROTOBUF and resource.custom is not None and kind == resource.kind:
            protobuf.check_envelope(body)
            raise bad_request(
                f'{kind} in version "{resource.version}" cannot be handled as a {kind}: '
                "object *unstructured.Unstructured does not implement the protobuf marshalling "
                "interface and cannot be encoded to a protobuf message"
            )
        if media == PROTOBUF:
            return protobuf.decode(body, *wanted), ()
        value, seen = _parse(body, yaml_body=media == YAML)
        return _typed(value), seen
    except BodyError as error:
        if not kind:
            raise bad_request(str(error)) from None
        raise unrecognized(kind, str(error), body) from None


def unrecognized(kind: str, why: str, body: bytes) -> StatusError:
    """Return the 400 for a body that does not even say what it is."""
    shown = body[:MOST_SHOWN]
    text = shown.decode(errors="replace") if shown.startswith(b"{") else shown.hex()
    more = " ..." if len(body) > MOST_SHOWN else ""
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind}): {why} "
        f"({text or '<empty>'}{more})"
    )


def _typed(value: Any) -> Object:
    """Return a body whose apiVersion and kind can be read; nothing at all is an empty object."""
    if value is None:
        return {}
    trouble = "couldn't get version/kind; json parse error: json: cannot unmarshal"
    if not isinstance(value, dict):
        raise BodyError(
            f"{trouble} {json_type(value)} into Go value of type struct {{ APIVersion string "
            '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    for name in ("apiVersion", "kind"):
        given = value.get(name)
        if given is not None and not isinstance(given, str):
            raise BodyError(
                f"{trouble} {json_type(given)} into Go struct field .{name} of type string"
            )
    version = value.get("apiVersion") or ""
    if version.count("/") > 1:
        raise BodyError(f"unexpected GroupVersion string: {version}")
    return value


def _parse(body: bytes, *, yaml_body: bool) -> tuple[Any, tuple[str, ...]]:
    if yaml_body:
        try:
            text = body.decode()
            return yaml.load(text), _repeated(text)
        except (yaml.YamlError, UnicodeDecodeError) as error:
            raise BodyError(f"error converting YAML to JSON: {_yaml_complaint(error)}") from None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        complaint = json_complaint(body) or error
        raise BodyError(f"couldn't get version/kind; json parse error: {complaint}") from None
    return value, duplicates(body)


def _repeated(text: str, prefix: str = "") -> tuple[str, ...]:
    """Return the one complaint of Go's strict YAML decoder, which has a line for every key."""
    found = yaml.repeated_keys(text)
    if not found:
        return ()
    lines = [f"  line {line}: key {_go_key(key)} already set in map" for line, key in found]
    return ("\n".join([f"{prefix}{STRICT_YAML}", *lines]),)


def _go_key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return fielderrors.quote(key) if isinstance(key, str) else str(key)


def _yaml_complaint(error: Exception) -> str:
    """Return what go-yaml says of a text: only the problem, and lines as it counts them."""
    if not isinstance(error, yaml.YamlError):
        return "yaml: invalid leading UTF-8 octet"
    context, _, problem = error.problem.rpartition(": ")
    # go-yaml counts from 0 and adds one for errors of its scanner only.
    line = error.line if context.startswith("while scanning") else error.line - 1
    where = f"line {line}: " if line > 0 else ""
    return f"yaml: {where}{problem}"


def _applied(value: Any) -> Any:
    """Refuse an applied configuration that is no object; nothing at all is an empty one."""
    if value is None or isinstance(value, dict):
        return value or {}
    raise bad_request(
        "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
        f"{json_type(value)} into Go value of type map[string]interface {{}}"
    )


def decode_patch(
    body: bytes, content_type: str, resource: Resource
) -> tuple[Any, str, tuple[str, ...]]:
    """Return a patch, its form, and what a strict decoder says of it; raises 415, and 413."""
    check_size(body)
    form = PATCH_FORMS.get(_media(content_type))
    if form is None or (form == "strategic" and resource.custom is not None):
        if resource.custom is not None:
            raise unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types "
                "include: application/json-patch+json, application/merge-patch+json, "
                "application/apply-patch+yaml"
            )
        raise StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    if form == "apply":
        quick = plain(body)
        if quick is not None:
            return quick, form, ()
        try:
            text = body.decode()
            value, seen = yaml.load(text), _repeated(text, "error converting YAML to JSON: ")
        except (yaml.YamlError, UnicodeDecodeError) as error:
            why = f"error converting YAML to JSON: {_yaml_complaint(error)}"
            raise bad_request(f"error decoding YAML: {why}") from None
        return _applied(value), form, seen
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        complaint = json_complaint(body) or error
        raise bad_request(f"error decoding patch: {complaint}") from None
    if form != "json":
        return value, form, duplicates(body)
    return value, form, _operations(value, duplicates(body))


def _operations(patch: Any, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the complaints about a JSON patch; raises 413 for too many operations."""
    if not isinstance(patch, list):
        return ()  # refused later
    if len(patch) > MAX_OPERATIONS:
        raise too_large(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}"
        )
    unknown = tuple(
        f'unknown field "[{index}].{name}"'
        for index, operation in enumerate(patch)
        if isinstance(operation, dict)
        for name in operation
        if name not in _OPERATION
    )
    return tuple(f"json patch {text}" for text in seen + unknown)
