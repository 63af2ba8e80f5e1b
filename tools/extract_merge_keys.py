"""Extracts the list-map keys that strategic merge needs, once, at development time.

Kustomize merges with the frozen schema of Kubernetes 1.21. The PyPI package `kubernetes-validate`
holds the definitions of 1.26 and later with their patch strategies; the handful of fields that
came after 1.21 is left out below. The result is one small file in the render distribution:

    python tools/extract_merge_keys.py          # installs the package in a temporary environment
    python tools/extract_merge_keys.py DIR      # reads an unpacked copy of it
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import venv
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "toolkit/render/src/fluvial/render/kustomize/merge_keys.json"
PACKAGE = "kubernetes-validate==1.37.0"
DEFINITIONS = "kubernetes_validate/kubernetes-json-schema/v1.26.0-local/_definitions.json"

# Every kind of the 1.21 schema, by API version; `-` marks the cluster-scoped ones.
KINDS = {
    "admissionregistration.k8s.io/v1": "-MutatingWebhookConfiguration "
    "-ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1": "-MutatingWebhookConfiguration "
    "-ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1": "-CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1": "-CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "-APIService",
    "apiregistration.k8s.io/v1beta1": "-APIService",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler Scale",
    "autoscaling/v2beta1": "HorizontalPodAutoscaler",
    "autoscaling/v2beta2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "batch/v1beta1": "CronJob",
    "certificates.k8s.io/v1": "-CertificateSigningRequest",
    "certificates.k8s.io/v1beta1": "-CertificateSigningRequest",
    "coordination.k8s.io/v1": "Lease",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "events.k8s.io/v1beta1": "Event",
    "extensions/v1beta1": "Ingress",
    "flowcontrol.apiserver.k8s.io/v1beta1": "-FlowSchema -PriorityLevelConfiguration",
    "networking.k8s.io/v1": "Ingress -IngressClass NetworkPolicy",
    "networking.k8s.io/v1beta1": "Ingress -IngressClass",
    "node.k8s.io/v1": "-RuntimeClass",
    "node.k8s.io/v1beta1": "-RuntimeClass",
    "policy/v1": "PodDisruptionBudget",
    "policy/v1beta1": "PodDisruptionBudget -PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1": "-ClusterRole -ClusterRoleBinding Role RoleBinding",
    "rbac.authorization.k8s.io/v1beta1": "-ClusterRole -ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io/v1": "-PriorityClass",
    "scheduling.k8s.io/v1beta1": "-PriorityClass",
    "storage.k8s.io/v1": "-CSIDriver -CSINode -StorageClass -VolumeAttachment",
    "storage.k8s.io/v1beta1": "-CSIDriver -CSINode CSIStorageCapacity -StorageClass "
    "-VolumeAttachment",
    "v1": "-ComponentStatus ConfigMap Endpoints Event LimitRange -Namespace -Node "
    "-PersistentVolume PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
}
# Merge keys that 1.26 has and 1.21 has not.
LATER = {
    ("JSONSchemaProps", "x-kubernetes-validations"),
    ("LabelSelectorRequirement", "key"),  # a scalar: the strategy has no meaning there
    ("EphemeralContainer", "ports"),
    ("PodSpec", "resourceClaims"),
    ("PodSpec", "schedulingGates"),
    ("NetworkPolicyStatus", "conditions"),
    ("FlowSchemaStatus", "conditions"),
    ("PriorityLevelConfigurationStatus", "conditions"),
}


def read_definitions() -> dict[str, Any]:
    """Read the definitions from the folder given, or install the package and read it there."""
    if len(sys.argv) > 1:
        path = pathlib.Path(sys.argv[1]) / DEFINITIONS
        found: dict[str, Any] = json.loads(path.read_text())["$defs"]
        return found
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = pathlib.Path(folder) / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", "--no-deps", PACKAGE], check=True)
        (path,) = pathlib.Path(folder).glob(f"lib/python*/site-packages/{DEFINITIONS}")
        installed: dict[str, Any] = json.loads(path.read_text())["$defs"]
        return installed


def field(name: str, owner: str, schema: dict[str, Any]) -> tuple[str, list[str] | None]:
    """Return the type a field leads to, and its merge keys when it is a mergeable list."""
    inner = schema.get("items", schema.get("additionalProperties", schema))
    inner = inner if isinstance(inner, dict) else {}
    target = str(inner.get("$ref", "")).rpartition("/")[2]
    strategy = str(schema.get("x-kubernetes-patch-strategy", "")).split(",")
    if "merge" not in strategy or (owner.rpartition(".")[2], name) in LATER:
        return (target if "items" not in schema else ""), None
    one = schema.get("x-kubernetes-patch-merge-key")
    keys = schema.get("x-kubernetes-list-map-keys") or ([one] if one else [])
    return target, list(keys)


def collect(definitions: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """Keep, per type, only the fields that are mergeable lists or lead to one."""
    fields: dict[str, dict[str, tuple[str, list[str] | None]]] = {
        owner: {
            name: field(name, owner, schema)
            for name, schema in (body.get("properties") or {}).items()
        }
        for owner, body in definitions.items()
    }
    useful: set[str] = set()
    while True:
        grown = {
            owner
            for owner, entries in fields.items()
            if any(keys is not None or target in useful for target, keys in entries.values())
        }
        if grown == useful:
            break
        useful = grown
    return {
        owner: {
            name: [target if target in useful else "", keys]
            for name, (target, keys) in sorted(entries.items())
            if keys is not None or target in useful
        }
        for owner, entries in fields.items()
        if owner in useful
    }


def main() -> None:
    """Write the table."""
    definitions = read_definitions()
    table = collect(definitions)
    by_kind: dict[tuple[str, str], dict[str, str]] = {}
    for name, body in definitions.items():
        for gvk in body.get("x-kubernetes-group-version-kind") or []:
            group, version, kind = (gvk.get(part, "") for part in ("group", "version", "kind"))
            by_kind.setdefault((group, kind), {})[version] = name
    if not by_kind:
        for name in definitions:
            *_, group, version, kind = name.split(".")
            by_kind.setdefault((group, kind), {})[version] = name
    meta = next(name for name in definitions if name.endswith("meta.v1.ObjectMeta"))
    kinds: dict[str, str] = {}
    cluster: list[str] = []
    for api_version, names in KINDS.items():
        group, _, version = api_version.rpartition("/")
        for marked in names.split():
            kind = marked.lstrip("-")
            versions = by_kind.get((group, kind)) or by_kind.get(
                (group.partition(".")[0] or "core", kind), {}
            )
            exact = versions.get(version) or versions.get("v1") or ""
            kinds[f"{api_version}/{kind}"] = exact if exact in table else ""
            if marked != kind:
                cluster.append(f"{api_version}/{kind}")
    used: set[str] = set()
    waiting = [meta, *kinds.values()]
    while waiting:
        name = waiting.pop()
        if name and name not in used:
            used.add(name)
            waiting.extend(entry[0] for entry in table[name].values())
    short = {name: name.rpartition(".")[2] for name in used}
    if len(set(short.values())) != len(short):
        short = {name: ".".join(name.split(".")[-3:]) for name in used}
    short[""] = ""
    types = {
        short[name]: {f: [short[entry[0]], *entry[1:]] for f, entry in table[name].items()}
        for name in sorted(used)
    }
    types["Object"] = {"metadata": [short[meta], None]}
    result = {
        "cluster": sorted(cluster),
        "kinds": {kind: short[name] or "Object" for kind, name in sorted(kinds.items())},
        "types": dict(sorted(types.items())),
    }
    TARGET.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    print(f"{TARGET.relative_to(ROOT)}: {len(kinds)} kinds, {len(types)} types")


if __name__ == "__main__":
    main()
