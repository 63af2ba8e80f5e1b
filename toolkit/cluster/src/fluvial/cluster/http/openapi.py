"""OpenAPI documents: v3 by group version, and a small v2, both from the schemas in use."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from fluvial.cluster import schemas
from fluvial.cluster.fields import Schema
from fluvial.cluster.resources import Catalog, Resource

__all__ = ["index", "v2", "v2_protobuf", "v3"]

_SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "quantity": {"type": "string"},
    "int-or-string": {"type": "string", "format": "int-or-string"},
    "time": {"type": "string", "format": "date-time"},
}
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_VERSION_TEXT = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should "
    "convert recognized schemas to the latest internal value, and may reject unrecognized values. "
    f"More info: {_CONVENTIONS}#resources"
)
_KIND_TEXT = (
    "Kind is a string value representing the REST resource this object represents. Servers may "
    "infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. "
    f"More info: {_CONVENTIONS}#types-kinds"
)
_METADATA_TEXT = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"


def _reference_name(detail: str) -> str:
    group = "apimachinery.pkg.apis" if detail.startswith("meta.") else "api"
    return f"io.k8s.{group}.{detail}"


class _Components:
    """Collects the components that a document refers to. `root` is where references point."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.schemas: dict[str, Any] = {}

    def reference(self, name: str) -> dict[str, Any]:
        return {"$ref": f"{self._root}{name}"}

    def of(self, node: Schema | None) -> dict[str, Any]:
        if node is None:
            return {}
        if node.detail in _SCALARS:
            return dict(_SCALARS[node.detail])
        if node.list_type and node.map_type:
            return {"x-kubernetes-preserve-unknown-fields": True, "type": "object"}
        if node.list_type:
            return self._list(node)
        if node.fields:
            name = _reference_name(node.detail)
            if name not in self.schemas:
                self.schemas[name] = {}
                self.schemas[name] = self._object(node)
            reference = self.reference(name)
            return {"allOf": [reference], "default": {}} if "schemas" in self._root else reference
        if node.map_type:
            return {"type": "object", "additionalProperties": self.of(node.values)}
        return {"type": "string"}

    def _object(self, node: Schema) -> dict[str, Any]:
        properties = {name: self.of(child) for name, child in node.fields.items()}
        result: dict[str, Any] = {"type": "object", "properties": properties}
        required = sorted(name for name, child in node.fields.items() if child.required)
        if required:
            result["required"] = required
        if node.map_type == "atomic":
            result["x-kubernetes-map-type"] = "atomic"
        return result

    def _list(self, node: Schema) -> dict[str, Any]:
        result: dict[str, Any] = {"type": "array", "items": self.of(node.items)}
        if node.list_type:
            result["x-kubernetes-list-type"] = node.list_type
        if node.keys:
            result["x-kubernetes-list-map-keys"] = list(node.keys)
        if node.merge_key:
            result["x-kubernetes-patch-merge-key"] = node.merge_key
        if node.patch_strategy:
            result["x-kubernetes-patch-strategy"] = ",".join(sorted(node.patch_strategy))
        return result

    def kind(self, resource: Resource) -> str:
        """Add the component of a resource's kind; returns its name."""
        gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        if resource.custom is not None:
            name = ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
            body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(resource.custom.openapi))
            properties = body.setdefault("properties", {})
            properties["apiVersion"] = {"description": _VERSION_TEXT, "type": "string"}
            properties["kind"] = {"description": _KIND_TEXT, "type": "string"}
            metadata = self.of(schemas.of(resource).fields["metadata"])
            properties["metadata"] = {"description": _METADATA_TEXT, **metadata}
        else:
            node = schemas.of(resource)
            detail = node.detail or f"{resource.group or 'core'}.{resource.version}.{resource.kind}"
            name = _reference_name(detail)
            body = self._object(node) if node.fields else {"type": "object"}
        body["x-kubernetes-group-version-kind"] = [gvk]
        self.schemas[name] = body
        return name


def _parameter(name: str, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


_WRITE = ["dryRun", "fieldManager", "fieldValidation"]
_LIST = ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "watch"]


