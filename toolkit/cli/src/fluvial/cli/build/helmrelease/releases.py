"""Which HelmRelease is built, and the data that its values come from."""

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.helm import API_VERSION, GROUP, HelmRelease
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.manifests import Manifest, Manifests, several
from fluvial.render.helm.flux import Found, text_of

__all__ = ["choose", "find_values"]

_NAMESPACE = "default"


def choose(manifests: Manifests, name: str, namespace: str) -> tuple[Manifest, HelmRelease]:
    """Return the HelmRelease that the flags name, or the only one; empty flags fit any.

    One that says no namespace is in `namespace`, or in `default`. Raises ReleaseRefused, which
    lists those that there are.
    """
    releases = manifests.of(GROUP, HELM_RELEASE.kind)
    fitting = [
        one
        for one in releases
        if name in {"", one.name} and (not namespace or one.namespace in {"", namespace})
    ]
    if len(fitting) != 1:
        raise ReleaseRefused(_which(fitting, releases, name, namespace))
    manifest = fitting[0]
    version = manifest.value.get("apiVersion")
    if version != API_VERSION:
        raise ReleaseRefused(
            f"{manifest.file}: HelmRelease {manifest.name!r} is of {version}: write it as "
            f"{API_VERSION}, the version that is served"
        )
    try:
        obj = decode(HELM_RELEASE, manifest.value)
    except DecodeError as error:
        raise ReleaseRefused(f"{manifest.file}: {error}") from None
    obj.metadata.namespace = manifest.namespace or namespace or _NAMESPACE
    return manifest, obj


def _which(fitting: list[Manifest], releases: list[Manifest], name: str, namespace: str) -> str:
    """Say that there is none, or more than one."""
    if not releases:
        return f"no HelmRelease of {GROUP} in what was named: name its file"
    listed = ", ".join(
        f"{one.namespace or namespace or _NAMESPACE}/{one.name} ({one.file})"
        for one in fitting or releases
    )
    if len({(one.namespace, one.name) for one in fitting}) == 1:
        return several(fitting, f"HelmRelease {fitting[0].name}")
    if fitting:
        return f"{len(fitting)} HelmReleases: choose one with --name and -n: {listed}"
    wanted = f" {name!r}" if name else ""
    place = f" in the namespace {namespace!r}" if namespace else ""
    return f"no HelmRelease{wanted}{place}: there is {listed}"


def find_values(manifests: Manifests, obj: HelmRelease) -> Found:
    """Return the texts that `valuesFrom` names, out of the ConfigMaps and Secrets at hand.

    Raises ReleaseRefused for a Secret that is encrypted, and ValuesError, in the controller's
    words, for what is missing.
    """
    namespace = obj.metadata.namespace
    return [
        (ref, text_of(ref, manifests.data(ref.kind, namespace, ref.name), namespace))
        for ref in obj.spec.values_from
    ]
