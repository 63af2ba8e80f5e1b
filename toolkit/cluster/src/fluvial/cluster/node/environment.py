"""A container's environment and arguments, as the pod spec defines them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence

from fluvial.cluster.errors import ClusterError
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of
from fluvial.cluster.standins.metadata import annotations_of, labels_of, uid_of

__all__ = ["ConfigError", "Lookup", "decode_secret", "environment_of", "expand", "field_of"]

Lookup = Callable[[str, str], Object | None]
"""Finds a ConfigMap or Secret of the pod's namespace, by kind and name."""

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z0-9_.-]+)\)")
_QUOTED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class ConfigError(ClusterError):
    """Something that the spec refers to is not there.

    Its message is what the container shows while it waits with `reason`.
    """

    reason = "CreateContainerConfigError"


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value; unknown names stay, `$$` is a dollar sign."""

    def replaced(found: re.Match[str]) -> str:
        if found.group() == "$$":
            return "$"
        return values.get(found[1], found.group())

    return _REFERENCE.sub(replaced, text)


def decode_secret(secret: Object) -> dict[str, bytes]:
    """Return a Secret's data as bytes."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def environment_of(
    pod: Object, container: Object, status: Object, lookup: Lookup
) -> dict[str, str]:
    """Return the variables of a container; raises `ConfigError` for a missing reference.

    `status` holds `podIP` and `hostIP`. Later entries may refer to earlier ones.
    """
    values: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix") or ""
        for key, text in _everything(source, lookup).items():
            values[f"{prefix}{key}"] = text
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            found = _value_from(entry["valueFrom"], pod, status, lookup)
            if found is not None:
                values[entry["name"]] = found
        else:
            values[entry["name"]] = expand(entry.get("value") or "", values)
    return values


def _everything(source: Object, lookup: Lookup) -> dict[str, str]:
    if (reference := source.get("configMapRef")) is not None:
        found = _find("ConfigMap", reference, lookup)
        return dict((found or {}).get("data") or {})
    found = _find("Secret", source.get("secretRef") or {}, lookup)
    return _texts(found)


def _value_from(source: Object, pod: Object, status: Object, lookup: Lookup) -> str | None:
    if (reference := source.get("fieldRef")) is not None:
        return field_of(pod, reference["fieldPath"], status)
    if (reference := source.get("configMapKeyRef")) is not None:
        found = _find("ConfigMap", reference, lookup)
        data: Mapping[str, str] = (found or {}).get("data") or {}
        return _key("ConfigMap", reference, data)
    if (reference := source.get("secretKeyRef")) is not None:
        found = _find("Secret", reference, lookup)
        return _key("Secret", reference, _texts(found))
    # resourceFieldRef: this node does not limit resources.
    return "0"


def _texts(secret: Object | None) -> dict[str, str]:
    # Bytes that are no text reach the process unchanged: the environment is encoded this way too.
    data = decode_secret(secret or {})
    return {key: value.decode(errors="surrogateescape") for key, value in data.items()}


def _find(kind: str, reference: Object, lookup: Lookup) -> Object | None:
    found = lookup(kind, reference.get("name") or "")
    if found is None and not reference.get("optional"):
        raise ConfigError(f'{kind.lower()} "{reference.get("name")}" not found')
    return found


def _key(kind: str, reference: Object, data: Mapping[str, str]) -> str | None:
    if reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    raise ConfigError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")


def field_of(pod: Object, path: str, status: Object) -> str:
    """Return a field by its path in the downward API; raises `ConfigError` for an unknown one."""
    quoted = _QUOTED.fullmatch(path)
    if quoted:
        source = labels_of(pod) if quoted[1] == "labels" else annotations_of(pod)
        return source.get(quoted[2], "")
    fields: dict[str, str | Sequence[str]] = {
        "metadata.name": name_of(pod),
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": uid_of(pod),
        "metadata.labels": [f'{key}="{text}"' for key, text in labels_of(pod).items()],
        "metadata.annotations": [f'{key}="{text}"' for key, text in annotations_of(pod).items()],
        "metadata.generateName": str(metadata(pod).get("generateName") or ""),
        "spec.nodeName": str(pod["spec"].get("nodeName") or ""),
        "spec.serviceAccountName": str(pod["spec"].get("serviceAccountName") or ""),
        "status.podIP": str(status.get("podIP") or ""),
        "status.podIPs": str(status.get("podIP") or ""),
        "status.hostIP": str(status.get("hostIP") or ""),
        "status.hostIPs": str(status.get("hostIP") or ""),
    }
    if path not in fields:
        raise ConfigError(f"unsupported fieldPath: {path}")
    found = fields[path]
    return found if isinstance(found, str) else "\n".join(found)
