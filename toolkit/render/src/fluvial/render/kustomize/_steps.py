"""The transformers that a kustomization file asks for, in upstream's order."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from fluvial.render.kustomize._config import Config, to_specs
from fluvial.render.kustomize._context import Context
from fluvial.render.kustomize._errors import KustomizationError, KustomizeError
from fluvial.render.kustomize._fieldspec import FieldSpec, merge_specs
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._metadata import set_affix, set_entries, set_namespace
from fluvial.render.kustomize._model import Label
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._patches import (
    apply_json6902,
    apply_patch_entry,
    apply_strategic,
)
from fluvial.render.kustomize._replacements import apply_replacements, load_replacements
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._workloads import set_image, set_replicas
from fluvial.render.objects import Origin
from fluvial.render.yaml import YamlError

__all__ = ["Step", "steps"]

_METADATA_LABELS = FieldSpec(Gvk(), "metadata/labels", create=True)


class Step(NamedTuple):
    """One transformer, by the name that upstream has for it."""

    name: str
    run: Callable[[Resources], None]


def steps(context: Context, config: Config) -> Iterator[Step]:
    """Yield the transformers of a file; nothing is read before a step runs."""
    file, loader, by, specs = context.file, context.loader, context.by, config.specs
    if file.patchesStrategicMerge:
        yield Step("PatchStrategicMergeTransformer", partial(_strategic, context=context))
    for index, patch in enumerate(file.patches):
        origin = by("patch", f"/patches/{index}")
        run = partial(apply_patch_entry, entry=patch, loader=loader, by=origin)
        yield Step("PatchTransformer", run)
    if file.namespace:
        origin = by("namespace", "/namespace")
        run = partial(set_namespace, namespace=file.namespace, specs=specs["namespace"], by=origin)
        yield Step("NamespaceTransformer", run)
    if file.namePrefix:
        origin = by("namePrefix", "/namePrefix")
        run = partial(set_affix, affix=file.namePrefix, specs=specs["namePrefix"], by=origin)
        yield Step("PrefixTransformer", run)
    if file.nameSuffix:
        origin, section = by("nameSuffix", "/nameSuffix"), specs["nameSuffix"]
        run = partial(set_affix, affix=file.nameSuffix, specs=section, by=origin, suffix=True)
        yield Step("SuffixTransformer", run)
    yield from _labelling(context, config)
    for index, patch in enumerate(file.patchesJson6902):
        origin = by("patch", f"/patchesJson6902/{index}")
        run = partial(apply_json6902, entry=patch, loader=loader, by=origin)
        yield Step("PatchJson6902Transformer", run)
    for index, replica in enumerate(file.replicas):
        origin = by("replicas", f"/replicas/{index}")
        run = partial(set_replicas, replica=replica, specs=specs["replicas"], by=origin)
        yield Step("ReplicaCountTransformer", run)
    for index, image in enumerate(file.images):
        origin = by("images", f"/images/{index}")
        run = partial(set_image, image=image, specs=specs["images"], by=origin)
        yield Step("ImageTagTransformer", run)
    if file.replacements:
        yield Step("ReplacementTransformer", partial(_replacements, context=context))


def _labelling(context: Context, config: Config) -> Iterator[Step]:
    """Yield the steps of labels and annotations."""
    file, specs = context.file, config.specs
    for index, label in enumerate(file.labels):
        origin = context.by("labels", f"/labels/{index}")
        yield Step("LabelTransformer", partial(_label, label=label, config=config, by=origin))
    if file.labels or file.commonLabels:
        origin = context.by("commonLabels", "/commonLabels")
        section = specs["commonLabels"]
        run = partial(set_entries, entries=file.commonLabels, specs=section, by=origin)
        yield Step("LabelTransformer", run)
    if file.commonAnnotations:
        origin = context.by("commonAnnotations", "/commonAnnotations")
        section = specs["commonAnnotations"]
        run = partial(set_entries, entries=file.commonAnnotations, specs=section, by=origin)
        yield Step("AnnotationsTransformer", run)


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
                document.origins = {"": by} if by is not None else None
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
