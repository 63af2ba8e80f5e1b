"""OCIRepository: a layer of an OCI artifact as an artifact."""

from typing import Annotated

from fluvial.apis.meta import LocalObjectReference, Resource
from fluvial.apis.schema import Interval, Model, Schema, Timeout, always, defaulted, unobserved
from fluvial.apis.source.shared import API_VERSION, SourceStatus, Verification

__all__ = [
    "OCILayerSelector",
    "OCIRepository",
    "OCIRepositoryRef",
    "OCIRepositorySpec",
    "OCIRepositoryStatus",
    "OCIRepositoryVerification",
]


class OCIRepositoryRef(Model, kw_only=True):
    """What to pull: digest wins over semver, semver over tag."""

    digest: str = ""
    """Digest of the manifest, `sha256:<hex>`."""
    semver: str = ""
    """Range of semantic versions; the highest tag in it is taken."""
    semver_filter: str = ""
    """RE2 expression that tags must match before semver sees them."""
    tag: str = ""
    """Tag; `latest` when nothing else is named."""


class OCILayerSelector(Model, kw_only=True):
    """Which layer becomes the artifact, and how."""

    media_type: str = ""
    """Take the first layer of this media type; absent means the first of all."""
    operation: Annotated[str, Schema(enum=("extract", "copy"))] = ""
    """Unpack and pack the layer again (extract, also when absent), or keep its bytes (copy)."""


class OCIRepositoryVerification(Verification, kw_only=True):
    """How the signature of the artifact is verified."""

    trusted_root_secret_ref: LocalObjectReference | None = None
    """Secret with a Sigstore root of one's own, key `trusted_root.json`."""


class OCIRepositorySpec(Model, kw_only=True):
    """What to pull, how often, and with which credentials."""

    url: Annotated[str, Schema(pattern="^oci://.*$")]
    """Address of the repository, without a tag."""
    ref: OCIRepositoryRef | None = None
    """What to pull; absent means the tag `latest`."""
    layer_selector: OCILayerSelector | None = None
    """Which layer is taken; absent means the first, extracted."""
    provider: Annotated[str, Schema(enum=("generic", "aws", "azure", "gcp"))] = defaulted("generic")
    """How to authenticate: with Secrets (generic) or with a cloud's identity."""
    secret_ref: LocalObjectReference | None = None
    """Secret with registry credentials, of type `kubernetes.io/dockerconfigjson`."""
    service_account_name: str = ""
    """ServiceAccount whose image pull secrets, or with a cloud whose identity, are used."""
    cert_secret_ref: LocalObjectReference | None = None
    """Secret with `ca.crt`, or `tls.crt` and `tls.key`, or all three."""
    proxy_secret_ref: LocalObjectReference | None = None
    """Secret with the address and credentials of a proxy."""
    verify: OCIRepositoryVerification | None = None
    """How signatures are verified; absent means not at all."""
    interval: Interval
    """How often the repository is looked at."""
    timeout: Timeout = defaulted("60s")
    """Time limit of the registry operations."""
    ignore: str | None = None
    """Rules in gitignore syntax of what is left out of the artifact."""
    insecure: bool = False
    """Allow a registry over plain HTTP."""
    suspend: bool = False
    """Do not reconcile for now."""


class OCIRepositoryStatus(SourceStatus, kw_only=True):
    """What was last observed and stored."""

    url: str = ""
    """Address of the latest artifact."""
    observed_ignore: str | None = None
    """The ignore rules of the stored artifact."""
    observed_layer_selector: OCILayerSelector | None = None
    """The layer selector of the stored artifact."""


class OCIRepository(Resource, kw_only=True):
    """A repository of a container registry whose artifact at some tag is offered."""

    api_version: str = always(API_VERSION)
    kind: str = always("OCIRepository")
    spec: OCIRepositorySpec
    """What is wanted."""
    status: OCIRepositoryStatus = unobserved(OCIRepositoryStatus)
    """What is."""
