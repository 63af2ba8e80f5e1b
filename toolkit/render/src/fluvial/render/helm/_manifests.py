"""From rendered files to manifests: documents, hooks, and the order of kinds."""

import re
from typing import Any

from fluvial.render.helm._errors import ManifestError, go_yaml_problem
from fluvial.render.helm._heads import Head, scan
from fluvial.render.helm._model import Hook, Manifest
from fluvial.render.helm._notices import Notice, Tell, silent
from fluvial.render.helm._reading import utf8_problem
from fluvial.render.helm._versions import HELM_4_3, HelmVersion
from fluvial.render.yaml import YamlError, load

__all__ = ["INSTALL_ORDER", "UNINSTALL_ORDER", "manifest_text", "sort_manifests", "split_documents"]

INSTALL_ORDER = (
    "PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange",
    "PodSecurityPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList",
    "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
    "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding",
    "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service",
    "DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment",
    "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress",
    "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
)  # fmt: skip
UNINSTALL_ORDER = (
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "Ingress",
    "IngressClass", "Service", "CronJob", "Job", "StatefulSet", "HorizontalPodAutoscaler",
    "Deployment", "ReplicaSet", "ReplicationController", "Pod", "DaemonSet", "RoleBindingList",
    "RoleBinding", "RoleList", "Role", "ClusterRoleBindingList", "ClusterRoleBinding",
    "ClusterRoleList", "ClusterRole", "CustomResourceDefinition", "PersistentVolumeClaim",
    "PersistentVolume", "StorageClass", "ConfigMap", "SecretList", "Secret", "ServiceAccount",
    "PodDisruptionBudget", "PodSecurityPolicy", "LimitRange", "ResourceQuota", "NetworkPolicy",
    "Namespace", "PriorityClass",
)  # fmt: skip
_RANK = {kind: index for index, kind in enumerate(INSTALL_ORDER)}
_EVENTS = {
    **{name: name for name in (
        "pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade",
        "pre-rollback", "post-rollback", "test",
    )},
    "test-success": "test",
}  # fmt: skip
_HOOK = "helm.sh/hook"
_SEPARATOR = re.compile(r"^---", re.MULTILINE)
_LOOSE_SEPARATOR = re.compile(r"(?:\A|\s*\n)---\s*", re.ASCII)
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)


def split_documents(text: str, helm_version: HelmVersion = HELM_4_3) -> list[str]:
    """Split before what follows a `---` at the start of a line.

    Blank documents are left out, and white space before a document; what follows it stays, but not
    in Helm 3.
    """
    if helm_version.loose_documents:
        return [part.strip() for part in _LOOSE_SEPARATOR.split(text.strip()) if part]
    return [part.lstrip() for part in _SEPARATOR.split(text.lstrip()) if part.strip()]


def sort_manifests(
    files: dict[str, str], helm_version: HelmVersion = HELM_4_3, tell: Tell = silent
) -> tuple[list[Manifest], list[Hook]]:
    """Split rendered files, by path, into manifests and hooks, both in the order of kinds.

    A hook with an event that Helm does not know is dropped, and `tell` hears of it. Raises
    ManifestError.
    """
    manifests: list[Manifest] = []
    hooks: list[Hook] = []
    for path in sorted(files):
        if path.rpartition("/")[2].startswith("_"):
            continue
        for text in split_documents(files[path], helm_version):
            head, notes = _head(text, path)
            facts = {
                "path": path,
                "name": _text(head.name),
                "kind": _text(head.kind),
                "api_version": _text(head.api_version),
                "text": text,
            }
            if _HOOK not in notes:
                manifests.append(Manifest(**facts))
                continue
            events = _words(notes[_HOOK]) or [""]
            if all(event in _EVENTS for event in events):
                hooks.append(_hook(facts, [_EVENTS[event] for event in events], notes))
            else:
                types = (("hookTypes", _text(notes[_HOOK])),)
                tell(Notice("INFO", "skipping unknown hooks", types))
    unranked = helm_version.unranked_kinds

    def by_kind(document: Manifest | Hook) -> tuple[int, str]:
        rank = _RANK.get(document.kind)
        if rank is None or document.kind in unranked:
            return len(_RANK), document.kind
        return rank, ""

    return sorted(manifests, key=by_kind), sorted(hooks, key=by_kind)


def _hook(facts: dict[str, str], events: list[str], notes: dict[str, Any]) -> Hook:
    weight = _text(notes.get("helm.sh/hook-weight"))
    policies = _words(notes.get("helm.sh/hook-delete-policy"))
    return Hook(
        **facts,
        events=events,
        weight=int(weight) if _INTEGER.fullmatch(weight) else 0,
        delete_policies=policies or ["before-hook-creation"],
        output_log_policies=_words(notes.get("helm.sh/hook-output-log-policy")),
    )


def _words(value: Any) -> list[str]:
    text = _text(value)
    return [word.strip().lower() for word in text.split(",")] if text else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _head(text: str, path: str) -> tuple[Head, dict[str, Any]]:
    """Return what a document is and its annotations, which are left out if it is surely no hook.

    Raises ManifestError.
    """
    unreadable = utf8_problem(text)
    if unreadable:
        raise ManifestError(
            f"YAML parse error on {path}: error converting YAML to JSON: yaml: {unreadable}",
            file=path,
        )
    head = None if _HOOK in text else scan(text)
    if head is not None:
        return head, {}
    document = _mapping(text, path)
    meta = document.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    notes = meta.get("annotations")
    head = Head(document.get("apiVersion"), document.get("kind"), meta.get("name"))
    return head, notes if isinstance(notes, dict) else {}


def _mapping(text: str, path: str) -> dict[str, Any]:
    """Read a document. Raises ManifestError when it is no mapping."""
    try:
        value = load(text, file=path)
    except YamlError as error:
        raise ManifestError(
            f"YAML parse error on {path}: error converting YAML to JSON: {go_yaml_problem(error)}",
            file=path,
        ) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
        raise ManifestError(
            f"YAML parse error on {path}: error unmarshaling JSON: while decoding JSON: json: "
            f"cannot unmarshal {kind} into Go value of type util.SimpleHead",
            file=path,
        )
    return value


def manifest_text(manifests: list[Manifest]) -> str:
    """Join manifests as releases store them: each after `---` and the path of its template."""
    return "".join(f"---\n# Source: {one.path}\n{one.text}\n" for one in manifests)
