"""Fields that a built-in kind does not have.

Upstream reads objects of built-in kinds into Go types before it applies them, and so drops unknown
and mistyped fields without a word. The server refuses an apply that has them. For the same manifest
to be accepted here, the fields that the server names are left out, and the change says which. A
custom resource is refused, with upstream as here.
"""

import re
from typing import Any, Final

import msgspec

from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.toolkit.client import ApiError

__all__ = ["BUILT_IN", "drop", "named"]

BUILT_IN: Final = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)
"""The groups whose kinds upstream reads into Go types; no definition is in one of them."""
_UNTYPED = {
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
}
"""Upstream applies these as they stand."""

_FINDING = re.compile(r"(\.\S+): field not declared in schema")
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


def named(error: ApiError, obj: Unstructured) -> list[str]:
    """List the paths that the server's answer calls undeclared, if they are to be left out.

    Empty for other errors, for custom resources, and when the answer names anything else beside.
    """
    group, _ = split_api_version(obj["apiVersion"])
    if group not in BUILT_IN or (group, obj["kind"]) in _UNTYPED:
        return []
    head, _, findings = error.message.partition("): ")
    if not head.startswith("failed to create typed patch object"):
        return []
    lines = [line.strip() for line in findings.removeprefix("errors:").splitlines()]
    matches = [_FINDING.fullmatch(line) for line in lines if line]
    return [match.group(1) for match in matches if match] if all(matches) else []


def drop(obj: Unstructured, path: str) -> bool:
    """Remove the field at a path of the server's form: `.spec.ports[port=80].nope`.

    Returns whether it was there.
    """
    steps = list(_STEP.finditer(path))
    here: Any = obj
    for step in steps[:-1]:
        here = _below(here, step)
    name = steps[-1].group(1) if steps else None
    if isinstance(here, dict) and name in here:
        del here[name]
        return True
    return False


def _below(here: Any, step: re.Match[str]) -> Any:
    name, inside = step.groups()
    if name is not None:
        return here.get(name) if isinstance(here, dict) else None
    if not isinstance(here, list):
        return None
    if inside.isdecimal():
        return here[int(inside)] if int(inside) < len(here) else None
    try:
        keys = {
            key: msgspec.json.decode(value)
            for key, value in (part.split("=", 1) for part in inside.split(","))
        }
    except (ValueError, msgspec.DecodeError):
        return None
    return next(
        (
            element
            for element in here
            if isinstance(element, dict)
            and all(element.get(key) == value for key, value in keys.items())
        ),
        None,
    )
