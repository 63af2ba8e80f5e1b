"""What the API server demands of a CustomResourceDefinition as a whole.

The internal form of the server, which its messages print, has the schema at the top when all
versions share it; so does `check_definition` name the place of a shared schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fluvial.cluster.fields.errors import FieldError
from fluvial.cluster.fields.structural import check_definition_schema

__all__ = ["check_definition", "stored_versions"]

_LABEL = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_APPROVAL = "api-approved.kubernetes.io"
_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_SHARED_SCHEMA = "spec.validation.openAPIV3Schema"


def stored_versions(spec: dict[str, Any]) -> list[str]:
    """Return what `status.storedVersions` of a new definition holds: its storage version."""
    names = [version.get("name", "") for version in _versions(spec) if version.get("storage")]
    return names[:1]


def check_definition(obj: dict[str, Any]) -> list[FieldError]:
    """Return what is wrong with a definition after defaulting, its schemas included."""
    spec = obj.get("spec") or {}
    return [
        *_names(obj, spec),
        *_group(obj, spec),
        *_scope(spec),
        *_version_list(obj, spec),
        *_schemas(spec),
        *_columns(spec),
    ]


def _versions(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return spec.get("versions") or []


def _error(kind: str, field: str, detail: str = "", value: Any = None) -> FieldError:
    return FieldError(f"FieldValue{kind}", field, value, detail)


def _names(obj: dict[str, Any], spec: dict[str, Any]) -> Iterator[FieldError]:
    names = spec.get("names") or {}
    name = (obj.get("metadata") or {}).get("name", "")
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        text = 'must be spec.names.plural+"."+spec.group'
        yield _error("Invalid", "metadata.name", text, name)
    for key in ("plural", "singular", "kind", "listKind"):
        value = names.get(key) or ""
        field = f"spec.names.{key}"
        if not value:
            yield _error("Required", field)
        elif key in {"plural", "singular"}:
            yield from _label(field, value)
        elif not _LABEL.match(value.lower()):
            text = f"may have mixed case, but should otherwise match: {_LABEL_TEXT}"
            yield _error("Invalid", field, text, value)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        text = "kind and listKind may not be the same"
        yield _error("Invalid", "spec.names.listKind", text, names["listKind"])
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or ()):
            yield from _label(f"spec.names.{key}[{index}]", value)


def _label(field: str, value: str) -> Iterator[FieldError]:
    if len(value) > 63:
        yield _error("Invalid", field, "must be no more than 63 characters", value)
    if not _LABEL.match(value):
        yield _error("Invalid", field, _LABEL_TEXT, value)


def _group(obj: dict[str, Any], spec: dict[str, Any]) -> Iterator[FieldError]:
    group = spec.get("group") or ""
    if not group:
        yield _error("Required", "spec.group")
    elif not _SUBDOMAIN.match(group):
        yield _error("Invalid", "spec.group", _SUBDOMAIN_TEXT, group)
    elif "." not in group:
        yield _error("Invalid", "spec.group", "should be a domain with at least one dot", group)
    protected = group.endswith((".k8s.io", ".kubernetes.io")) or group in {
        "k8s.io",
        "kubernetes.io",
    }
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if protected and not annotations.get(_APPROVAL):
        text = (
            f'protected groups must have approval annotation "{_APPROVAL}", '
            "see https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield _error("Required", f"metadata.annotations[{_APPROVAL}]", text)


def _scope(spec: dict[str, Any]) -> Iterator[FieldError]:
    scope = spec.get("scope") or ""
    if not scope:
        yield _error("Required", "spec.scope")
    elif scope not in {"Cluster", "Namespaced"}:
        text = 'supported values: "Cluster", "Namespaced"'
        yield _error("NotSupported", "spec.scope", text, scope)
    if spec.get("preserveUnknownFields"):
        text = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield _error("Invalid", "spec.preserveUnknownFields", text, value=True)


def _version_list(obj: dict[str, Any], spec: dict[str, Any]) -> Iterator[FieldError]:
    versions = _versions(spec)
    storage = [version.get("name", "") for version in versions if version.get("storage")]
    names = [version.get("name", "") for version in versions]
    if len(set(names)) != len(names):
        text = "must contain unique version names"
        yield _error("Invalid", "spec.versions", text, _internal(versions))
    if len(storage) != 1:
        text = "must have exactly one version marked as storage version"
        yield _error("Invalid", "spec.versions", text, _internal(versions))
    for index, name in enumerate(names):
        yield from _label(f"spec.versions[{index}].name", name)
    if names:
        yield from _label("spec.version", names[0])
    stored = (obj.get("status") or {}).get("storedVersions") or []
    if not stored:
        text = "must have at least one stored version"
        yield _error("Invalid", "status.storedVersions", text)
    elif storage and storage[-1] not in stored:
        text = f"must have the storage version {storage[-1]}"
        yield _error("Invalid", "status.storedVersions", text, stored)
    for index, name in enumerate(stored):
        if name not in names:
            text = "must appear in spec.versions"
            yield _error("Invalid", f"status.storedVersions[{index}]", text, name)


def _internal(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "Name": version.get("name", ""),
            "Served": bool(version.get("served")),
            "Storage": bool(version.get("storage")),
            "Deprecated": bool(version.get("deprecated")),
            "DeprecationWarning": version.get("deprecationWarning"),
            "Schema": None,
            "Subresources": None,
            "AdditionalPrinterColumns": None,
            "SelectableFields": None,
        }
        for version in versions
    ]


def _openapi(version: dict[str, Any]) -> Any:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _schemas(spec: dict[str, Any]) -> Iterator[FieldError]:
    versions = _versions(spec)
    schemas = [_openapi(version) for version in versions]
    for index, schema in enumerate(schemas):
        if schema is None:
            yield _error("Required", f"spec.versions[{index}].schema.openAPIV3Schema")
    if schemas and all(schema == schemas[0] for schema in schemas):
        if schemas[0] is not None:
            yield from check_definition_schema(schemas[0], _SHARED_SCHEMA)
        return
    for index, schema in enumerate(schemas):
        if schema is not None:
            yield from check_definition_schema(
                schema, f"spec.versions[{index}].schema.openAPIV3Schema"
            )


def _columns(spec: dict[str, Any]) -> Iterator[FieldError]:
    versions = _versions(spec)
    columns = [version.get("additionalPrinterColumns") for version in versions]
    shared = bool(columns) and all(entry == columns[0] for entry in columns)
    for index, entry in enumerate(columns[:1] if shared else columns):
        base = "spec" if shared else f"spec.versions[{index}]"
        for place, column in enumerate(entry or ()):
            yield from _column(column, f"{base}.additionalPrinterColumns[{place}]")


def _column(column: dict[str, Any], field: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield _error("Required", f"{field}.name")
    kind = column.get("type") or ""
    if kind not in _COLUMN_TYPES:
        text = f"must be one of {','.join(sorted(_COLUMN_TYPES))}"
        yield _error("Invalid" if kind else "Required", f"{field}.type", text, kind)
    if not column.get("jsonPath"):
        yield _error("Required", f"{field}.JSONPath")
