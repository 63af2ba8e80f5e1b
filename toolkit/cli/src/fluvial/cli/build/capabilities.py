"""What templates may know of a cluster that nobody asks: `--kube-version` and `--api-versions`."""

from collections.abc import Mapping
from typing import Any

from fluvial.cli.build.flags import FlagError
from fluvial.render.helm import Capabilities, ChartError, HelmVersion, kube_version

__all__ = ["capabilities_of"]


def capabilities_of(given: Mapping[str, Any], rules: HelmVersion) -> Capabilities:
    """Return what the flags say, over what that release of Helm takes when it asks no server.

    Raises FlagError, in helm's words.
    """
    version = given.get("kube-version", "")
    extra = given.get("api-versions", [])
    try:
        wanted = version or rules.kube_version
        kube_version(wanted)
    except ChartError:
        raise FlagError(
            f"invalid kube version '{version}': could not parse \"{version}\" as version"
        ) from None
    return Capabilities(kube_version=wanted, kube_version_given=True, extra_api_versions=extra)
