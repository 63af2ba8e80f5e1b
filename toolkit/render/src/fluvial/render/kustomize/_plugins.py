"""Entries of `generators`, `transformers` and `validators`: only the built-in plugins."""

from collections.abc import Callable
from typing import Any

import msgspec

from fluvial.render.kustomize._charts import CHART_GENERATOR, inflate
from fluvial.render.kustomize._config import to_specs
from fluvial.render.kustomize._decode import decode
from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._fieldspec import FieldSpec
from fluvial.render.kustomize._generators import append_hash, generate
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._metadata import (
    check_moved,
    set_affix,
    set_entries,
    set_namespace,
)
from fluvial.render.kustomize._model import (
    Field,
    GeneratorArgs,
    HelmChart,
    HelmGlobals,
    Image,
    Patch,
    PatchOptions,
    Replacement,
    Replica,
    SecretArgs,
    Selector,
)
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._patches import (
    apply_json6902,
    apply_patch_entry,
    apply_strategic,
)
from fluvial.render.kustomize._replacements import apply_replacements, load_replacements
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._value_add import add_value
from fluvial.render.kustomize._workloads import check_scaled, is_scaled, set_image, set_replicas
from fluvial.render.objects import Origin
from fluvial.render.yaml import settled

__all__ = ["generate_from", "transform_with"]

_TYPE = {"apiVersion", "kind", "metadata"}


