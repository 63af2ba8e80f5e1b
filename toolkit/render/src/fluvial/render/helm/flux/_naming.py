"""Names, places and settings that a HelmRelease leaves open, as upstream fills them in."""

import hashlib
from typing import Final

from fluvial.apis.helm import HelmRelease, Install, Upgrade
from fluvial.render.helm._model import Release

__all__ = [
    "action_of",
    "full_release_name",
    "release_name",
    "release_namespace",
    "release_of",
    "shorten",
    "storage_namespace",
]

_LONGEST: Final = 53


def full_release_name(obj: HelmRelease) -> str:
    """Return the name before it is shortened: the spec's, or `[targetNamespace-]name`."""
    if obj.spec.release_name:
        return obj.spec.release_name
    prefix = f"{obj.spec.target_namespace}-" if obj.spec.target_namespace else ""
    return f"{prefix}{obj.metadata.name}"


def shorten(name: str) -> str:
    """Cut a name that Helm would refuse: 40 characters, a dash, 12 digits of its SHA-256."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def release_name(obj: HelmRelease) -> str:
    """Return the name of the release, at most 53 characters."""
    return shorten(full_release_name(obj))


def release_namespace(obj: HelmRelease) -> str:
    """Return the namespace of the release's objects."""
    return obj.spec.target_namespace or obj.metadata.namespace


def storage_namespace(obj: HelmRelease) -> str:
    """Return the namespace of the release's records."""
    return obj.spec.storage_namespace or obj.metadata.namespace


def release_of(obj: HelmRelease, revision: int = 1, *, upgrade: bool = False) -> Release:
    """Return what templates are told of the release, at its install or an upgrade."""
    return Release(
        name=release_name(obj),
        namespace=release_namespace(obj),
        revision=revision,
        is_install=not upgrade,
        is_upgrade=upgrade,
    )


def action_of(obj: HelmRelease, *, upgrade: bool) -> Install | Upgrade:
    """Return what the spec says of an install, or of an upgrade; their defaults where it does not.

    Both have what matters to a rendering: `crds` and `disable_schema_validation`.
    """
    if upgrade:
        return obj.spec.upgrade or Upgrade()
    return obj.spec.install or Install()
