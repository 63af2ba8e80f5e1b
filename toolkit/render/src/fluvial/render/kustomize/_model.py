"""The kustomization file as types; field names are upstream's, so that files decode as they are."""
# ruff: noqa: N815 -- the names are the file format's

from typing import Any

import msgspec

__all__ = [
    "Field",
    "FieldOptions",
    "GeneratorArgs",
    "GeneratorOptions",
    "HelmChart",
    "HelmGlobals",
    "Image",
    "Kustomization",
    "Label",
    "LegacySortOptions",
    "ObjectMeta",
    "ObjectRef",
    "OldHelmChart",
    "Patch",
    "PatchOptions",
    "Replacement",
    "Replica",
    "SecretArgs",
    "Selector",
    "SortOptions",
    "Source",
    "Target",
    "Variable",
]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The base of all: unknown fields are errors."""


class Field(_Strict):
    """A field spec as files write it."""

    group: str = ""
    version: str = ""
    kind: str = ""
    path: str = ""
    create: bool = False


class Selector(_Strict):
    """Patterns for identities, and selectors for labels and annotations."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    annotationSelector: str = ""
    labelSelector: str = ""


class PatchOptions(_Strict):
    """What a patch may change of an identity."""

    allowNameChange: bool = False
    allowKindChange: bool = False


class Patch(_Strict):
    """A strategic merge or JSON6902 patch, inline or in a file."""

    path: str = ""
    patch: str = ""
    target: Selector | None = None
    options: PatchOptions | None = None


class Label(_Strict):
    """Labels, and where besides `metadata/labels` they go."""

    pairs: dict[str, str] = {}
    includeSelectors: bool = False
    includeTemplates: bool = False
    fields: list[Field] = []


class Image(_Strict):
    """What to put in the place of an image's name, tag or digest."""

    name: str = ""
    newName: str = ""
    tagSuffix: str = ""
    newTag: str = ""
    digest: str = ""


class Replica(_Strict):
    """A number of replicas by the workload's name."""

    name: str = ""
    count: int = 0


class FieldOptions(_Strict):
    """How a replacement takes or sets a part of a string."""

    delimiter: str = ""
    index: int = 0
    encoding: str = ""
    create: bool = False


class Source(_Strict):
    """Where a replacement's value comes from."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    fieldPath: str = ""
    options: FieldOptions | None = None


class Target(_Strict):
    """Where a replacement's value goes."""

    select: Selector | None = None
    reject: list[Selector] = []
    fieldPaths: list[str] = []
    options: FieldOptions | None = None


class Replacement(_Strict):
    """One value copied to many fields; `path` names a file that holds one or a list."""

    path: str = ""
    source: Source | None = None
    sourceValue: str | None = None
    targets: list[Target] | None = None


class ObjectRef(_Strict):
    """The object a variable reads."""

    apiVersion: str = ""
    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class _FieldRef(_Strict):
    fieldPath: str = ""


class Variable(_Strict):
    """A `$(NAME)` variable; deprecated upstream in favour of replacements."""

    name: str = ""
    objref: ObjectRef = msgspec.field(default_factory=ObjectRef)
    fieldref: _FieldRef = msgspec.field(default_factory=_FieldRef)


class GeneratorOptions(_Strict):
    """What generated ConfigMaps and Secrets have besides their data."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    disableNameSuffixHash: bool = False
    immutable: bool = False


class GeneratorArgs(_Strict):
    """A ConfigMap to generate."""

    namespace: str = ""
    name: str = ""
    behavior: str = ""
    literals: list[str] = []
    files: list[str] = []
    envs: list[str] = []
    env: str = ""
    options: GeneratorOptions | None = None


class SecretArgs(GeneratorArgs):
    """A Secret to generate."""

    type: str = ""


class HelmGlobals(_Strict):
    """Where charts are, below the kustomization; `configHome` is for programs and has no effect."""

    chartHome: str = ""
    configHome: str = ""


class HelmChart(_Strict):
    """A chart to inflate. `devel` only matters where charts are pulled."""

    name: str = ""
    version: str = ""
    repo: str = ""
    releaseName: str = ""
    namespace: str = ""
    additionalValuesFiles: list[str] = []
    valuesFile: str = ""
    valuesInline: dict[str, Any] = {}
    valuesMerge: str = ""
    includeCRDs: bool = False
    skipHooks: bool = False
    apiVersions: list[str] = []
    kubeVersion: str = ""
    nameTemplate: str = ""
    skipTests: bool = False
    debug: bool = False
    devel: bool = False


class OldHelmChart(_Strict):
    """An entry of the deprecated helmChartInflationGenerator; some fields never had an effect."""

    chartName: str = ""
    chartVersion: str = ""
    chartRepoUrl: str = ""
    chartHome: str = ""
    chartRepoName: str = ""
    helmBin: str = ""
    helmHome: str = ""
    values: str = ""
    valuesLocal: dict[str, Any] = {}
    valuesMerge: str = ""
    releaseName: str = ""
    releaseNamespace: str = ""
    extraArgs: list[str] = []


class LegacySortOptions(_Strict):
    """Kinds that come first and last."""

    orderFirst: list[str] = []
    orderLast: list[str] = []


class SortOptions(_Strict):
    """The order of the output."""

    order: str = ""
    legacySortOptions: LegacySortOptions | None = None


class ObjectMeta(_Strict):
    """What a kustomization file says of itself; it has no effect."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Kustomization(_Strict):
    """A kustomization file."""

    apiVersion: str = ""
    kind: str = ""
    metadata: ObjectMeta | None = None
    openapi: dict[str, str] = {}
    namePrefix: str = ""
    nameSuffix: str = ""
    namespace: str = ""
    commonLabels: dict[str, str] = {}
    labels: list[Label] = []
    commonAnnotations: dict[str, str] = {}
    patchesStrategicMerge: list[str] = []
    patchesJson6902: list[Patch] = []
    patches: list[Patch] = []
    images: list[Image] = []
    imageTags: list[Image] = []
    replacements: list[Replacement] = []
    replicas: list[Replica] = []
    vars: list[Variable] = []
    sortOptions: SortOptions | None = None
    resources: list[str] = []
    components: list[str] = []
    crds: list[str] = []
    bases: list[str] = []
    configMapGenerator: list[GeneratorArgs] = []
    secretGenerator: list[SecretArgs] = []
    helmGlobals: HelmGlobals | None = None
    helmCharts: list[HelmChart] = []
    helmChartInflationGenerator: list[OldHelmChart] = []
    generatorOptions: GeneratorOptions | None = None
    configurations: list[str] = []
    generators: list[str] = []
    transformers: list[str] = []
    validators: list[str] = []
    buildMetadata: list[str] = []
