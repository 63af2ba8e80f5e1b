"""The bridge to `fluvial.cluster.fields`: schemas of resources, decoding, patches, ownership.

Everything the verbs need of schemas goes through here, so errors of that package become the
Status answers of the API in one place.
"""

# ruff: noqa: PLR0917 - what a write needs is passed on as a whole
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors, fields, kinds, typed
from fluvial.cluster.builtin.strategy import Strategy
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import Cause, StatusError, bad_request, generic, invalid
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["STRICT_YAML", "applied", "decode", "of", "patched", "track", "validate"]


STRICT_YAML = "yaml: unmarshal errors:"
"""What the complaint of Go's YAML decoder begins with; a line for each problem follows."""


def of(resource: Resource) -> Any:
    """Return the schema of a resource's kind."""
    if resource.custom is not None:
        return resource.custom.schema
    try:
        return fields.schema_for_builtin(resource.group, resource.version, resource.kind)
    except KeyError:
        return fields.deduced()


def _decode_error(resource: Resource, text: str) -> StatusError:
    kind = resource.kind
    return bad_request(
        f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {text}'
    )


def _unknown(resource: Resource, obj: Object, *, applied: bool) -> list[str]:
    if resource.custom is not None:
        typed.check_metadata(of(resource).fields["metadata"], obj["metadata"])
        return resource.custom.decode(obj, nulls=not applied)
    return typed.decode(of(resource), obj)


def decode(
    resource: Resource,
    obj: Object,
    options: WriteOptions,
    strategy: Strategy,
    *,
    applied: bool = False,
) -> None:
    """Bring a body into stored shape: drop unknown fields, fill in defaults.

    Raises 400 for values of a wrong Go type, and for unknown or duplicate fields when the
    validation is Strict; warns of them when it is Warn.
    """
    try:
        _decode(resource, obj, options, strategy, applied=applied)
    except typed.TypeMismatchError as error:
        raise _decode_error(resource, str(error)) from None


def _decode(
    resource: Resource,
    obj: Object,
    options: WriteOptions,
    strategy: Strategy,
    *,
    applied: bool = False,
) -> None:
    """Decode; raises `TypeMismatchError` for values of a wrong type."""
    meta = obj.get("metadata")
    cleared = isinstance(meta, dict) and meta.get("managedFields") == []
    unknown = _unknown(resource, obj, applied=applied)
    problems = [*options.duplicates, *(f'unknown field "{path}"' for path in unknown)]
    if problems and options.validation == "Strict":
        raise _decode_error(resource, "strict decoding error: " + ", ".join(problems))
    if options.validation == "Warn":
        options.warnings += [line for text in problems for line in _warnings(text)]
    if cleared:
        obj["metadata"]["managedFields"] = []  # unlike other empty lists it says something
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    strategy.default(obj)


def _warnings(complaint: str) -> list[str]:
    """Return a warning for each line of a complaint about YAML, or the one complaint itself."""
    _, heading, lines = complaint.partition(STRICT_YAML)
    return [line.strip() for line in lines.strip().splitlines()] if heading else [complaint]


