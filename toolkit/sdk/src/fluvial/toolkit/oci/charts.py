"""Helm charts in registries: which tag a version is, and which layers make a chart."""

from typing import Final, NamedTuple

from semver import Version

from fluvial.apis.semver import Constraint, ConstraintInvalid, coerce_version, parse_version
from fluvial.toolkit.oci._errors import (
    ContentRejected,
    ReferenceInvalid,
    RegistryRefused,
    VersionNotFound,
)
from fluvial.toolkit.oci.reference import SCHEME, Reference
from fluvial.toolkit.oci.registry import Descriptor, Manifest, Registry

__all__ = [
    "CHART_LAYER",
    "CONFIG",
    "PROVENANCE_LAYER",
    "PulledChart",
    "newest_version",
    "pull_chart",
    "resolve_chart",
    "version_tag",
]

CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
"""Media type of a chart's metadata."""
CHART_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
"""Media type of a packaged chart."""
PROVENANCE_LAYER: Final = "application/vnd.cncf.helm.chart.provenance.v1.prov"
"""Media type of a provenance file."""

_OLD_LAYER: Final = "application/tar+gzip"
_MOST_MANIFESTS: Final = 20
_LARGEST_PROVENANCE: Final = 1 << 20


class PulledChart(NamedTuple):
    """A chart as it came."""

    reference: Reference
    """What was pulled."""
    digest: str
    """The digest of the manifest."""
    package: bytes
    """The .tgz."""
    provenance: bytes | None
    """The provenance file, when it was asked for."""


def version_tag(version: str) -> str:
    """Return the tag of a version: tags have no `+`."""
    return version.replace("+", "_")


async def resolve_chart(registry: Registry, reference: Reference, version: str = "") -> Reference:
    """Return which manifest a version of a chart is; an empty version is the newest release.

    A version in full is not looked up, a range is compared with the tags. A digest is kept, and
    when there is a tag, too, that must lead to it. Raises VersionNotFound, ReferenceInvalid,
    ContentRejected, and what `Registry.tags` does.
    """
    tag = version_tag(version)
    if version and reference.tag and tag != reference.tag:
        raise ReferenceInvalid(
            f"chart reference and version mismatch: {version} is not {reference.tag}"
        )
    wanted = version or reference.tag.replace("_", "+")
    repository = Reference(reference.registry, reference.repository)
    full = coerce_version(wanted) is not None
    if reference.digest:
        if full:
            await _check_tag(registry, repository._replace(tag=version_tag(wanted)), reference)
        return repository._replace(digest=reference.digest)
    if full:
        return repository._replace(tag=version_tag(wanted))
    found = await newest_version(registry, repository, wanted)
    return repository._replace(tag=version_tag(found))


async def newest_version(registry: Registry, reference: Reference, wanted: str = "") -> str:
    """Return the newest version in a range that is among the tags of a repository.

    An empty range is every release. Raises VersionNotFound, and what `Registry.tags` does.
    """
    try:
        constraint = Constraint.parse(wanted or "*")
    except ConstraintInvalid:
        raise VersionNotFound(f'improper constraint: "{wanted}"') from None
    versions = list(filter(None, map(_version, await registry.tags(reference.repository))))
    if not versions:
        place = f"{SCHEME}{reference.registry}/{reference.repository}"
        raise VersionNotFound(f"unable to locate any tags in provided repository: {place}")
    fitting = [one for one in versions if constraint.check(one)]
    if not fitting:
        raise VersionNotFound(
            f"could not locate a version matching provided version string {wanted}"
        )
    return str(max(fitting))


async def _check_tag(registry: Registry, named: Reference, reference: Reference) -> None:
    """Raise ReferenceInvalid when a tag leads elsewhere; a digest needs no tag at all."""
    try:
        found = await registry.digest(named)
    except RegistryRefused:
        return
    if found != reference.digest:
        raise ReferenceInvalid(
            f"chart reference digest mismatch: {found} is not {reference.digest}"
        )


def _version(tag: str) -> Version | None:
    """Read a tag that is a version in full; helm takes neither a leading `v` nor leading zeros."""
    text = tag.replace("_", "+")
    version = parse_version(text)
    return version if version is not None and str(version) == text else None


async def pull_chart(
    registry: Registry, reference: Reference, *, largest: int, provenance: bool = False
) -> PulledChart:
    """Download a chart of at most `largest` bytes, and its provenance file when asked for.

    Every digest is checked. Raises RegistryRefused, ContentRejected and WebError.
    """
    digest, manifest = await registry.manifest(reference)
    if manifest.manifests and not manifest.layers:
        manifest = await _of_index(registry, reference, manifest)
    if manifest.config is None or manifest.config.media_type != CONFIG:
        raise ContentRejected(f"{reference}: could not load config with mediatype {CONFIG}")
    # Of several, the last one counts, as in helm.
    layers = {layer.media_type: layer for layer in manifest.layers}
    chart = layers.get(CHART_LAYER) or layers.get(_OLD_LAYER)
    signature = layers.get(PROVENANCE_LAYER)
    if chart is None:
        raise _missing(reference, CHART_LAYER)
    if provenance and signature is None:
        raise _missing(reference, PROVENANCE_LAYER)
    package = await registry.blob(reference.repository, chart, largest)
    proof = None
    if provenance and signature is not None:
        proof = await registry.blob(reference.repository, signature, _LARGEST_PROVENANCE)
    return PulledChart(reference, digest, package, proof)


def _missing(reference: Reference, media_type: str) -> ContentRejected:
    return ContentRejected(
        f"{reference}: manifest does not contain a layer with mediatype {media_type}"
    )


async def _of_index(registry: Registry, reference: Reference, index: Manifest) -> Manifest:
    """Return the one manifest of an index that is a chart."""
    candidates: list[Descriptor] = index.manifests[:_MOST_MANIFESTS]
    for descriptor in candidates:
        place = Reference(reference.registry, reference.repository, digest=descriptor.digest)
        _, manifest = await registry.manifest(place)
        if manifest.config is not None and manifest.config.media_type == CONFIG:
            return manifest
    raise ContentRejected(f"{reference}: no manifest of the index is a chart")
