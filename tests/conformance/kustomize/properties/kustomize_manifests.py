"""Random manifests out of small pools of names, so that they refer to each other."""

import json
import random
import re
from typing import Any

import yaml as pyyaml

from fluvial.render.yaml import dump

NAMES = ["app", "web", "db"]
NAMESPACES = ["", "", "", "one", "two", "default"]
IMAGES = ["nginx", "nginx:1.2", "reg.example.com:5000/team/app:v1", "redis@sha256:abc", "app"]
TEXTS = [
    "plain", "yes", "0x1F", "2020-01-02", "a: b", "two\nlines\n", "", " lead", "true",
    "~",
    "a long text with many words that goes on and on until a printer has to break the line",
    "ünïcode ☂", "tab\there", "$(APP_NAME)-x", "#no comment", "'q' \"d\"", "012", "1_000", "null",
]  # fmt: skip
VALUES = [*TEXTS, 0, 7, -3, 1.5, True, False, None]
KEYS = ["alpha", "beta", "gamma", "a.b/c", "on"]
WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]
VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Service": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "ServiceAccount": "v1",
    "PersistentVolumeClaim": "v1",
    "Namespace": "v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Widget": "example.com/v1",
}


def some(rng: random.Random, probability: float) -> bool:
    """Throw a coin."""
    return rng.randrange(100) < probability * 100


def texts(rng: random.Random) -> dict[str, str]:
    """Return labels."""
    return {rng.choice(KEYS[:4]): rng.choice(["x", "y", "web"]) for _ in range(rng.randrange(1, 3))}


def metadata(rng: random.Random, name: str, namespace: str) -> dict[str, Any]:
    """Return an object's metadata."""
    found: dict[str, Any] = {"name": name}
    if namespace:
        found["namespace"] = namespace
    if some(rng, 0.4):
        found["labels"] = texts(rng)
    if some(rng, 0.25):
        found["annotations"] = {rng.choice(KEYS): rng.choice(TEXTS)}
    return found


def container(rng: random.Random, name: str) -> dict[str, Any]:
    """Return a container with references to config."""
    found: dict[str, Any] = {"name": name, "image": rng.choice(IMAGES)}
    if some(rng, 0.4):
        source = rng.choice(["configMapKeyRef", "secretKeyRef"])
        found["env"] = [
            {"name": "A", "value": rng.choice(TEXTS)},
            {"name": "B", "valueFrom": {source: {"name": rng.choice(NAMES), "key": "alpha"}}},
        ]
    if some(rng, 0.3):
        found["envFrom"] = [
            {rng.choice(["configMapRef", "secretRef"]): {"name": rng.choice(NAMES)}}
        ]
    if some(rng, 0.3):
        found["ports"] = [{"containerPort": port} for port in rng.sample([80, 443, 53], 2)]
        if some(rng, 0.5):
            found["ports"][0]["protocol"] = rng.choice(["TCP", "UDP"])
    if some(rng, 0.3):
        found["args"] = [rng.choice(TEXTS), "--name=$(APP_NAME)"]
    return found


def pod(rng: random.Random) -> dict[str, Any]:
    """Return a pod template."""
    spec: dict[str, Any] = {"containers": [container(rng, "main")]}
    if some(rng, 0.3):
        spec["containers"].append(container(rng, "side"))
    if some(rng, 0.2):
        spec["initContainers"] = [container(rng, "init")]
    if some(rng, 0.3):
        spec["serviceAccountName"] = rng.choice(NAMES)
    if some(rng, 0.3):
        spec["volumes"] = [
            {"name": "one", "configMap": {"name": rng.choice(NAMES)}},
            {"name": "two", "secret": {"secretName": rng.choice(NAMES)}},
            {"name": "three", "persistentVolumeClaim": {"claimName": rng.choice(NAMES)}},
        ]
    if some(rng, 0.15):
        spec["tolerations"] = [{"key": "a", "operator": "Exists"}]
    return {"metadata": {"labels": texts(rng)} if some(rng, 0.7) else {}, "spec": spec}