def _shown(value: Any) -> str:
    """Print a patched object as Go prints a map."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{_shown(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_shown(item) for item in value) + "]"
    return "true" if value is True else "false" if value is False else str(value)


def patched(
    resource: Resource,
    old: Object,
    patch: Any,
    form: str,
    options: WriteOptions,
    strategy: Strategy,
) -> Object:
    """Return `old` with a patch, decoded again."""
    obj = _with_patch(resource, old, patch, form)

    def refused(text: str) -> StatusError:
        """Return the 422 for what cannot be decoded, which was changed in trying."""
        if form == "strategic":
            return _bad_patch(_shown(patch), text)
        before = _with_patch(resource, old, patch, form)
        return _bad_patch(fields.patched_text(before, patch), text)

    if obj.get("metadata") is None:
        obj["metadata"] = {}
    strict = options.validation == "Strict"
    inner = WriteOptions(validation="Warn" if strict else options.validation)
    inner.duplicates = options.duplicates
    if form != "strategic" and resource.custom is None and not obj.get("apiVersion"):
        # Without a version Go decodes into its own form, which has none of the JSON's names.
        inner.warnings += [
            f'unknown field "{name}"' for name in sorted(obj) if name != "kind" and obj[name] != {}
        ]
        obj = {"metadata": {}}
    try:
        _check_kind(resource, obj)
        _decode(resource, obj, inner, strategy)
    except typed.TypeMismatchError as error:
        raise refused(str(error)) from None
    if strict and inner.warnings:
        raise refused("strict decoding error: " + ", ".join(inner.warnings))
    options.warnings += inner.warnings
    return obj


def _with_patch(resource: Resource, old: Object, patch: Any, form: str) -> Object:
    """Return `old` with a patch, not decoded."""
    try:
        if form == "json":
            obj = fields.patch_json(old, patch)
        elif form == "merge":
            obj = fields.patch_merge(old, patch)
        else:
            obj = fields.patch_strategic(old, patch, of(resource))
    except fields.FieldsError as error:
        raise _from_fields(error) from None
    if not isinstance(obj, dict):
        raise bad_request(f"cannot decode the patched {resource.kind}: it is no object")
    return obj


def _bad_patch(shown: str, text: str) -> StatusError:
    """Return the 422 for a patched object that cannot be decoded."""
    cause: Cause = {
        "reason": "FieldValueInvalid",
        "message": f"Invalid value: {fielderrors.quote(shown)}: {text}",
        "field": "patch",
    }
    return invalid("", "", "", [cause])


def _check_kind(resource: Resource, obj: Object) -> None:
    """Decode a patched built-in object as the kind that it now says it is."""
    version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    for name, value in (("apiVersion", version), ("kind", kind)):
        if value is not None and not isinstance(value, str):
            raise typed.TypeMismatchError(
                "couldn't get version/kind; json parse error: json: cannot unmarshal "
                f"{typed.json_type(value)} into Go struct field .{name} of type string"
            )
    if resource.custom is not None or not (version and kind):
        return
    if (version, kind) == (resource.api_version, resource.kind):
        return
    wanted = (resource.api_version, resource.kind)
    why = kinds.mismatch(resource, obj, (version, kind), wanted)
    if why:
        raise typed.TypeMismatchError(why)


def applied(
    resource: Resource,
    live: Object | None,
    patch: Object,
    target: Target,
    options: WriteOptions,
    now: str,
    strategy: Strategy,
) -> Object:
    """Return the object after a server-side apply; raises 409 with the causes of conflicts."""
    if patch["metadata"].get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    try:
        obj = fields.apply(
            live,
            patch,
            manager=options.manager,
            subresource=target.subresource,
            schema=of(resource),
            force=options.force,
            now=now,
            version=resource.api_version,
        )
    except fields.ApplyConflict as error:
        causes = [
            {"reason": "FieldManagerConflict", "message": cause.message, "field": cause.field}
            for cause in error.causes
        ]
        raise StatusError(409, "Conflict", str(error), {"causes": causes}) from None
    except fields.FieldsError as error:
        raise _from_fields(error) from None
    for complaint in options.duplicates:
        if options.validation == "Strict":
            raise bad_request(f"error strict decoding YAML: {complaint}")
        if options.validation == "Warn":
            options.warnings += _warnings(complaint)
    inner = WriteOptions(validation=options.validation, warnings=options.warnings)
    decode(resource, obj, inner, strategy, applied=True)
    return obj


def track(
    resource: Resource,
    old: Object | None,
    new: Object,
    options: WriteOptions,
    subresource: str,
    now: str,
) -> None:
    """Record in `new` which fields the writer now owns."""
    written = new
    if resource.custom is None:
        written = {
            key: value
            for key, value in new.items()
            if value is not None and not (resource.prefix == "/events" and value in ("", {}))
        }
    result = fields.track_update(
        old,
        written,
        manager=options.manager,
        subresource=subresource,
        schema=of(resource),
        now=now,
        version=resource.api_version,
    )
    managed = result["metadata"].get("managedFields")
    if managed:
        new["metadata"]["managedFields"] = managed
    else:
        new["metadata"].pop("managedFields", None)


def validate(
    resource: Resource, obj: Object, old: Object | None, subresource: str = ""
) -> list[Cause]:
    """Return what breaks a custom resource's schema and rules; built-in kinds have their own."""
    if resource.custom is None:
        return []
    return resource.custom.validate(obj, old, subresource)


def _from_fields(error: fields.FieldsError) -> StatusError:
    if error.status == 422:
        return StatusError(422, "Invalid", str(error), {})
    if error.status == 400:
        return bad_request(str(error))
    return generic(error.status, error.reason, str(error))
