"""The built-in field specs: what each transformer touches unless `configurations` adds to it.

Same facts as kustomize 5.8.1; see docs/spec for the sheet of them.
"""

from functools import lru_cache

from fluvial.render.kustomize._fieldspec import FieldSpec
from fluvial.render.kustomize._ids import Gvk

__all__ = ["DEFAULTS", "name_references"]

_TEMPLATED = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job")
_SCHEDULED = ("StatefulSet", "Deployment", "ReplicationController", "Job", "DaemonSet")


def _spec(path: str, kind: str = "", *, create: bool = False) -> FieldSpec:
    """Build a spec; `kind` is `[group/][version/]Kind` with a version that starts with `v1`."""
    *head, name = kind.split("/")
    version = head.pop() if head and head[-1].startswith("v1") else ""
    return FieldSpec(Gvk("/".join(head), version, name), path, create)


def _template_metadata(field: str) -> list[FieldSpec]:
    stateful_set = "StatefulSet" if field == "annotations" else "apps/StatefulSet"
    kinds = ("v1/ReplicationController", "Deployment", "ReplicaSet", "DaemonSet", stateful_set)
    return [
        _spec(f"metadata/{field}", create=True),
        *(_spec(f"spec/template/metadata/{field}", kind, create=True) for kind in kinds),
        _spec(f"spec/template/metadata/{field}", "batch/Job", create=True),
        _spec(f"spec/jobTemplate/metadata/{field}", "batch/CronJob", create=True),
        _spec(f"spec/jobTemplate/spec/template/metadata/{field}", "batch/CronJob", create=True),
    ]


def _selectors() -> list[FieldSpec]:
    during = "DuringSchedulingIgnoredDuringExecution"
    affinity = [
        f"spec/template/spec/affinity/{kind}/{rule}/labelSelector/matchLabels"
        for kind in ("podAffinity", "podAntiAffinity")
        for rule in (f"preferred{during}/podAffinityTerm", f"required{during}")
    ]
    affinity.append("spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels")
    network = "networking.k8s.io/NetworkPolicy"
    return [
        _spec("spec/selector", "v1/Service", create=True),
        _spec("spec/selector", "v1/ReplicationController", create=True),
        *(
            _spec("spec/selector/matchLabels", kind, create=True)
            for kind in ("Deployment", "ReplicaSet", "DaemonSet", "apps/StatefulSet")
        ),
        *(
            _spec(path, kind)
            for kind in ("apps/Deployment", "apps/StatefulSet")
            for path in affinity
        ),
        _spec("spec/selector/matchLabels", "batch/Job"),
        _spec("spec/jobTemplate/spec/selector/matchLabels", "batch/CronJob"),
        _spec("spec/selector/matchLabels", "policy/PodDisruptionBudget"),
        _spec("spec/podSelector/matchLabels", network),
        _spec("spec/ingress/from/podSelector/matchLabels", network),
        _spec("spec/egress/to/podSelector/matchLabels", network),
    ]


def _variables() -> list[FieldSpec]:
    specs = []
    pods = {
        **dict.fromkeys(_TEMPLATED, "spec/template/spec"),
        "Pod": "spec",
        "CronJob": "spec/jobTemplate/spec/template/spec",
    }
    for kind, pod in pods.items():
        for containers in ("containers", "initContainers"):
            specs += [
                _spec(f"{pod}/{containers}/{field}", kind)
                for field in ("args", "command", "env/value", "volumeMounts/mountPath")
            ]
        if kind == "StatefulSet":
            specs.append(_spec("spec/volumeClaimTemplates/spec/nfs/server", kind))
        elif kind == "CronJob":
            # Upstream leaves out one `spec` here, so this one never matches anything.
            specs.append(_spec("spec/jobTemplate/spec/template/volumes/nfs/server", kind))
        else:
            specs.append(_spec(f"{pod}/volumes/nfs/server", kind))
    return [
        *specs,
        _spec("spec/template/metadata/annotations", "Deployment"),
        _spec("spec/rules/host", "Ingress"),
        _spec("spec/tls/hosts", "Ingress"),
        _spec("spec/tls/secretName", "Ingress"),
        _spec("spec/ports/port", "Service"),
        _spec("spec/ports/targetPort", "Service"),
        _spec("spec/nfs/server", "PersistentVolume"),
        _spec("metadata/labels"),
        _spec("metadata/annotations"),
    ]


_LABELS = [
    *_template_metadata("labels"),
    _spec("spec/volumeClaimTemplates[]/metadata/labels", "apps/StatefulSet", create=True),
]
DEFAULTS: dict[str, list[FieldSpec]] = {
    "namePrefix": [_spec("metadata/name")],
    "nameSuffix": [_spec("metadata/name")],
    "namespace": [
        _spec("metadata/name", "Namespace", create=True),
        _spec("spec/service/namespace", "apiregistration.k8s.io/APIService", create=True),
        _spec(
            "spec/conversion/webhook/clientConfig/service/namespace",
            "apiextensions.k8s.io/CustomResourceDefinition",
        ),
    ],
    "labels": [],
    "templateLabels": _LABELS,
    "commonLabels": [*_LABELS, *_selectors()],
    "commonAnnotations": _template_metadata("annotations"),
    "images": [
        _spec(f"{pod}/{field}", create=True)
        for pod in ("spec", "spec/template/spec")
        for field in ("containers[]/image", "initContainers[]/image", "volumes[]/image/reference")
    ],
    "replicas": [
        _spec("spec/replicas", kind, create=True)
        for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
    ],
    "varReference": _variables(),
}
"""By the names that `configurations` files use."""


