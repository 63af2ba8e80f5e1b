"""The types that every kind shares: metadata, conditions, references, artifacts, snapshots."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

import msgspec

from fluvial.apis.schema import Int64, Model, Rule, Schema, Timestamp, always, defaulted

__all__ = [
    "AccessFrom",
    "Artifact",
    "CommonMetadata",
    "Condition",
    "CustomHealthCheck",
    "DependencyReference",
    "IgnoreRule",
    "Image",
    "Inventory",
    "InventoryEntry",
    "KubeConfigReference",
    "LocalObjectReference",
    "NamespaceSelector",
    "NamespacedObjectKindReference",
    "NamespacedObjectReference",
    "ObjectMeta",
    "OwnerReference",
    "Patch",
    "Reported",
    "Resource",
    "SecretKeyReference",
    "Selector",
    "Snapshot",
    "SubstituteReference",
    "ValuesReference",
]


class OwnerReference(Model, kw_only=True):
    """An owner of an object, in the same namespace or cluster-scoped."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Model, kw_only=True):
    """The metadata of any object; times are RFC 3339 strings, empty when absent."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    owner_references: list[OwnerReference] = []


class Resource(Model, kw_only=True):
    """An object of some kind; the kinds add spec and status."""

    api_version: str = always("")
    """The group and version of this object's schema."""
    kind: str = always("")
    """The kind of this object."""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    """The object's name, namespace, labels and annotations."""

    def __str__(self) -> str:
        """Print as `Kind/namespace/name`."""
        return f"{self.kind}/{self.metadata.namespace}/{self.metadata.name}"


