"""The semantics of Kubernetes objects without any I/O: apply, patches, schemas, validation.

The API server hands in decoded objects and gets decoded objects back; nothing that is handed in
is changed. `errors` draws the tree of what may be raised.
"""

from __future__ import annotations

from fluvial.cluster.fields.apply import apply, track_update
from fluvial.cluster.fields.builtin import builtin_kinds, schema_for_builtin
from fluvial.cluster.fields.celliterals import mixed_literal
from fluvial.cluster.fields.celpaths import undefined_fields
from fluvial.cluster.fields.configuration import merge_configuration
from fluvial.cluster.fields.custom import CustomSchema, schema_from_crd
from fluvial.cluster.fields.definition import check_definition, stored_versions
from fluvial.cluster.fields.errors import (
    ApplyConflict,
    BadPatch,
    ConflictCause,
    FieldError,
    FieldsError,
    PatchFailure,
    RejectedPatch,
    TestFailed,
    TypedObjectError,
)
from fluvial.cluster.fields.gojson import json_complaint
from fluvial.cluster.fields.jsonpatch import patch_json
from fluvial.cluster.fields.managed import keep_times
from fluvial.cluster.fields.mergepatch import diff_merge, patch_merge
from fluvial.cluster.fields.patchtext import patched_text
from fluvial.cluster.fields.quantity import canonical_quantity
from fluvial.cluster.fields.scale import parent_managed_fields, scale_managed_fields
from fluvial.cluster.fields.schema import Schema, deduced
from fluvial.cluster.fields.strategic import patch_strategic
from fluvial.cluster.fields.structural import check_definition_schema

__all__ = [
    "ApplyConflict",
    "BadPatch",
    "ConflictCause",
    "CustomSchema",
    "FieldError",
    "FieldsError",
    "PatchFailure",
    "RejectedPatch",
    "Schema",
    "TestFailed",
    "TypedObjectError",
    "apply",
    "builtin_kinds",
    "canonical_quantity",
    "check_definition",
    "check_definition_schema",
    "deduced",
    "diff_merge",
    "json_complaint",
    "keep_times",
    "merge_configuration",
    "mixed_literal",
    "parent_managed_fields",
    "patch_json",
    "patch_merge",
    "patch_strategic",
    "patched_text",
    "scale_managed_fields",
    "schema_for_builtin",
    "schema_from_crd",
    "stored_versions",
    "track_update",
    "undefined_fields",
]