class _Plugin(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Every field that one of the plugins has; names are the file format's."""

    fieldSpecs: list[Field] = []  # noqa: N815 -- as above
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    prefix: str = ""
    suffix: str = ""
    unsetOnly: bool = False  # noqa: N815 -- as above
    setRoleBindingSubjects: str = ""  # noqa: N815 -- as above
    imageTag: Image = msgspec.field(default_factory=Image)  # noqa: N815 -- as above
    replica: Replica = msgspec.field(default_factory=Replica)
    replacements: list[Replacement] = []
    path: str = ""
    patch: str = ""
    jsonOp: str = ""  # noqa: N815 -- as above
    paths: list[str] = []
    patches: str = ""
    target: Selector | None = None
    options: PatchOptions | None = None


def _refuse(config: Resource) -> None:
    if config.gvk.group or config.gvk.version != "builtin":
        raise KustomizationError(
            f"plugin {config.gvk} is not allowed: only those with apiVersion builtin run here",
            file=config.file,
        )


def generate_from(config: Resource, loader: Loader) -> list[Resource]:
    """Run a generator's configuration. Raises KustomizationError for all but the built-in ones."""
    _refuse(config)
    settled(config.data)
    if config.gvk.kind == "IAMPolicyGenerator":
        return [_iam_policy(config)]
    if config.gvk.kind == CHART_GENERATOR and loader.helm:
        return _chart(config, loader)
    kind = config.gvk.kind.removesuffix("Generator")
    if kind not in {"ConfigMap", "Secret"}:
        raise KustomizationError(f"generator {config.gvk.kind!r} is not allowed", file=config.file)
    body = {key: value for key, value in config.data.items() if key not in _TYPE}
    body.setdefault("name", config.name)
    if config.namespace:
        body.setdefault("namespace", config.namespace)
    hint = SecretArgs if kind == "Secret" else GeneratorArgs
    args = decode(body, hint, file=config.file, content="", lenient=True)
    if args.env:
        args.envs = [*args.envs, args.env]
    return [generate(kind, args, None, loader)]


def _chart(config: Resource, loader: Loader) -> list[Resource]:
    """Inflate the chart that a HelmChartInflationGenerator names."""
    globals_ = decode(config.data, HelmGlobals, file=config.file, content="", lenient=True)
    chart = decode(config.data, HelmChart, file=config.file, content="", lenient=True)
    return inflate(chart, globals_, loader)


class _Named(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    projectId: str = ""  # noqa: N815 -- the file format's name


class _IamPolicy(msgspec.Struct):
    cloud: str = ""
    kubernetesService: _Named = msgspec.field(default_factory=_Named)  # noqa: N815 -- as above
    serviceAccount: _Named = msgspec.field(default_factory=_Named)  # noqa: N815 -- as above


def _iam_policy(config: Resource) -> Resource:
    """Make the ServiceAccount that GKE's workload identity ties to a Google one."""
    body = decode(config.data, _IamPolicy, file=config.file, content="", lenient=True)
    if body.cloud != "gke":
        raise KustomizationError(
            f"cloud provider {body.cloud!r} is not supported by IAMPolicyGenerator: use gke",
            file=config.file,
        )
    google = body.serviceAccount
    address = f"{google.name}@{google.projectId}.iam.gserviceaccount.com"
    metadata: dict[str, Any] = {
        "annotations": {"iam.gke.io/gcp-service-account": address},
        "name": body.kubernetesService.name,
    }
    if body.kubernetesService.namespace:
        metadata["namespace"] = body.kubernetesService.namespace
    data = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    return Resource(data, config.file)


def transform_with(
    config: Resource, resources: Resources, loader: Loader, by: Origin | None
) -> None:
    """Run a transformer's configuration on all resources."""
    _refuse(config)
    settled(config.data)
    if config.gvk.kind == "ValueAddTransformer":
        add_value(config, resources, loader, by)
        return
    run = _RUNNERS.get(config.gvk.kind)
    if run is None:
        raise KustomizationError(
            f"transformer {config.gvk.kind!r} is not allowed", file=config.file
        )
    body = {key: value for key, value in config.data.items() if key not in _TYPE}
    plugin = decode(body, _Plugin, file=config.file, content="", lenient=True)
    run(plugin, to_specs(plugin.fieldSpecs), resources, loader, by, config)


_Runner = Callable[[_Plugin, list[FieldSpec], Resources, Loader, Origin | None, Resource], None]


def _namespace(plugin: _Plugin, specs: Any, resources: Resources, *rest: Any) -> None:
    _, by, config = rest
    if config.namespace:
        set_namespace(
            resources,
            config.namespace,
            specs,
            by,
            unset_only=plugin.unsetOnly,
            subjects=plugin.setRoleBindingSubjects,
        )
        check_moved([(resource, resource.id) for resource in resources])


def _affixes(plugin: _Plugin, specs: Any, resources: Resources, *rest: Any) -> None:
    _, by, _config = rest
    if plugin.prefix:
        set_affix(resources, plugin.prefix, specs, by)
    if plugin.suffix:
        set_affix(resources, plugin.suffix, specs, by, suffix=True)


def _strategic(plugin: _Plugin, _specs: Any, resources: Resources, *rest: Any) -> None:
    loader, by, config = rest
    texts = [(loader.read(path), loader.resolve(path)) for path in plugin.paths]
    if plugin.patches:
        texts.append((plugin.patches.encode(), config.file))
    if not texts:
        raise KustomizationError(
            "PatchStrategicMergeTransformer: give it paths or patches", file=config.file
        )
    for content, file in texts:
        documents = parse_resources(content, file, by="patch")
        for document in documents:
            document.write_labels_as_texts()
        apply_strategic(resources, documents, by)


def _replicas(plugin: _Plugin, specs: Any, resources: Resources, *rest: Any) -> None:
    _, by, _config = rest
    set_replicas(resources, plugin.replica, specs, by)
    found = [is_scaled(resource, plugin.replica, specs) for resource in resources]
    check_scaled(found, plugin.replica, specs)


def _hashes(_plugin: _Plugin, _specs: Any, resources: Resources, *_rest: Any) -> None:
    for resource in resources:
        append_hash(resource)
    resources.touch()


_RUNNERS: dict[str, _Runner] = {
    "NamespaceTransformer": _namespace,
    "PrefixTransformer": _affixes,
    "SuffixTransformer": _affixes,
    "PrefixSuffixTransformer": _affixes,
    "LabelTransformer": lambda plugin, specs, resources, _loader, by, _config: set_entries(
        resources, plugin.labels, specs, by
    ),
    "AnnotationsTransformer": lambda plugin, specs, resources, _loader, by, _config: set_entries(
        resources, plugin.annotations, specs, by
    ),
    "ImageTagTransformer": lambda plugin, specs, resources, _loader, by, _config: set_image(
        resources, plugin.imageTag, specs, by
    ),
    "ReplicaCountTransformer": _replicas,
    "ReplacementTransformer": lambda plugin, _specs, resources, loader, by, _config: (
        apply_replacements(resources, load_replacements(plugin.replacements, loader), by)
    ),
    "PatchTransformer": lambda plugin, _specs, resources, loader, by, _config: apply_patch_entry(
        resources,
        Patch(path=plugin.path, patch=plugin.patch, target=plugin.target, options=plugin.options),
        loader,
        by,
    ),
    "PatchJson6902Transformer": lambda plugin, _specs, resources, loader, by, _config: (
        apply_json6902(
            resources,
            Patch(path=plugin.path, patch=plugin.jsonOp, target=plugin.target),
            loader,
            by,
        )
    ),
    "PatchStrategicMergeTransformer": _strategic,
    "HashTransformer": _hashes,
}
