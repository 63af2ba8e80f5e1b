"""Transformers of metadata: namespace, name prefix and suffix, labels and annotations."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec, Plan, apply_spec
from fluvial.render.kustomize._ids import Gvk, ResourceId, text
from fluvial.render.kustomize._keys import check_keys
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._shared import Shared
from fluvial.render.kustomize._styles import requote
from fluvial.render.objects import Origin
from fluvial.render.pointers import escape

__all__ = ["HELM_GENERATED", "check_moved", "move", "set_affix", "set_entries", "set_namespace"]

HELM_GENERATED = "internal.config.kubernetes.io/helm-generated"
"""The annotation by which what a chart made is left in the namespace that the chart chose."""

_UNNAMED = (
    Gvk(kind="CustomResourceDefinition"),
    Gvk(group="apiregistration.k8s.io", kind="APIService"),
    Gvk(kind="Namespace"),
)
_BINDINGS = {"RoleBinding", "ClusterRoleBinding"}
_SUBJECTS = ("defaultOnly", "allServiceAccounts", "none")


def _is_helm_generated(resource: Resource) -> bool:
    annotations = resource.metadata.get("annotations")
    return isinstance(annotations, dict) and annotations.get(HELM_GENERATED) == "true"


def move(
    resource: Resource,
    namespace: str,
    by: Origin | None,
    *,
    plan: Plan,
    unset_only: bool = False,
    subjects: str = "defaultOnly",
) -> None:
    """Put one resource, and what `plan` and `subjects` name in it, into `namespace`."""

    def setter(node: Any, key: Any, pointer: str) -> None:
        if isinstance(node[key], dict | list):
            raise TransformError("namespace field specs must target scalar nodes")
        if not (unset_only and node[key] not in (None, "")):
            node[key] = namespace
            resource.note(pointer, by)

    if not resource.id.cluster_scoped:
        metadata = resource.data.setdefault("metadata", {})
        metadata.setdefault("namespace", None)
        setter(metadata, "namespace", "/metadata/namespace")
    if resource.gvk.kind in _BINDINGS:
        _set_subjects(resource, subjects, setter)
    core = text(resource.data.get("apiVersion") or "") == "v1"
    for spec in plan.of(resource.gvk):
        if spec.path == "metadata/namespace" or (spec.path == "metadata/name" and not core):
            continue
        if resource.gvk.kind in _BINDINGS and spec.path == "subjects/namespace":
            continue
        apply_spec(resource, spec, setter, leaf=lambda: None)


def set_namespace(
    resources: Resources,
    namespace: str,
    specs: Iterable[FieldSpec],
    by: Origin | None,
    *,
    unset_only: bool = False,
    subjects: str = "",
) -> None:
    """Move every namespaced resource into `namespace`, and rename Namespace objects to it.

    `subjects` says which subjects of role bindings follow: `defaultOnly` (those named default),
    `allServiceAccounts` or `none`. Ask `check_moved` afterwards whether two resources became one.
    """
    subjects = subjects or "defaultOnly"
    if subjects not in _SUBJECTS:
        raise TransformError(
            f"invalid value {subjects!r} for setRoleBindingSubjects: use one of {_SUBJECTS}"
        )
    plan = Plan(specs)
    for resource in resources:
        if _is_helm_generated(resource):
            continue
        resource.remember()
        move(resource, namespace, by, plan=plan, unset_only=unset_only, subjects=subjects)
    resources.touch()


def check_moved(moved: Sequence[tuple[Resource, ResourceId]]) -> None:
    """Raise TransformError when two resources have one identity after they were moved."""
    counted = Counter(identity.key for _, identity in moved)
    if len(counted) == len(moved):
        return
    twins = [
        f"{identity} ({resource.file})" if resource.file else str(identity)
        for resource, identity in moved
        if counted[identity.key] > 1
    ]
    raise TransformError(
        f"namespace transformation produces ID conflict: {', '.join(sorted(twins))}"
    )


def _set_subjects(resource: Resource, mode: str, setter: Any) -> None:
    subjects = resource.data.get("subjects")
    if mode == "none" or subjects is None:
        return
    if not isinstance(subjects, list):
        raise TransformError(f"setting namespace on role binding subjects of {resource}: no list")
    for index, subject in enumerate(subjects):
        if not isinstance(subject, dict):
            continue
        follows = (
            subject.get("name") == "default"
            if mode == "defaultOnly"
            else subject.get("kind") == "ServiceAccount"
        )
        if follows:
            subject.setdefault("namespace", None)
            setter(subject, "namespace", f"/subjects/{index}/namespace")


def set_affix(
    resources: Resources,
    affix: str,
    specs: Iterable[FieldSpec],
    by: Origin | None,
    *,
    suffix: bool = False,
) -> None:
    """Put a prefix before, or a suffix behind, every name except those that must stay."""
    plan = Plan(specs)
    for resource in resources:
        first = resource.original.gvk
        if any(gvk.selects(first) for gvk in _UNNAMED):
            continue
        for spec in plan.of(first):
            if spec.path == "metadata/name" and affix:
                (resource.suffixes if suffix else resource.prefixes).append(affix)
                resource.remember()

            def setter(node: Any, key: Any, pointer: str, resource: Resource = resource) -> None:
                value = node[key]
                if isinstance(value, dict | list):
                    raise TransformError("a name must be a scalar")
                node[key] = f"{text(value)}{affix}" if suffix else f"{affix}{text(value)}"
                resource.note(pointer, by)

            apply_spec(resource, spec, setter)
    resources.touch()


def set_entries(
    resources: Resources,
    entries: dict[str, str],
    specs: Iterable[FieldSpec],
    by: Origin | None,
) -> None:
    """Set labels or annotations in every map that the specs lead to."""
    ordered = requote({key: entries[key] for key in sorted(entries)}, printed=False)
    plan = Plan(specs)
    if not ordered:
        return
    for resource in resources:
        added: dict[str, list[str]] = {}

        def setter(
            node: Any,
            key: Any,
            pointer: str,
            resource: Resource = resource,
            added: dict[str, list[str]] = added,
        ) -> None:
            found = node[key]
            if not isinstance(found, dict):
                raise TransformError(f"wrong node kind: expected a map at {pointer}")
            new = [name for name in ordered if name not in found]
            check_keys(new)
            for name in new:
                added.setdefault(name, []).append(pointer)
            found.update(ordered)
            for name in ordered if resource.ledger is not None else ():
                resource.note(f"{pointer}/{escape(name)}", by)

        for spec in plan.of(resource.gvk):
            apply_spec(resource, spec, setter, leaf=dict)
        resource.settle()
        for name, pointers in added.items():
            if len(pointers) > 1:
                resource.shared.append(Shared.added(ordered[name], name, pointers))
