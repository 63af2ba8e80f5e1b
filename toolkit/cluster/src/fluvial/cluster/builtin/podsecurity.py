"""The Pod Security Standards: what a pod spec has that its namespace's level forbids.

`violations` returns upstream's texts (`k8s.io/pod-security-admission/policy`, latest version).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fluvial.cluster.objects import Object

__all__ = ["violations"]

_DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
        "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
_SELINUX_TYPES = frozenset(
    {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)  # fmt: skip
_VOLUMES = frozenset(
    {
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
        "persistentVolumeClaim", "projected", "secret",
    }
)  # fmt: skip
_PROFILES = ("RuntimeDefault", "Localhost")

Check = Callable[[Object], tuple[str, str] | None]
"""Returns reason and detail of a violation."""


def violations(level: str, spec: Object) -> str:
    """Return what is wrong with a pod spec at a level, as one text; empty when nothing is."""
    found = [each for check in _LEVELS.get(level, ()) if (each := check(spec)) is not None]
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


def _containers(spec: Object) -> list[Object]:
    keys = ("initContainers", "containers", "ephemeralContainers")
    return [each for key in keys for each in spec.get(key) or []]


def _own(container: Object) -> Object:
    return container.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(what: str, names: list[str]) -> str:
    """Return `container "a"` or `containers "a", "b"`."""
    return f"{what}{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _with(spec: Object, holds: Callable[[Object], bool]) -> list[str]:
    return [each["name"] for each in _containers(spec) if holds(_own(each))]


def _setters(spec: Object, holds: Callable[[Object], bool]) -> str:
    """Return who sets something: the pod, containers, or both."""
    who = ["pod"] if holds(spec.get("securityContext") or {}) else []
    names = _with(spec, holds)
    return " and ".join([*who, *([_named("container", names)] if names else [])])


def _host_namespaces(spec: Object) -> tuple[str, str] | None:
    found = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return ("host namespaces", ", ".join(found)) if found else None


def _host_ports(spec: Object) -> tuple[str, str] | None:
    names, ports = [], set()
    for each in _containers(spec):
        used = {port["hostPort"] for port in each.get("ports") or [] if port.get("hostPort")}
        if used:
            names.append(each["name"])
            ports |= used
    if not names:
        return None
    verb = "use" if len(names) > 1 else "uses"
    what = "hostPorts" if len(ports) > 1 else "hostPort"
    shown = ", ".join(sorted(str(port) for port in ports))
    return "hostPort", f"{_named('container', names)} {verb} {what} {shown}"


def _host_process(spec: Object) -> tuple[str, str] | None:
    who = _setters(spec, lambda own: bool((own.get("windowsOptions") or {}).get("hostProcess")))
    text = "must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", f"{who} {text}") if who else None


def _privileged(spec: Object) -> tuple[str, str] | None:
    names = _with(spec, lambda own: own.get("privileged") is True)
    text = "must not set securityContext.privileged=true"
    return ("privileged", f"{_named('container', names)} {text}") if names else None


def _proc_mount(spec: Object) -> tuple[str, str] | None:
    names = _with(spec, lambda own: own.get("procMount") not in (None, "", "Default"))
    found = sorted(
        {
            _own(each)["procMount"]
            for each in _containers(spec)
            if _own(each).get("procMount") not in (None, "", "Default")
        }
    )
    text = f"must not set securityContext.procMount to {_quoted(found)}"
    return ("procMount", f"{_named('container', names)} {text}") if names else None


def _proc_mount_of_host_users(spec: Object) -> tuple[str, str] | None:
    return None if spec.get("hostUsers") is False else _proc_mount(spec)


def _handler_hosts(spec: Object) -> tuple[str, str] | None:
    names, hosts = [], set()
    for each in _containers(spec):
        lifecycle = each.get("lifecycle") or {}
        handlers = [each.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        found = {
            ((handler or {}).get(kind) or {}).get("host")
            for handler in handlers
            for kind in ("httpGet", "tcpSocket")
        } - {None, ""}
        if found:
            names.append(each["name"])
            hosts |= found
    if not names:
        return None
    verb = "use" if len(names) > 1 else "uses"
    what = "probe or lifecycle host" + ("s" if len(hosts) > 1 else "")
    shown = f"{what} {_quoted(sorted(map(str, hosts)))}"
    return "probe or lifecycle host", f"{_named('container', sorted(names))} {verb} {shown}"


def _bad_selinux(own: Object) -> bool:
    options = own.get("seLinuxOptions") or {}
    bad_type = options.get("type", "") not in _SELINUX_TYPES
    return bool(bad_type or options.get("user") or options.get("role"))


def _selinux(spec: Object) -> tuple[str, str] | None:
    who = _setters(spec, _bad_selinux)
    if not who:
        return None
    every = [spec.get("securityContext") or {}, *(_own(each) for each in _containers(spec))]
    options = [own.get("seLinuxOptions") or {} for own in every]
    types = sorted({each.get("type", "") for each in options} - _SELINUX_TYPES)
    parts = [f"type{'s' if len(types) > 1 else ''} {_quoted(types)}"] if types else []
    parts += [
        f"{key} may not be set" for key in ("user", "role") if any(o.get(key) for o in options)
    ]
    text = f"set forbidden securityContext.seLinuxOptions: {'; '.join(parts)}"
    return "seLinuxOptions", f"{who} {text}"


def _is_unconfined(own: Object, profile: str) -> bool:
    return bool((own.get(profile) or {}).get("type") == "Unconfined")


def _apparmor(spec: Object) -> tuple[str, str] | None:
    who = _setters(spec, lambda own: _is_unconfined(own, "appArmorProfile"))
    text = 'must not set AppArmor profile type to "Unconfined"'
    return ("forbidden AppArmor profile", f"{who} {text}") if who else None


def _sysctls(spec: Object) -> tuple[str, str] | None:
    own = spec.get("securityContext") or {}
    found = sorted({each["name"] for each in own.get("sysctls") or []} - _SYSCTLS)
    return ("forbidden sysctls", ", ".join(found)) if found else None


def _capabilities(spec: Object) -> tuple[str, str] | None:
    detail = _added(spec, _DEFAULT_CAPABILITIES)
    return ("non-default capabilities", detail) if detail else None


def _added(spec: Object, allowed: frozenset[str]) -> str:
    names, capabilities = [], set()
    for each in _containers(spec):
        added = set((_own(each).get("capabilities") or {}).get("add") or []) - allowed
        if added:
            names.append(each["name"])
            capabilities |= added
    text = f"must not include {_quoted(sorted(capabilities))} in securityContext.capabilities.add"
    return f"{_named('container', names)} {text}" if names else ""


def _host_paths(spec: Object) -> tuple[str, str] | None:
    names = [each["name"] for each in spec.get("volumes") or [] if each.get("hostPath")]
    return ("hostPath volumes", _named("volume", names)) if names else None


def _seccomp(spec: Object) -> tuple[str, str] | None:
    who = _setters(spec, lambda own: _is_unconfined(own, "seccompProfile"))
    text = 'must not set securityContext.seccompProfile.type to "Unconfined"'
    return ("seccompProfile", f"{who} {text}") if who else None


def _escalation(spec: Object) -> tuple[str, str] | None:
    names = _with(spec, lambda own: own.get("allowPrivilegeEscalation") is not False)
    text = "must set securityContext.allowPrivilegeEscalation=false"
    found = f"{_named('container', names)} {text}"
    return ("allowPrivilegeEscalation != false", found) if names else None


def _dropped(spec: Object) -> tuple[str, str] | None:
    names = _with(
        spec, lambda own: "ALL" not in ((own.get("capabilities") or {}).get("drop") or [])
    )
    parts = []
    if names:
        text = 'must set securityContext.capabilities.drop=["ALL"]'
        parts.append(f"{_named('container', names)} {text}")
    added = _added(spec, frozenset({"NET_BIND_SERVICE"}))
    parts += [added] if added else []
    return ("unrestricted capabilities", "; ".join(parts)) if parts else None


def _volume_types(spec: Object) -> tuple[str, str] | None:
    names, types = [], set()
    for each in spec.get("volumes") or []:
        bad = {key for key in each if key != "name"} - _VOLUMES
        if bad:
            names.append(each["name"])
            types |= bad
    if not names:
        return None
    verb = "use" if len(names) > 1 else "uses"
    what = "types" if len(types) > 1 else "type"
    text = f"restricted volume {what} {_quoted(sorted(types))}"
    return "restricted volume types", f"{_named('volume', names)} {verb} {text}"


def _non_root(spec: Object) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    own = (spec.get("securityContext") or {}).get("runAsNonRoot")
    explicit = _with(spec, lambda found: found.get("runAsNonRoot") is False)
    implicit = _with(spec, lambda found: found.get("runAsNonRoot") is None)
    text = "must not set securityContext.runAsNonRoot=false"
    parts = []
    if own is False:
        parts.append("pod")
    if explicit:
        parts.append(_named("container", explicit))
    if parts:
        return "runAsNonRoot != true", f"{' and '.join(parts)} {text}"
    if own is None and implicit:
        who = f"pod or {_named('container', implicit)}"
        return "runAsNonRoot != true", f"{who} must set securityContext.runAsNonRoot=true"
    return None


def _root_user(spec: Object) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    who = _setters(spec, lambda own: own.get("runAsUser") == 0)
    return ("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def _seccomp_set(spec: Object) -> tuple[str, str] | None:
    def kind(own: Object) -> str | None:
        found = (own.get("seccompProfile") or {}).get("type")
        return None if found is None else str(found)

    own = kind(spec.get("securityContext") or {})
    who = _setters(spec, lambda found: kind(found) not in (None, *_PROFILES))
    if who:
        bad = {kind(_own(each)) for each in _containers(spec)} | {own}
        shown = _quoted(sorted(str(each) for each in bad if each not in (None, *_PROFILES)))
        return "seccompProfile", (
            f"{who} must not set securityContext.seccompProfile.type to {shown}"
        )
    implicit = _with(spec, lambda found: kind(found) is None)
    if own is None and implicit:
        text = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        return "seccompProfile", f"pod or {_named('container', implicit)} {text}"
    return None


_BASELINE: tuple[Check, ...] = (
    _apparmor,
    _capabilities,
    _host_namespaces,
    _host_paths,
    _host_ports,
    _handler_hosts,
    _privileged,
    _proc_mount_of_host_users,
    _selinux,
    _seccomp,
    _sysctls,
    _host_process,
)
_RESTRICTED: tuple[Check, ...] = (
    _apparmor,
    _host_namespaces,
    _host_ports,
    _handler_hosts,
    _privileged,
    _selinux,
    _sysctls,
    _host_process,
    _escalation,
    _dropped,
    _proc_mount,
    _volume_types,
    _non_root,
    _root_user,
    _seccomp_set,
)
"""In upstream's order; some checks of the baseline give way to stricter ones."""

_LEVELS = {"baseline": _BASELINE, "restricted": _RESTRICTED}