def workload(rng: random.Random, kind: str) -> dict[str, Any]:
    """Return a workload's spec."""
    if kind == "CronJob":
        return {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": pod(rng)}}}
    spec: dict[str, Any] = {"template": pod(rng)}
    if kind != "Job":
        spec["selector"] = {"matchLabels": texts(rng)}
    if kind in {"Deployment", "StatefulSet"} and some(rng, 0.6):
        spec["replicas"] = rng.randrange(4)
    if kind == "StatefulSet":
        spec["serviceName"] = rng.choice(NAMES)
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    return spec


def _subjects(rng: random.Random) -> list[dict[str, Any]]:
    name = rng.choice([*NAMES, "default"])
    subject: dict[str, Any] = {"kind": "ServiceAccount", "name": name}
    if some(rng, 0.7):
        subject["namespace"] = rng.choice(["one", "two", "default"])
    return [subject, {"kind": "User", "name": "someone"}]


def manifest(rng: random.Random, kind: str, name: str, namespace: str) -> dict[str, Any]:
    """Return an object of a kind."""
    found: dict[str, Any] = {"apiVersion": VERSIONS[kind], "kind": kind}
    found["metadata"] = metadata(rng, name, namespace)
    if kind in WORKLOADS:
        found["spec"] = workload(rng, kind)
    elif kind == "Service":
        found["spec"] = {"selector": texts(rng), "ports": [{"port": 80, "targetPort": "http"}]}
    elif kind == "ConfigMap":
        found["data"] = {key: rng.choice(TEXTS) for key in rng.sample(KEYS[:3], 2)}
    elif kind == "Secret":
        found["stringData"] = {"alpha": rng.choice(TEXTS)}
        found["type"] = "Opaque"
    elif kind in {"Role", "ClusterRole"}:
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
        found["rules"] = [{**rule, "resourceNames": [rng.choice(NAMES)]}]
    elif kind in {"RoleBinding", "ClusterRoleBinding"}:
        role = (
            "ClusterRole" if kind == "ClusterRoleBinding" else rng.choice(["Role", "ClusterRole"])
        )
        group = "rbac.authorization.k8s.io"
        found["roleRef"] = {"apiGroup": group, "kind": role, "name": rng.choice(NAMES)}
        found["subjects"] = _subjects(rng)
    elif kind == "Ingress":
        backend = {"service": {"name": rng.choice(NAMES), "port": {"number": 80}}}
        found["spec"] = {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]}
        if some(rng, 0.4):
            found["spec"]["tls"] = [{"hosts": ["a.example.com"], "secretName": rng.choice(NAMES)}]
    elif kind == "HorizontalPodAutoscaler":
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": rng.choice(NAMES)}
        found["spec"] = {"scaleTargetRef": target, "maxReplicas": 3}
    elif kind == "PodDisruptionBudget":
        found["spec"] = {"minAvailable": 1, "selector": {"matchLabels": texts(rng)}}
    elif kind == "NetworkPolicy":
        peers = [{"podSelector": {"matchLabels": texts(rng)}}]
        found["spec"] = {"podSelector": {"matchLabels": texts(rng)}, "ingress": [{"from": peers}]}
    elif kind == "CustomResourceDefinition":
        found["spec"] = {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}}
    elif kind == "Widget":
        found["spec"] = {
            key: rng.choice([*VALUES, [1, "a", None], {"deep": {"er": rng.choice(VALUES)}}, [], {}])
            for key in rng.sample([*KEYS, "8"], 3)
        }
        found["spec"]["image"] = rng.choice(IMAGES)
        found["spec"]["configRef"] = {"name": rng.choice(NAMES)}
    return found


_SCALAR = re.compile(r"(?m)(?<=: )(?:\d|true|plain)$")
_SPELLINGS = {
    "7": ["0x7", "07", "7.0", "+7", "7e0"],
    "0": ["-0", "0x0", "0.0"],
    "true": ["True", "TRUE"],
    "plain": ["2024-02-29", "1.10", "0x1F", ">-\n        plain", '"plain"', "'plain'", "1_0"],
}


def written(rng: random.Random, value: Any) -> str:
    """Write a document in one of the styles that people use, some scalars in an unusual one."""
    text = _written(rng, value)
    if not some(rng, 0.4):
        return text
    return _SCALAR.sub(lambda match: rng.choice(_SPELLINGS.get(match[0], [match[0]])), text)


def _written(rng: random.Random, value: Any) -> str:
    style = rng.randrange(8)
    if style == 0:
        return f"{json.dumps(value, indent=rng.choice([None, 2]))}\n"
    if style == 1:
        quoted: str = pyyaml.safe_dump(value, default_style='"', sort_keys=False, width=60)
        return quoted
    if style == 2:
        text: str = pyyaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=40)
        return f"# a comment\n{text}"
    if style == 3:
        flow: str = pyyaml.safe_dump(value, sort_keys=True, default_flow_style=None)
        return f"---\n{flow}"
    return dump(value, sort_keys=rng.randrange(2) == 0)