class Condition(Model, kw_only=True):
    """One aspect of an object's state."""

    type: Annotated[
        str,
        Schema(
            max_length=316,
            pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
            r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        ),
    ]
    """What the condition is about, e.g. Ready; own types carry a domain prefix."""
    status: Annotated[str, Schema(enum=("True", "False", "Unknown"))]
    """Whether it holds."""
    reason: Annotated[
        str,
        Schema(max_length=1024, min_length=1, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
    ]
    """Why, as one word for programs."""
    message: Annotated[str, Schema(max_length=32768)]
    """Why, as a sentence for people."""
    last_transition_time: Timestamp
    """When status, reason or message last changed."""
    observed_generation: Annotated[Int64, Schema(minimum=0)] = 0
    """The generation of the object that this was found true of."""


class Reported(Model, kw_only=True):
    """The status of a kind that reports no more than conditions."""

    observed_generation: int = 0
    """The generation that was last reconciled to a final result."""
    conditions: list[Condition] = []
    """The aspects of the object's state, Ready among them."""
    last_handled_reconcile_at: str = ""
    """The last reconcile request that was handled, as its annotation had it."""


class LocalObjectReference(Model, kw_only=True):
    """An object in the same namespace."""

    name: str
    """Name of the object."""


class NamespacedObjectReference(Model, kw_only=True):
    """An object in some namespace."""

    name: str
    """Name of the object."""
    namespace: str = ""
    """Its namespace; absent means the namespace of the object that refers to it."""

    def __str__(self) -> str:
        """Print as `namespace/name`, or only the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class NamespacedObjectKindReference(Model, kw_only=True):
    """An object of some kind in some namespace."""

    api_version: str = ""
    """API version of the object; absent means the preferred one."""
    kind: str
    """Kind of the object."""
    name: str
    """Name of the object."""
    namespace: str = ""
    """Its namespace; absent means the namespace of the object that refers to it."""

    def __str__(self) -> str:
        """Print as `Kind/namespace/name`, or `Kind/name`."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}/{middle}{self.name}"


class SecretKeyReference(Model, kw_only=True):
    """A key of a Secret in the same namespace."""

    name: str
    """Name of the Secret."""
    key: str = ""
    """Key in the Secret's data; absent means the default of the field's documentation."""


class DependencyReference(Model, kw_only=True):
    """An object of the same kind that must be ready first."""

    name: str
    """Name of the object."""
    namespace: str = ""
    """Its namespace; absent means the namespace of the dependent."""
    ready_expr: str = ""
    """CEL expression over `self` and `dep` that says when the dependency is ready."""

    def __str__(self) -> str:
        """Print as `[namespace/]name[@expression]`."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{middle}{self.name}" + (f"@{self.ready_expr}" if self.ready_expr else "")


class ValuesReference(Model, kw_only=True):
    """A ConfigMap or Secret with Helm values."""

    kind: Annotated[str, Schema(enum=("Secret", "ConfigMap"))]
    """Kind of the object with the values."""
    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the object with the values, in the release's namespace."""
    values_key: Annotated[str, Schema(max_length=253, pattern=r"^[\-._a-zA-Z0-9]+$")] = ""
    """Key in its data; absent means `values.yaml`."""
    target_path: Annotated[
        str, Schema(max_length=250, pattern=r"^([a-zA-Z0-9_\-.\\\/]|\[[0-9]{1,5}\])+$")
    ] = ""
    """Path at which a single value is set, in the grammar of Helm's `--set`."""
    optional: bool = False
    """Go on when the object or the key is missing."""
    literal: bool = False
    """With targetPath: take the value as it is, as Helm's `--set-literal` does."""


class SubstituteReference(Model, kw_only=True):
    """A ConfigMap or Secret with variables."""

    kind: Annotated[str, Schema(enum=("Secret", "ConfigMap"))]
    """Kind of the object with the variables."""
    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the object with the variables, in the Kustomization's namespace."""
    optional: bool = defaulted(False)
    """Go on when the object is missing."""


class KubeConfigReference(Model, kw_only=True):
    """Access to a remote cluster: exactly one of the two references."""

    cel_rules = (
        Rule(
            "has(self.configMapRef) || has(self.secretRef)",
            "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be"
            " specified",
        ),
        Rule(
            "!has(self.configMapRef) || !has(self.secretRef)",
            "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be"
            " specified",
        ),
    )

    config_map_ref: LocalObjectReference | None = None
    """ConfigMap that says how to authenticate without a stored credential: keys provider (aws,
    azure, gcp or generic), cluster, address, ca.crt, audiences, serviceAccountName."""
    secret_ref: SecretKeyReference | None = None
    """Secret that holds a kubeconfig; without a key, `value` and then `value.yaml` are tried."""


class Artifact(Model, kw_only=True):
    """A stored file that a source offers to its consumers."""

    path: str
    """Path below the storage root: `<kind>/<namespace>/<name>/<file>`."""
    url: str
    """Address at which the file is served."""
    revision: str
    """What it was made from, e.g. `main@sha1:<commit>`; a new revision triggers consumers."""
    digest: Annotated[str, Schema(pattern=r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$")]
    """Checksum of the file as `<algorithm>:<checksum>`."""
    last_update_time: Timestamp
    """When the file was written."""
    size: Int64 | None = None
    """Size of the file in bytes."""
    metadata: dict[str, str] = {}
    """What the upstream source says about it, e.g. the annotations of an OCI manifest."""


class Snapshot(Model, kw_only=True):
    """One entry of a reconciliation history: a result, and how often it was reached."""

    digest: str
    """Checksum of what was reconciled."""
    first_reconciled: Timestamp
    """When this was first reached."""
    last_reconciled: Timestamp
    """When this was last reached."""
    last_reconciled_duration: str
    """How long the last time took, as a Go duration."""
    last_reconciled_status: str
    """The Ready reason that the last time ended with."""
    total_reconciliations: Int64
    """How often this was reached."""
    metadata: dict[str, str] = {}
    """Further facts about it, e.g. the revision."""


class NamespaceSelector(Model, kw_only=True):
    """A choice of namespaces by their labels."""

    match_labels: dict[str, str] = {}
    """Labels that a namespace must all have; none match every namespace."""


class AccessFrom(Model, kw_only=True):
    """The namespaces from which an object may be referred to."""

    namespace_selectors: list[NamespaceSelector]
    """Selectors, of which one must match."""


class Selector(Model, kw_only=True):
    """A choice of objects; names are anchored regular expressions, selectors label syntax."""

    group: str = ""
    """API group."""
    version: str = ""
    """API version."""
    kind: str = ""
    """Kind."""
    namespace: str = ""
    """Namespace."""
    name: str = ""
    """Name."""
    annotation_selector: str = ""
    """Label selector that is applied to annotations."""
    label_selector: str = ""
    """Label selector that is applied to labels."""


class Patch(Model, kw_only=True):
    """A patch, and the objects it is for."""

    patch: str
    """A strategic merge patch or a list of JSON patch operations, as YAML."""
    target: Selector | None = None
    """Objects to patch; absent means the object that the merge patch itself names."""


class Image(Model, kw_only=True):
    """A replacement for the name, tag or digest of a container image."""

    name: str
    """Image name without tag, as the objects have it."""
    new_name: str = ""
    """Name to use instead."""
    new_tag: str = ""
    """Tag to use instead."""
    digest: str = ""
    """Digest to use instead of any tag; wins over newTag."""


class CommonMetadata(Model, kw_only=True):
    """Labels and annotations for every object."""

    annotations: dict[str, str] = {}
    """Annotations to set; they win over what an object has."""
    labels: dict[str, str] = {}
    """Labels to set; they win over what an object has."""


class CustomHealthCheck(Model, kw_only=True):
    """CEL expressions over an object of some kind that say how it fares."""

    api_version: str
    """API version of the objects."""
    kind: str = ""
    """Kind of the objects."""
    current: str
    """True when the object is as it should be."""
    in_progress: str = ""
    """True while the object is on its way; looked at first."""
    failed: str = ""
    """True when the object has failed; looked at second."""


class IgnoreRule(Model, kw_only=True):
    """Fields in which drift is not looked for."""

    paths: list[str]
    """Fields as RFC 6901 JSON pointers."""
    target: Selector | None = None
    """Objects the rule is for; absent means all."""


class InventoryEntry(Model, kw_only=True):
    """One object that was applied."""

    id: str
    """`<namespace>_<name>_<group>_<kind>`."""
    v: str
    """Its API version, without the group."""


class Inventory(Model, kw_only=True):
    """The objects that were applied, in order."""

    entries: list[InventoryEntry]
    """One entry per object."""
