"""Security contexts of pods and containers."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["container_security_errors", "pod_security_errors"]

_ID_RANGE = "must be between 0 and 2147483647, inclusive"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_GROUP_POLICIES = ("Always", "OnRootMismatch")


def container_security_errors(context: dict[str, Any], path: str, spec: Object) -> list[Cause]:
    """Check the security context of a container."""
    errors = _id_errors(context, path)
    if context.get("allowPrivilegeEscalation") is False:
        added = (context.get("capabilities") or {}).get("add") or []
        if context.get("privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            errors.append(fielderrors.invalid(path, _internal(context), text))
        if "CAP_SYS_ADMIN" in added:
            text = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                "CAP_SYS_ADMIN"
            )
            errors.append(fielderrors.invalid(path, _internal(context), text))
    proc = context.get("procMount")
    if proc not in (None, "Default", "Unmasked"):
        kinds = ("Default", "Unmasked")
        errors.append(fielderrors.not_supported(f"{path}.procMount", proc, kinds))
    if proc == "Unmasked" and spec.get("hostUsers") is not False:
        text = "`hostUsers` must be false to use `Unmasked`"
        errors.append(fielderrors.invalid(f"{path}.procMount", proc, text))
    return errors + _seccomp_errors(context.get("seccompProfile"), f"{path}.seccompProfile")


def _internal(context: dict[str, Any]) -> dict[str, Any]:
    """Return a container's security context as the server's own struct prints."""
    names = (
        "Capabilities", "Privileged", "SELinuxOptions", "WindowsOptions", "RunAsUser",
        "RunAsGroup", "RunAsNonRoot", "ReadOnlyRootFilesystem", "AllowPrivilegeEscalation",
        "ProcMount", "SeccompProfile", "AppArmorProfile",
    )  # fmt: skip
    shown: dict[str, Any] = {}
    for name in names:
        key = "seLinuxOptions" if name == "SELinuxOptions" else name[:1].lower() + name[1:]
        shown[name] = context.get(key)
    if shown["Capabilities"] is not None:
        given = shown["Capabilities"]
        shown["Capabilities"] = {"Add": given.get("add"), "Drop": given.get("drop")}
    return shown


def pod_security_errors(context: dict[str, Any], path: str) -> list[Cause]:
    """Check the security context of a pod."""
    errors: list[Cause] = []
    group = context.get("fsGroup")
    if group is not None and not 0 <= group < 2**31:
        errors.append(fielderrors.invalid(f"{path}.fsGroup", group, _ID_RANGE))
    errors += _id_errors(context, path)
    errors += [
        fielderrors.invalid(f"{path}.supplementalGroups[{index}]", value, _ID_RANGE)
        for index, value in enumerate(context.get("supplementalGroups") or [])
        if not 0 <= value < 2**31
    ]
    policy = context.get("fsGroupChangePolicy")
    if policy is not None and policy not in _GROUP_POLICIES:
        where = f"{path}.fsGroupChangePolicy"
        errors.append(fielderrors.not_supported(where, policy, _GROUP_POLICIES))
    return errors + _seccomp_errors(context.get("seccompProfile"), f"{path}.seccompProfile")


def _id_errors(context: dict[str, Any], path: str) -> list[Cause]:
    return [
        fielderrors.invalid(f"{path}.{name}", context[name], _ID_RANGE)
        for name in ("runAsUser", "runAsGroup")
        if context.get(name) is not None and not 0 <= context[name] < 2**31
    ]


def _seccomp_errors(profile: dict[str, Any] | None, path: str) -> list[Cause]:
    if profile is None:
        return []
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if kind not in _PROFILES:
        return [fielderrors.not_supported(f"{path}.type", kind, _PROFILES)]
    where = f"{path}.localhostProfile"
    if kind == "Localhost" and not local:
        text = "must be set when seccomp type is Localhost"
        return [fielderrors.required(where, text)]
    if kind != "Localhost" and local is not None:
        text = "can only be set when seccomp type is Localhost"
        return [fielderrors.invalid(where, local, text)]
    return []
