"""Validation of ObjectMeta, the same for all kinds (`apimachinery/pkg/api/validation`)."""

from __future__ import annotations

from collections.abc import Callable

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import (
    annotation_key_errors,
    dns_label_errors,
    dns_subdomain_errors,
    label_key_errors,
    label_value_errors,
)
from fluvial.cluster.objects import Object

__all__ = [
    "annotation_errors",
    "finalizer_errors",
    "label_errors",
    "metadata_errors",
    "metadata_update_errors",
]

ANNOTATIONS_LIMIT = 256 * 1024
STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def label_errors(labels: object, field: str) -> list[Cause]:
    """Check a label map."""
    if not isinstance(labels, dict):
        return []
    errors = []
    for key in sorted(labels):
        errors += [fielderrors.invalid(field, key, text) for text in label_key_errors(key)]
        errors += [
            fielderrors.invalid(field, labels[key], text)
            for text in label_value_errors(labels[key])
        ]
    return errors


def annotation_errors(annotations: object, field: str) -> list[Cause]:
    """Check the keys and the size of an annotation map."""
    if not isinstance(annotations, dict):
        return []
    errors = [
        fielderrors.invalid(field, key, text)
        for key in sorted(annotations)
        for text in annotation_key_errors(key.lower())
    ]
    size = sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items())
    if size > ANNOTATIONS_LIMIT:
        errors.append(fielderrors.too_long(field, ANNOTATIONS_LIMIT))
    return errors


def _owner_errors(owners: object, field: str) -> list[Cause]:
    if not isinstance(owners, list):
        return []
    errors: list[Cause] = []
    controllers: list[str] = []
    for index, owner in enumerate(owners):
        path = f"{field}[{index}]"
        version = owner.get("apiVersion", "")
        if not version:
            text = "version must not be empty"
            errors.append(fielderrors.invalid(f"{field}.apiVersion", version, text))
        for key, text in (
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ):
            if not owner.get(key):
                errors.append(fielderrors.invalid(f"{field}.{key}", owner.get(key, ""), text))
        if owner.get("controller"):
            controllers.append(path)
            if len(controllers) > 1:
                first = owners[0]
                text = (
                    'Only one reference can have Controller set to true. Found "true" in '
                    f"references for {first.get('kind')}/{first.get('name')} and "
                    f"{owner.get('kind')}/{owner.get('name')}"
                )
                errors.append(fielderrors.invalid(field, owners, text))
    return errors


def finalizer_errors(name: str, field: str) -> list[Cause]:
    """Check that a finalizer of a built-in kind has a domain or is one of the standard names."""
    if "/" in name or name in STANDARD_FINALIZERS:
        return []
    text = "name is neither a standard finalizer name nor is it fully qualified"
    return [fielderrors.invalid(field, name, text)]


def metadata_errors(
    obj: Object,
    *,
    namespaced: bool,
    name_errors: Callable[[str], list[str]] = dns_subdomain_errors,
    finalizers: Callable[[str, str], list[Cause]] | None = finalizer_errors,
) -> list[Cause]:
    """Check `metadata` of an object about to be stored.

    `finalizers` checks one finalizer besides (None for custom resources, which need no domain).
    """
    meta, errors = obj["metadata"], []
    name = meta.get("name", "")
    if meta.get("generateName"):
        errors += [
            fielderrors.invalid("metadata.generateName", meta["generateName"], text)
            for text in name_errors(meta["generateName"].rstrip("-.") or "-")
        ]
    if not name:
        errors.append(fielderrors.required("metadata.name", "name or generateName is required"))
    else:
        errors += [fielderrors.invalid("metadata.name", name, t) for t in name_errors(name)]
    namespace = meta.get("namespace", "")
    if namespaced and not namespace:
        errors.append(fielderrors.required("metadata.namespace"))
    elif namespaced:
        errors += [
            fielderrors.invalid("metadata.namespace", namespace, text)
            for text in dns_label_errors(namespace)
        ]
    errors += label_errors(meta.get("labels"), "metadata.labels")
    errors += annotation_errors(meta.get("annotations"), "metadata.annotations")
    errors += _owner_errors(meta.get("ownerReferences"), "metadata.ownerReferences")
    names = meta.get("finalizers") or []
    errors += [
        fielderrors.invalid("metadata.finalizers", name, text)
        for name in names
        for text in label_key_errors(name)
    ]
    if "orphan" in names and "foregroundDeletion" in names:
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(fielderrors.invalid("metadata.finalizers", names, text))
    if finalizers is not None:
        for index, finalizer in enumerate(names):
            errors += finalizers(finalizer, f"metadata.finalizers[{index}]")
    return errors


def metadata_update_errors(obj: Object, old: Object) -> list[Cause]:
    """Check the change of `metadata`; what the server owns was copied from `old` before."""
    meta, before, errors = obj["metadata"], old["metadata"], []
    if before.get("deletionTimestamp"):
        known = set(before.get("finalizers") or [])
        added = [name for name in meta.get("finalizers") or [] if name not in known]
        if added:
            shown = ", ".join(f'"{name}"' for name in added)
            text = (
                "no new finalizers can be added if the object is being deleted, found new "
                f"finalizers []string{{{shown}}}"
            )
            errors.append(fielderrors.forbidden("metadata.finalizers", text))
    return errors + [
        fielderrors.immutable(f"metadata.{key}", meta.get(key))
        for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
        if meta.get(key) != before.get(key)
    ]