def _operation(
    resource: Resource, action: str, name: str, reference: dict[str, Any], parameters: list[str]
) -> dict[str, Any]:
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    operation: dict[str, Any] = {
        "operationId": name,
        "parameters": [_parameter(item) for item in parameters],
        "responses": {"200": {"content": {"application/json": {"schema": reference}},
                              "description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
    }  # fmt: skip
    if action in ("post", "put"):
        operation["requestBody"] = {"content": {"*/*": {"schema": reference}}}
    if action == "patch":
        forms = ("application/apply-patch+yaml", "application/merge-patch+json")
        operation["requestBody"] = {"content": {form: {"schema": {}} for form in forms}}
    return operation


def _base(resource: Resource) -> str:
    root = f"/apis/{resource.group}" if resource.group else "/api"
    place = "namespaces/{namespace}/" if resource.namespaced else ""
    return f"{root}/{resource.version}/{place}{resource.plural}"


def _paths(resource: Resource, reference: dict[str, Any]) -> dict[str, Any]:
    base, kind, verbs = _base(resource), resource.kind, resource.verbs
    collection: dict[str, Any] = {}
    single: dict[str, Any] = {}
    wanted: tuple[tuple[str, dict[str, Any], str, str, list[str]], ...] = (
        ("list", collection, "get", "list", _LIST),
        ("create", collection, "post", "post", _WRITE),
        ("get", single, "get", "get", []),
        ("update", single, "put", "put", _WRITE),
        ("patch", single, "patch", "patch", [*_WRITE, "force"]),
        ("delete", single, "delete", "delete", ["dryRun", "gracePeriodSeconds",
                                                "propagationPolicy"]),
    )  # fmt: skip
    for verb, place, method, action, parameters in wanted:
        if verb in verbs:
            name = f"{verb}{resource.group}{resource.version}{kind}"
            place[method] = _operation(resource, action, name, reference, list(parameters))
    paths = {}
    if collection:
        paths[base] = collection
    if single:
        paths[f"{base}/{{name}}"] = single
    return paths


def v3(catalog: Catalog, group: str, version: str) -> dict[str, Any] | None:
    """Return the document of one group version, or None when it is not served."""
    resources = [item for item in catalog if (item.group, item.version) == (group, version)]
    if not resources:
        return None
    components = _Components("#/components/schemas/")
    paths: dict[str, Any] = {}
    for resource in resources:
        name = components.kind(resource)
        paths.update(_paths(resource, components.reference(name)))
    if group == "autoscaling" or any(item.subresource("scale") for item in resources):
        components.schemas.setdefault("io.k8s.api.autoscaling.v1.Scale", {"type": "object"})
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": paths,
        "components": {"schemas": components.schemas},
    }


_PLAIN_PATHS = (
    ".well-known/openid-configuration",
    "api",
    "apis",
    "openid/v1/jwks",
    "version",
)


def index(catalog: Catalog) -> dict[str, Any]:
    """Return the index at /openapi/v3; the hash changes with the served schemas."""
    names = set(_PLAIN_PATHS)
    for resource in catalog:
        if resource.group:
            names.add(f"apis/{resource.group}")
            names.add(f"apis/{resource.group}/{resource.version}")
        else:
            names.add(f"api/{resource.version}")
    paths = {}
    for name in sorted(names):
        parts = name.split("/")
        mine = [
            (item.plural, id(item))
            for item in catalog
            if item.api_version == "/".join(parts[1:]) or not parts
        ]
        digest = hashlib.sha256(repr((name, mine)).encode()).hexdigest().upper()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
    return {"paths": paths}


def v2(catalog: Catalog) -> dict[str, Any]:
    """Return the v2 document: the definitions of all kinds, and the paths that name them."""
    components = _Components("#/definitions/")
    paths: dict[str, Any] = {}
    for resource in catalog:
        reference = components.reference(components.kind(resource))
        for path, operations in _paths(resource, reference).items():
            paths[path] = {method: _v2_operation(item) for method, item in operations.items()}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": paths,
        "definitions": components.schemas,
    }


def _v2_operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": item["name"], "in": "query", "type": "string"} for item in operation["parameters"]
    ]
    if operation["x-kubernetes-action"] in ("post", "put", "patch"):
        schema = {"type": "object"}
        parameters.append({"name": "body", "in": "body", "required": True, "schema": schema})
    content = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "operationId": operation["operationId"],
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "schema": content}},
        "x-kubernetes-action": operation["x-kubernetes-action"],
        "x-kubernetes-group-version-kind": operation["x-kubernetes-group-version-kind"],
    }


def _field(number: int, data: bytes) -> bytes:
    return _number(number << 3 | 2) + _number(len(data)) + data


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _extension(name: str, value: Any) -> bytes:
    any_value = _field(2, msgspec.json.encode(value))
    return _field(1, name.encode()) + _field(2, any_value)


def v2_protobuf(catalog: Catalog) -> bytes:
    """Return the v2 document as protobuf: each kind's group version kind, without fields.

    Field numbers are those of gnostic's `openapi.v2.Document`.
    """
    definitions = b""
    for name, schema in v2(catalog)["definitions"].items():
        kinds = schema.get("x-kubernetes-group-version-kind")
        body = _field(13, _field(1, schema.get("type", "object").encode()))
        if kinds:
            body += _field(26, _extension("x-kubernetes-group-version-kind", kinds))
        definitions += _field(1, _field(1, name.encode()) + _field(2, body))
    info = _field(1, b"Kubernetes") + _field(2, b"v1.36.2")
    return _field(1, b"2.0") + _field(2, info) + _field(8, b"") + _field(9, definitions)
