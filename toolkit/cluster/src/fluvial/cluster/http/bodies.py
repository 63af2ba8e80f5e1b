"""Request bodies: JSON, YAML and protobuf to objects, with the checks before decoding."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import StatusError, bad_request, too_large, unsupported_media_type
from fluvial.cluster.fields import json_complaint
from fluvial.cluster.http import protobuf
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.schemas import STRICT_YAML
from fluvial.render import yaml

__all__ = [
    "LIMIT",
    "PATCH_FORMS",
    "STRICT_YAML",
    "check_kind",
    "decode",
    "decode_patch",
    "duplicates",
]

LIMIT = 3 * 1024 * 1024
MAX_OPERATIONS = 10_000
_OPERATION = frozenset({"op", "path", "from", "value"})
JSON, YAML, PROTOBUF = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
)  # fmt: skip
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


def decode(body: bytes, content_type: str, resource: Resource) -> tuple[Object, tuple[str, ...]]:
    """Return the body as an object, and what a strict decoder says of its duplicate fields."""
    check_size(body)
    media = _media(content_type) or JSON
    if media == PROTOBUF and resource.custom is None:
        return protobuf.decode(body), ()
    if media not in (JSON, YAML):
        accepted = (JSON, YAML) if resource.custom is not None else (JSON, YAML, PROTOBUF)
        raise unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(accepted)
        )
    value, seen = _parse(body, yaml_body=media == YAML)
    if not isinstance(value, dict):
        raise bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{_json_type(value)} into Go value of type struct {{ APIVersion string "
            '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    return value, seen


def _json_type(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "number"


def _parse(body: bytes, *, yaml_body: bool) -> tuple[Any, tuple[str, ...]]:
    if yaml_body:
        try:
            text = body.decode()
            return yaml.load(text), _repeated(text)
        except (yaml.YamlError, UnicodeDecodeError) as error:
            raise bad_request(f"error converting YAML to JSON: {_yaml_complaint(error)}") from None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        complaint = json_complaint(body) or error
        raise bad_request(f"couldn't get version/kind; json parse error: {complaint}") from None
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
        f"{_json_type(value)} into Go value of type map[string]interface {{}}"
    )


def duplicates(body: bytes) -> tuple[str, ...]:
    """Return a complaint for each member that a JSON object names twice, in order, each once."""
    if not body.count(b":"):
        return ()
    found: dict[str, None] = {}

    class Twice(dict[str, Any]):
        """An object that remembers which of its keys came twice."""

        twice: list[str]

    def pairs(items: list[tuple[str, Any]]) -> Twice:
        result, again = Twice(), []
        for key, value in items:
            if key in result:
                again.append(key)
            result[key] = value
        result.twice = again
        return result

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Twice):
            for key in value.twice:
                found[f"{path}.{key}" if path else key] = None
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else key)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{path}[{index}]")

    walk(json.loads(body, object_pairs_hook=pairs), "")
    return tuple(f'duplicate field "{path}"' for path in found)


def check_kind(obj: Object, resource: Resource, group: str, version: str, kind: str) -> None:
    """Fill in a missing apiVersion and kind; refuse those of another endpoint."""
    api_version = f"{group}/{version}" if group else version
    given = (obj.get("apiVersion"), obj.get("kind"))
    for name, value in zip(("apiVersion", "kind"), given, strict=True):
        if value is not None and not isinstance(value, str):
            raise bad_request(f"couldn't get version/kind; json parse error: {name} is no string")
    if resource.custom is not None or given != (None, None):
        if not given[1]:
            raise _missing("Kind", obj)
        if not given[0]:
            raise _missing("apiVersion", obj)
    if given not in ((None, None), (api_version, kind)):
        raise _other_kind(resource, str(given[0]), str(given[1]), api_version, kind)
    obj["apiVersion"], obj["kind"] = api_version, kind


def _missing(what: str, obj: Object) -> StatusError:
    shown = msgspec.json.encode(obj).decode()
    return bad_request(f"Object '{what}' is missing in '{shown}'")


def _other_kind(
    resource: Resource, given: str, given_kind: str, api_version: str, kind: str
) -> StatusError:
    version = api_version.rpartition("/")[2]
    return bad_request(
        f'{given_kind} in version "{given.rpartition("/")[2]}" cannot be handled as a {kind}: '
        f"converting ({given}.{given_kind}) to ({api_version}.{kind}): unknown conversion"
        if not given or resource.custom is None
        else f"the API version in the data ({given}) does not match the expected API version "
        f"({api_version})"
        if given.rpartition("/")[2] != version
        else f'no kind "{given_kind}" is registered for version "{given}"'
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
        quick = _plain_json(body)
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


class _FloatError(Exception):
    """A number in JSON that YAML may read otherwise."""


def _refuse_float(text: str) -> Any:
    raise _FloatError(text)


_JSON = msgspec.json.Decoder(dict[str, Any], float_hook=_refuse_float)
_OTHERWISE = re.compile(rb'[\t\\]|\d{16}|"[^"]{1000,}"\s*:')
"""What YAML does not read as JSON does: tabs, escapes, numbers of any size, long keys."""


def _plain_json(body: bytes) -> Object | None:
    """Return a configuration in JSON that YAML reads the same, ten times faster than YAML does."""
    if not body.startswith(b"{") or _OTHERWISE.search(body):
        return None
    try:
        value = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, _FloatError):
        return None
    return None if duplicates(body) else value


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
