"""The transformers that a kustomization file asks for, in upstream's order."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import msgspec

from fluvial.render.kustomize._config import Config, to_specs
from fluvial.render.kustomize._context import Context
from fluvial.render.kustomize._errors import KustomizationError, KustomizeError
from fluvial.render.kustomize._fieldspec import FieldSpec, merge_specs
from fluvial.render.kustomize._ids import Gvk, ResourceId
from fluvial.render.kustomize._ledger import Ledger, Whole
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._metadata import (
    check_moved,
    set_affix,
    set_entries,
    set_namespace,
)
from fluvial.render.kustomize._model import Label, Patch, Replica
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._patches import (
    apply_json6902,
    apply_patch_entry,
    apply_strategic,
)
from fluvial.render.kustomize._replacements import apply_replacements, load_replacements
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._workloads import (
    check_scaled,
    is_scaled,
    set_image,
    set_replicas,
)
from fluvial.render.objects import Origin
from fluvial.render.yaml import YamlError

__all__ = ["Step", "steps"]

_METADATA_LABELS = FieldSpec(Gvk(), "metadata/labels", create=True)


Check = Callable[[list[tuple[Resource, Any]]], None]


def _nothing(_resource: Resource) -> Any:
    return None


class Step(NamedTuple):
    """One transformer, by the name that upstream has for it.

    `key` is the digest of all that a step depends on besides the resource, if it looks at one
    resource at a time; empty if it does not. What must hold of all resources together is then
    asked by `check`, which gets the `evidence` of each after the step. `weight` is about how much
    it costs a resource: one for a walk along a few paths.
    """

    name: str
    run: Callable[[Resources], None]
    key: bytes = b""
    weight: int = 1
    evidence: Callable[[Resource], Any] = _nothing
    check: Check | None = None


def steps(context: Context, config: Config) -> Iterator[Step]:
    """Yield the transformers of a file; what is wrong with one is only said when it runs."""
    file, loader, by, specs = context.file, context.loader, context.by, config.specs
    if file.patchesStrategicMerge:
        yield Step("PatchStrategicMergeTransformer", partial(_strategic, context=context))
    for index, patch in enumerate(file.patches):
        origin = by("patch", f"/patches/{index}")
        run = partial(apply_patch_entry, entry=patch, loader=loader, by=origin)
        yield Step("PatchTransformer", run, _patch_key(patch, loader, origin), weight=2)
    if file.namespace:
        origin, section = by("namespace", "/namespace"), specs["namespace"]
        yield Step(
            "NamespaceTransformer",
            partial(set_namespace, namespace=file.namespace, specs=section, by=origin),
            _key("namespace", origin, file.namespace, section),
            evidence=_identity,
            check=check_moved,
        )
    if file.namePrefix:
        origin, section = by("namePrefix", "/namePrefix"), specs["namePrefix"]
        run = partial(set_affix, affix=file.namePrefix, specs=section, by=origin)
        yield Step("PrefixTransformer", run, _key("prefix", origin, file.namePrefix, section))
    if file.nameSuffix:
        origin, section = by("nameSuffix", "/nameSuffix"), specs["nameSuffix"]
        run = partial(set_affix, affix=file.nameSuffix, specs=section, by=origin, suffix=True)
        yield Step("SuffixTransformer", run, _key("suffix", origin, file.nameSuffix, section))
    yield from _labelling(context, config)
    for index, patch in enumerate(file.patchesJson6902):
        origin = by("patch", f"/patchesJson6902/{index}")
        run = partial(apply_json6902, entry=patch, loader=loader, by=origin)
        yield Step("PatchJson6902Transformer", run, _patch_key(patch, loader, origin))
    for index, replica in enumerate(file.replicas):
        origin, section = by("replicas", f"/replicas/{index}"), specs["replicas"]
        yield Step(
            "ReplicaCountTransformer",
            partial(set_replicas, replica=replica, specs=section, by=origin),
            _key("replicas", origin, replica, section),
            evidence=partial(is_scaled, replica=replica, specs=section),
            check=partial(_check_scaled, replica=replica, specs=section),
        )
    for index, image in enumerate(file.images):
        origin, section = by("images", f"/images/{index}"), specs["images"]
        run = partial(set_image, image=image, specs=section, by=origin)
        yield Step("ImageTagTransformer", run, _key("image", origin, image, section), weight=3)
    if file.replacements:
        yield Step("ReplacementTransformer", partial(_replacements, context=context))


def _labelling(context: Context, config: Config) -> Iterator[Step]:
    """Yield the steps of labels and annotations."""
    file, specs = context.file, config.specs
    for index, label in enumerate(file.labels):
        origin = context.by("labels", f"/labels/{index}")
        run = partial(_label, label=label, config=config, by=origin)
        sections = [specs[name] for name in ("labels", "commonLabels", "templateLabels")]
        yield Step("LabelTransformer", run, _key("label", origin, label, *sections))
    if file.labels or file.commonLabels:
        origin, section = context.by("commonLabels", "/commonLabels"), specs["commonLabels"]
        run = partial(set_entries, entries=file.commonLabels, specs=section, by=origin)
        yield Step("LabelTransformer", run, _key("labels", origin, file.commonLabels, section))
    if file.commonAnnotations:
        origin = context.by("commonAnnotations", "/commonAnnotations")
        section = specs["commonAnnotations"]
        run = partial(set_entries, entries=file.commonAnnotations, specs=section, by=origin)
        key = _key("annotations", origin, file.commonAnnotations, section)
        yield Step("AnnotationsTransformer", run, key)


def _key(*parts: Any) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(parts)).digest()


def _patch_key(patch: Patch, loader: Loader, origin: Origin | None) -> bytes:
    """Return the key of a patch that has a target; others look for one resource among all."""
    if patch.target is None:
        return b""
    try:
        content = loader.read(patch.path) if patch.path else b""
        file = loader.resolve(patch.path) if patch.path and origin is not None else ""
    except KustomizeError:
        return b""
    return _key("patch", origin, patch, content, file)


def _identity(resource: Resource) -> ResourceId:
    return resource.id


def _check_scaled(
    seen: list[tuple[Resource, bool]], replica: Replica, specs: list[FieldSpec]
) -> None:
    check_scaled((found for _, found in seen), replica, specs)


def _label(resources: Resources, label: Label, config: Config, by: Origin | None) -> None:
    """Set the labels of one entry of `labels`."""
    specs = merge_specs(to_specs(label.fields), config.specs["labels"])
    if label.includeSelectors:
        specs = merge_specs(specs, config.specs["commonLabels"])
    else:
        if label.includeTemplates:
            specs = merge_specs(specs, config.specs["templateLabels"])
        specs = merge_specs(specs, [_METADATA_LABELS])
    set_entries(resources, label.pairs, specs, by)


def _replacements(resources: Resources, context: Context) -> None:
    origin = context.by("replacements", "/replacements")
    loaded = load_replacements(context.file.replacements, context.loader)
    apply_replacements(resources, loaded, origin)


def _strategic(resources: Resources, context: Context) -> None:
    """Apply the deprecated patchesStrategicMerge: inline texts or paths."""
    file, loader = context.file, context.loader
    documents: list[Resource] = []
    for index, entry in enumerate(file.patchesStrategicMerge):
        by = context.by("patch", f"/patchesStrategicMerge/{index}")
        try:
            found = parse_resources(entry, loader.file)
            for document in found:
                document.ledger = None if by is None else Ledger(Whole(by))
        except (YamlError, KustomizeError):
            found = parse_resources(
                loader.read(entry),
                loader.resolve(entry),
                provenance=context.provenance,
                by="patch",
            )
        for document in found:
            document.write_labels_as_texts()
        documents += found
    if not documents:
        raise KustomizationError("patch appears to be empty", file=loader.file)
    apply_strategic(resources, documents, context.by("patch", "/patchesStrategicMerge"))