def _in_pods(kinds: dict[str, str], *fields: str) -> list[FieldSpec]:
    return [_spec(f"{pod}/{field}", kind) for field in fields for kind, pod in kinds.items()]


_PODS = {
    "v1/Pod": "spec",
    "PodTemplate": "template/spec",
    **dict.fromkeys(_TEMPLATED, "spec/template/spec"),
    "CronJob": "spec/jobTemplate/spec/template/spec",
}
_WORKLOADS = {
    "Pod": "spec",
    **dict.fromkeys(_SCHEDULED, "spec/template/spec"),
    "CronJob": "spec/jobTemplate/spec/template/spec",
}


@lru_cache(maxsize=1)
def name_references() -> list[tuple[Gvk, list[FieldSpec]]]:
    """Return, by the kind that is referred to, the fields that hold its name."""
    rbac = "rbac.authorization.k8s.io"
    annotation = "metadata/annotations/"
    nginx = f"{annotation}nginx.ingress.kubernetes.io\\/"
    scaled = [_spec("spec/scaleTargetRef/name", "HorizontalPodAutoscaler")]
    containers = ("containers", "initContainers")
    config_maps = _in_pods(
        _PODS,
        "volumes/configMap/name",
        *(f"{one}/env/valueFrom/configMapKeyRef/name" for one in containers),
        *(f"{one}/envFrom/configMapRef/name" for one in containers),
        "volumes/projected/sources/configMap/name",
    )
    secrets = _in_pods(
        _PODS,
        "volumes/secret/secretName",
        *(f"{one}/env/valueFrom/secretKeyRef/name" for one in containers),
        *(f"{one}/envFrom/secretRef/name" for one in containers),
        "imagePullSecrets/name",
        "volumes/projected/sources/secret/name",
    )
    storage = ("secretName", "adminSecretName", "userSecretName", "secretRef")
    admission = "admissionregistration.k8s.io"
    return [
        *(
            (Gvk(kind=kind), scaled)
            for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
        ),
        (
            Gvk("", "v1", "ConfigMap"),
            [
                *config_maps,
                _spec("spec/configSource/configMap", "Node"),
                _spec("rules/resourceNames", "Role"),
                _spec("rules/resourceNames", "ClusterRole"),
                _spec(f"{nginx}fastcgi-params-configmap", "Ingress"),
            ],
        ),
        (
            Gvk("", "v1", "Secret"),
            [
                *secrets,
                _spec(
                    "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
                    "serving.knative.dev/v1/Service",
                ),
                _spec("spec/tls/secretName", "Ingress"),
                _spec(f"{annotation}ingress.kubernetes.io\\/auth-secret", "Ingress"),
                _spec(f"{nginx}auth-secret", "Ingress"),
                _spec(f"{nginx}auth-tls-secret", "Ingress"),
                _spec("imagePullSecrets/name", "ServiceAccount"),
                *(_spec(f"parameters/{field}", "StorageClass") for field in storage),
                _spec("rules/resourceNames", "Role"),
                _spec("rules/resourceNames", "ClusterRole"),
                _spec("spec/azureFile/secretName", "PersistentVolume"),
            ],
        ),
        (
            Gvk("", "v1", "Service"),
            [
                _spec("spec/serviceName", "apps/StatefulSet"),
                _spec("spec/rules/http/paths/backend/serviceName", "Ingress"),
                _spec("spec/backend/serviceName", "Ingress"),
                _spec("spec/rules/http/paths/backend/service/name", "Ingress"),
                _spec("spec/defaultBackend/service/name", "Ingress"),
                _spec("spec/service/name", "apiregistration.k8s.io/APIService"),
                _spec(
                    "webhooks/clientConfig/service", f"{admission}/ValidatingWebhookConfiguration"
                ),
                _spec("webhooks/clientConfig/service", f"{admission}/MutatingWebhookConfiguration"),
            ],
        ),
        (Gvk(rbac, "", "Role"), [_spec("roleRef/name", f"{rbac}/RoleBinding")]),
        (
            Gvk(rbac, "", "ClusterRole"),
            [
                _spec("roleRef/name", f"{rbac}/RoleBinding"),
                _spec("roleRef/name", f"{rbac}/ClusterRoleBinding"),
            ],
        ),
        (
            Gvk("", "v1", "ServiceAccount"),
            [
                _spec("subjects", f"{rbac}/RoleBinding"),
                _spec("subjects", f"{rbac}/ClusterRoleBinding"),
                *_in_pods(_WORKLOADS, "serviceAccountName"),
            ],
        ),
        (
            Gvk("", "v1", "PersistentVolumeClaim"),
            _in_pods(_WORKLOADS, "volumes/persistentVolumeClaim/claimName"),
        ),
        (
            Gvk("", "v1", "PersistentVolume"),
            [
                _spec("spec/volumeName", "PersistentVolumeClaim"),
                _spec("rules/resourceNames", "ClusterRole"),
            ],
        ),
        (
            Gvk("storage.k8s.io", "v1", "StorageClass"),
            [
                _spec("spec/storageClassName", "PersistentVolume"),
                _spec("spec/storageClassName", "PersistentVolumeClaim"),
                _spec("spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet"),
            ],
        ),
        (
            Gvk("scheduling.k8s.io", "v1", "PriorityClass"),
            _in_pods(_WORKLOADS, "priorityClassName"),
        ),
        (
            Gvk(admission, "", "ValidatingAdmissionPolicy"),
            [_spec("spec/policyName", f"{admission}/ValidatingAdmissionPolicyBinding")],
        ),
    ]
