"""From what an engine rendered to what is sent: upstream's normalisation."""

import base64
import binascii
import copy
from collections.abc import Iterable, Iterator, Mapping

from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.toolkit.apply.owner import Owner

__all__ = ["expand", "normalize"]

_WORKLOADS = {"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"}
_BUILTIN_WITHOUT_DOT = {"", "apps", "batch", "autoscaling", "policy", "extensions"}


def expand(objects: Iterable[Unstructured]) -> Iterator[Unstructured]:
    """Open lists, and drop what is no object of a cluster.

    That is: documents without apiVersion, kind or name, and kustomize's own configuration.
    """
    for obj in objects:
        kind, items = obj.get("kind") or "", obj.get("items")
        if kind.endswith("List") and isinstance(items, list):
            yield from expand(item for item in items if isinstance(item, dict))
            continue
        metadata = obj.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        api_version = obj.get("apiVersion")
        if not (api_version and kind and name):
            continue
        if split_api_version(api_version)[0] != "kustomize.config.k8s.io":
            yield obj


def normalize(
    obj: Unstructured,
    owner: Owner | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Unstructured:
    """Return a copy that is ready to be applied.

    Owner labels are added, then `labels` and `annotations`, which win, also over those. Dropped:
    status (a definition keeps it), creationTimestamp, managedFields, and a webhook caBundle that
    the server would refuse. A port without protocol says TCP, since the protocol is part of the
    key that server-side apply merges ports by. A Secret's stringData moves to data.
    """
    obj = copy.deepcopy(obj)
    group, _ = split_api_version(obj["apiVersion"])
    metadata = obj["metadata"]
    metadata.pop("creationTimestamp", None)
    metadata.pop("managedFields", None)
    _merge(metadata, "labels", {**(owner.labels if owner else {}), **(labels or {})})
    _merge(metadata, "annotations", annotations or {})
    if obj["kind"] != "CustomResourceDefinition":
        obj.pop("status", None)
    elif group == "apiextensions.k8s.io":
        _drop_broken_bundle(obj)
    if (group, obj["kind"]) == ("", "Secret"):
        _fold_string_data(obj)
    if group in _BUILTIN_WITHOUT_DOT:
        _default_protocols(obj)
    return obj


def _merge(metadata: Unstructured, field: str, extra: Mapping[str, str]) -> None:
    if extra:
        metadata[field] = {**(metadata.get(field) or {}), **extra}
    elif not metadata.get(field, True):
        # `labels:` with nothing below it is null, which the server takes for a removal.
        del metadata[field]


def _drop_broken_bundle(obj: Unstructured) -> None:
    config = _at(obj, "spec", "conversion", "webhook", "clientConfig")
    bundle = config.get("caBundle")
    if bundle is None:
        return
    try:
        sound = b"-----BEGIN CERTIFICATE-----" in base64.b64decode(bundle, validate=True)
    except (binascii.Error, TypeError, ValueError):
        sound = False
    if not sound:
        del config["caBundle"]


def _fold_string_data(obj: Unstructured) -> None:
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict) and plain:
        obj["data"] = {
            **(obj.get("data") or {}),
            **{
                key: base64.b64encode(str("" if value is None else value).encode()).decode()
                for key, value in plain.items()
            },
        }


def _default_protocols(obj: Unstructured) -> None:
    kind = obj["kind"]
    if kind == "Service":
        _protocols(_at(obj, "spec").get("ports"))
    if kind == "Pod":
        pod = _at(obj, "spec")
    elif kind == "CronJob":
        pod = _at(obj, "spec", "jobTemplate", "spec", "template", "spec")
    elif kind in _WORKLOADS:
        pod = _at(obj, "spec", "template", "spec")
    else:
        return
    containers = pod.get("containers")
    for container in containers if isinstance(containers, list) else ():
        if isinstance(container, dict):
            _protocols(container.get("ports"))


def _protocols(ports: object) -> None:
    for port in ports if isinstance(ports, list) else ():
        if isinstance(port, dict) and not port.get("protocol"):
            port["protocol"] = "TCP"


def _at(obj: Unstructured, *path: str) -> Unstructured:
    """Follow a path of maps; an empty one where it leads nowhere."""
    for key in path:
        below = obj.get(key)
        if not isinstance(below, dict):
            return {}
        obj = below
    return obj
