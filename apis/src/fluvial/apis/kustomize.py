"""The kind of `kustomize.toolkit.fluxcd.io/v1`: what to build from an artifact, and apply."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Final

from fluvial.apis.meta import (
    CommonMetadata,
    Condition,
    CustomHealthCheck,
    DependencyReference,
    IgnoreRule,
    Image,
    Inventory,
    KubeConfigReference,
    LocalObjectReference,
    NamespacedObjectKindReference,
    Patch,
    Resource,
    Snapshot,
    SubstituteReference,
)
from fluvial.apis.schema import Int64, Interval, Model, Schema, always, defaulted, unobserved

__all__ = [
    "API_VERSION",
    "GROUP",
    "CrossNamespaceSourceReference",
    "Decryption",
    "Kustomization",
    "KustomizationSpec",
    "KustomizationStatus",
    "PostBuild",
]

GROUP: Final = "kustomize.toolkit.fluxcd.io"
API_VERSION: Final = f"{GROUP}/v1"


class CrossNamespaceSourceReference(Model, kw_only=True):
    """The source of what is built."""

    api_version: str = ""
    """API version of the source."""
    kind: Annotated[
        str, Schema(enum=("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"))
    ]
    """Kind of the source."""
    name: str
    """Name of the source."""
    namespace: str = ""
    """Namespace of the source; absent means the Kustomization's own."""

    def __str__(self) -> str:
        """Print as `Kind/namespace/name`, or `Kind/name`."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}/{middle}{self.name}"


class Decryption(Model, kw_only=True):
    """How encrypted files are decrypted."""

    provider: Annotated[str, Schema(enum=("sops",))]
    """Technology that encrypted them."""
    secret_ref: LocalObjectReference | None = None
    """Secret with private keys and credentials."""
    service_account_name: str = ""
    """ServiceAccount whose identity is used with a key management service."""


class PostBuild(Model, kw_only=True):
    """What is done to the built objects before they are applied."""

    substitute: dict[str, str] = {}
    """Variables to substitute; they win over those of substituteFrom."""
    substitute_from: list[SubstituteReference] = []
    """ConfigMaps and Secrets with variables, later ones winning."""
    substitute_strategy: Annotated[str, Schema(enum=("WithVariables", "Always"))] = ""
    """Substitute only when there is a variable (WithVariables, also when absent), or always."""


class KustomizationSpec(Model, kw_only=True):
    """What to build, where to apply it, and how to look after it."""

    common_metadata: CommonMetadata | None = None
    """Labels and annotations for every object."""
    depends_on: list[DependencyReference] = []
    """Kustomizations that must be ready first."""
    decryption: Decryption | None = None
    """How encrypted files are decrypted."""
    interval: Interval
    """How often the objects are compared with the cluster and corrected."""
    retry_interval: Interval = ""
    """How long to wait after a failure; absent means the interval."""
    kube_config: KubeConfigReference | None = None
    """The cluster to apply to; absent means this one."""
    path: str = ""
    """Folder of the artifact to build; absent means its root."""
    post_build: PostBuild | None = None
    """Variables to substitute in what was built."""
    prune: bool
    """Delete objects that are no longer built."""
    deletion_policy: Annotated[
        str, Schema(enum=("MirrorPrune", "Delete", "WaitForTermination", "Orphan"))
    ] = ""
    """What happens to the objects when this one is deleted; absent means MirrorPrune: as prune
    says."""
    health_checks: list[NamespacedObjectKindReference] = []
    """Objects that must become healthy; ignored with wait."""
    name_prefix: Annotated[str, Schema(min_length=1, max_length=200)] = ""
    """Prefix for the names of all objects."""
    name_suffix: Annotated[str, Schema(min_length=1, max_length=200)] = ""
    """Suffix for the names of all objects."""
    patches: list[Patch] = []
    """Patches, applied after those of the kustomization file."""
    images: list[Image] = []
    """Image replacements, merged by name into those of the kustomization file."""
    service_account_name: str = ""
    """ServiceAccount as which everything is applied."""
    source_ref: CrossNamespaceSourceReference
    """Where the artifact comes from."""
    suspend: bool = False
    """Do not reconcile for now."""
    target_namespace: Annotated[str, Schema(min_length=1, max_length=63)] = ""
    """Namespace for all objects; it is not created."""
    timeout: Interval = ""
    """Time limit of validation, apply and health checks; absent means the interval less 30
    seconds, and never less than 30 seconds."""
    force: bool = defaulted(False)
    """Delete and create again what cannot be changed because a field is immutable."""
    wait: bool = False
    """Wait for all objects to become healthy."""
    components: list[str] = []
    """Folders of kustomize components to add."""
    ignore_missing_components: bool = False
    """Leave out components that do not exist."""
    health_check_exprs: list[CustomHealthCheck] = []
    """Health of custom kinds, as CEL expressions."""
    build_metadata: list[
        Annotated[str, Schema(enum=("originAnnotations", "transformerAnnotations"))]
    ] = []
    """What the build notes in annotations of the objects."""
    ignore: list[IgnoreRule] = []
    """Fields in which drift is not corrected."""


class KustomizationStatus(Model, kw_only=True):
    """What was last observed and applied."""

    observed_generation: Int64 = 0
    """The generation that was last reconciled to a final result."""
    conditions: list[Condition] = []
    """The aspects of the object's state, Ready among them."""
    last_handled_reconcile_at: str = ""
    """The last reconcile request that was handled, as its annotation had it."""
    last_applied_revision: str = ""
    """Revision that was last applied with success, health checks included."""
    last_applied_origin_revision: str = ""
    """What that revision was made from, when its artifact says so."""
    last_attempted_revision: str = ""
    """Revision of the last attempt."""
    inventory: Inventory | None = None
    """The objects that were applied."""
    history: list[Snapshot] = []
    """The last results, newest first, at most five."""


class Kustomization(Resource, kw_only=True):
    """A folder of an artifact that is built with kustomize and kept applied."""

    api_version: str = always(API_VERSION)
    kind: str = always("Kustomization")
    spec: KustomizationSpec
    """What is wanted."""
    status: KustomizationStatus = unobserved(KustomizationStatus)
    """What is."""
