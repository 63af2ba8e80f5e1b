"""One kustomization and everything below it: resources gathered, then transformed in order."""

import posixpath
from collections.abc import Callable, Iterator
from typing import Any

from fluvial.render.kustomize import _kfile
from fluvial.render.kustomize._charts import CHART_GENERATOR, inflate
from fluvial.render.kustomize._config import (
    Config,
    default_config,
    from_crds,
    from_files,
    to_specs,
)
from fluvial.render.kustomize._decode import positions_of
from fluvial.render.kustomize._errors import (
    KustomizationError,
    KustomizeError,
    LoadError,
    ResourceError,
)
from fluvial.render.kustomize._fieldspec import FieldSpec, merge_specs
from fluvial.render.kustomize._generators import generate
from fluvial.render.kustomize._ids import Gvk, text
from fluvial.render.kustomize._loader import Loader, is_remote
from fluvial.render.kustomize._metadata import set_affix, set_entries, set_namespace
from fluvial.render.kustomize._model import Kustomization, Label, Variable
from fluvial.render.kustomize._openapi import read_schema
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._patches import (
    apply_json6902,
    apply_patch_entry,
    apply_strategic,
)
from fluvial.render.kustomize._plugins import generate_from, transform_with
from fluvial.render.kustomize._replacements import apply_replacements, load_replacements
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._schema import choice
from fluvial.render.kustomize._vars import register
from fluvial.render.kustomize._workloads import set_image, set_replicas
from fluvial.render.objects import Origin
from fluvial.render.yaml import Position, YamlError

__all__ = ["Accumulator", "accumulate"]

_SCHEMA = "v1.21.2"
_VALIDATED = "validated-by"
_METADATA_LABELS = FieldSpec(Gvk(), "metadata/labels", create=True)


class Accumulator:
    """What a kustomization hands to the one that names it."""

    def __init__(self) -> None:
        self.resources = Resources()
        self.config: Config | None = None
        self.variables: list[Variable] = []

    def configure(self, config: Config) -> None:
        """Add field specs; those that are there already go first, as upstream merges them."""
        self.config = config if self.config is None else self.config.merged(config)

    def absorb(self, other: "Accumulator") -> None:
        """Take everything of a child."""
        self.resources.extend(other.resources)
        self.configure(other.config or default_config())
        names = {variable.name for variable in self.variables}
        for variable in other.variables:
            if variable.name in names:
                raise KustomizationError(f"var {variable.name!r} already encountered")
        self.variables += other.variables


def accumulate(
    loader: Loader,
    *,
    provenance: bool = False,
    metadata: list[str] | None = None,
    origin: str = "",
    into: Accumulator | None = None,
    component: bool = False,
    read: _kfile.Read | None = None,
) -> tuple[Accumulator, Kustomization]:
    """Build the kustomization in the loader's folder, before names are fixed.

    `metadata` is the outermost buildMetadata, None at the top; `origin` the path from there. A
    component works on its parent's accumulator, `into`. `read` is a file that was read, and
    perhaps changed, by the caller.
    """
    file, path, content = read or _kfile.read(loader.tree, loader.folder)
    loader.file = path
    is_component = file.kind == _kfile.COMPONENT
    if into is not None or metadata is not None:
        if component and not is_component:
            raise KustomizationError(f"expected kind 'Component' but got {file.kind!r}", file=path)
        if not component and is_component:
            raise KustomizationError("a Component must be listed under components", file=path)
    loader.namespace = file.namespace or loader.namespace
    if not loader.helm:
        _kfile.refuse_charts(file, path)
    _choose_schema(file, loader)
    if metadata is not None:
        file.buildMetadata = metadata
    run = _Run(file, loader, content, into or Accumulator(), origin, provenance=provenance)
    run.all()
    return run.into, file


def _choose_schema(file: Kustomization, loader: Loader) -> None:
    """Choose the schema that the file names, unless an outer or earlier one has chosen."""
    wanted = file.openapi
    if choice().made or not any(wanted.get(field) for field in ("version", "path")):
        return
    if "version" in wanted and "path" in wanted:
        problem = "openapi.version and openapi.path cannot be used together"
        raise KustomizationError(problem, file=loader.file)
    if "path" in wanted:
        path = wanted["path"]
        choice().make(read_schema(loader.read(path), loader.resolve(path)))
        return
    if wanted["version"] != _SCHEMA:
        raise KustomizationError("the specified OpenAPI version is not built in", file=loader.file)
    choice().make(None)


class _Run:
    def __init__(
        self,
        file: Kustomization,
        loader: Loader,
        content: bytes,
        into: Accumulator,
        origin: str,
        *,
        provenance: bool,
    ) -> None:
        self.file = file
        self.loader = loader
        self.into = into
        self.origin = origin
        self.provenance = provenance
        self.places: dict[str, Position] = positions_of(content, loader.file) if provenance else {}

    def by(self, name: str, pointer: str) -> Origin | None:
        """Return what provenance says of a step; None when it was not asked for."""
        if not self.provenance:
            return None
        place = self.places.get(pointer, Position(0, 0))
        return Origin(self.loader.file, place.line, place.column, name)

    def all(self) -> None:
        """Run everything, in upstream's order."""
        file, into = self.file, self.into
        self.gather(into, file.resources)
        config = default_config()
        if file.configurations:
            # What is configured goes first, so that it hides a broader built-in spec.
            config = from_files(file.configurations, self.loader).merged(config)
        into.configure(config)
        if file.crds:
            into.configure(from_crds(file.crds, self.loader))
        for kind, entries in (
            ("ConfigMap", file.configMapGenerator),
            ("Secret", file.secretGenerator),
        ):
            section = f"{kind[0].lower()}{kind[1:]}Generator"
            for index, args in enumerate(entries):
                made = generate(kind, args, file.generatorOptions, self.loader)
                self.add_generated(made, f"{kind}Generator", f"/{section}/{index}")
        for index, chart in enumerate(file.helmCharts):
            namespace = self.loader.namespace
            for made in inflate(chart, file.helmGlobals, self.loader, namespace=namespace):
                self.add_generated(made, CHART_GENERATOR, f"/helmCharts/{index}")
        for entry in self.configured(file.generators):
            for made in generate_from(entry, self.loader):
                self.add_generated(made, entry.gvk.kind, "/generators", entry)
        for path in file.components:
            child = self.loader.enter(path)
            accumulate(
                child,
                provenance=self.provenance,
                metadata=file.buildMetadata,
                origin=self.below(path),
                into=into,
                component=True,
            )
        for name, step in self.steps(into.config or config):
            step()
            if file.buildMetadata:
                self.mark(name)
            into.resources.drop_empty()
        for entry in self.configured(file.transformers):
            by = self.by(entry.gvk.kind, "/transformers")
            transform_with(entry, into.resources, self.loader, by)
            if file.buildMetadata:
                self.mark(entry.gvk.kind, entry)
            into.resources.drop_empty()
        self.validate()
        into.variables = register(into.resources, into.variables, file.vars)

    def below(self, path: str) -> str:
        """Return a path as the top sees it."""
        return posixpath.normpath(posixpath.join(self.origin, path))

    def gather(self, into: Accumulator, paths: list[str]) -> None:
        """Add files and folders in order."""
        for path in paths:
            if is_remote(path):
                self.loader.resolve(path)
            try:
                place = self.loader.resolve(path)
                problem = "no such file" if not self.loader.tree.exists(place) else ""
            except LoadError as error:
                place, problem = "", error.problem
            if not problem:
                found = self.parse(place)
                for resource in found:
                    if self.file.buildMetadata:
                        resource.origin = {"path": self.below(path)}
                into.resources.extend(found)
                continue
            try:
                child = self.loader.enter(path)
            except LoadError as error:
                raise LoadError(
                    f"accumulating resources from {path!r}: as a file: {problem}; "
                    f"as a directory: {error.problem}",
                    file=self.loader.file,
                ) from None
            built, _ = accumulate(
                child,
                provenance=self.provenance,
                metadata=self.file.buildMetadata,
                origin=self.below(path),
            )
            into.absorb(built)

    def parse(self, place: str) -> list[Resource]:
        """Read a resource file."""
        try:
            return parse_resources(self.loader.tree.read(place), place, provenance=self.provenance)
        except YamlError as error:
            raise ResourceError(f"malformed YAML: {error}") from None

    def configured(self, entries: list[str]) -> Iterator[Resource]:
        """Read plugin configurations: inline documents, or files and folders of them."""
        paths = []
        found = Accumulator()
        for entry in entries:
            try:
                found.resources.extend(parse_resources(entry, self.loader.file))
            except (YamlError, KustomizeError):
                paths.append(entry)
        self.gather(found, paths)
        return iter(found.resources)

    def add_generated(
        self, made: Resource, kind: str, pointer: str, config: Resource | None = None
    ) -> None:
        """Add a generated resource by its behavior."""
        if self.provenance:
            made.origins = {"": self.by(kind, pointer) or Origin(self.loader.file, 0, 0, kind)}
        if self.file.buildMetadata:
            made.origin = self.record(kind, config)
        resources = self.into.resources
        key = made.id.key
        found = resources.by_any_id(lambda one: one.key == key, name=made.name)
        behavior = made.behavior if made.behavior in {"merge", "replace"} else "create"
        if not found:
            if behavior != "create":
                raise ResourceError(
                    f"id {made.id} does not exist; cannot merge or replace", file=made.file
                )
            resources.append(made)
            return
        if len(found) > 1:
            raise ResourceError(
                f"found multiple objects {made.id} that could accept merge", file=made.file
            )
        if behavior == "create":
            raise ResourceError(
                f"id {made.id} exists; behavior must be merge or replace", file=made.file
            )
        _take_over(made, found[0], merging=behavior == "merge")
        items = [made if item is found[0] else item for item in resources]
        resources.replace_all(items)

    def record(self, kind: str, config: Resource | None = None) -> dict[str, Any]:
        """Return what buildMetadata says of a step of this kustomization."""
        name = posixpath.basename(self.loader.file)
        configured = posixpath.normpath(posixpath.join(self.origin, name))
        if config is None:
            return {
                "configuredIn": configured,
                "configuredBy": {"apiVersion": "builtin", "kind": kind},
            }
        by = {"apiVersion": config.gvk.api_version, "kind": kind, "name": config.name}
        if config.namespace:
            by["namespace"] = config.namespace
        where = (config.origin or {}).get("path", configured)
        return {"configuredIn": where, "configuredBy": by}

    def mark(self, kind: str, config: Resource | None = None) -> None:
        """Add a transformer's record to every resource."""
        record = self.record(kind, config)
        for resource in self.into.resources:
            if resource.origin is None:
                resource.origin = record
            else:
                resource.transformations.append(record)

    def label_specs(self, label: Label, config: Config) -> list[FieldSpec]:
        """Return where the labels of one entry go."""
        specs = merge_specs(to_specs(label.fields), config.specs["labels"])
        if label.includeSelectors:
            return merge_specs(specs, config.specs["commonLabels"])
        if label.includeTemplates:
            specs = merge_specs(specs, config.specs["templateLabels"])
        return merge_specs(specs, [_METADATA_LABELS])

    def steps(self, config: Config) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the transformers in upstream's order, each with its name."""
        file, loader, resources, specs = (
            self.file,
            self.loader,
            self.into.resources,
            config.specs,
        )
        if file.patchesStrategicMerge:
            yield "PatchStrategicMergeTransformer", self.strategic
        for index, patch in enumerate(file.patches):
            by = self.by("patch", f"/patches/{index}")
            yield (
                "PatchTransformer",
                lambda patch=patch, by=by: apply_patch_entry(  # type: ignore[misc]
                    resources, patch, loader, by
                ),
            )
        if file.namespace:
            by = self.by("namespace", "/namespace")
            yield (
                "NamespaceTransformer",
                lambda: set_namespace(resources, file.namespace, specs["namespace"], by),
            )
        if file.namePrefix:
            by = self.by("namePrefix", "/namePrefix")
            yield (
                "PrefixTransformer",
                lambda: set_affix(resources, file.namePrefix, specs["namePrefix"], by),
            )
        if file.nameSuffix:
            by = self.by("nameSuffix", "/nameSuffix")
            yield (
                "SuffixTransformer",
                lambda: set_affix(resources, file.nameSuffix, specs["nameSuffix"], by, suffix=True),
            )
        yield from self.labelling(config)
        for index, patch in enumerate(file.patchesJson6902):
            by = self.by("patch", f"/patchesJson6902/{index}")
            yield (
                "PatchJson6902Transformer",
                lambda patch=patch, by=by: apply_json6902(  # type: ignore[misc]
                    resources, patch, loader, by
                ),
            )
        for index, replica in enumerate(file.replicas):
            by = self.by("replicas", f"/replicas/{index}")
            yield (
                "ReplicaCountTransformer",
                lambda replica=replica, by=by: set_replicas(  # type: ignore[misc]
                    resources, replica, specs["replicas"], by
                ),
            )
        for index, image in enumerate(file.images):
            by = self.by("images", f"/images/{index}")
            yield (
                "ImageTagTransformer",
                lambda image=image, by=by: set_image(  # type: ignore[misc]
                    resources, image, specs["images"], by
                ),
            )
        if file.replacements:
            by = self.by("replacements", "/replacements")
            yield (
                "ReplacementTransformer",
                lambda: apply_replacements(
                    resources, load_replacements(file.replacements, loader), by
                ),
            )

    def labelling(self, config: Config) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps of labels and annotations."""
        file, resources = self.file, self.into.resources
        for index, label in enumerate(file.labels):
            by = self.by("labels", f"/labels/{index}")
            specs = self.label_specs(label, config)
            yield (
                "LabelTransformer",
                lambda label=label, specs=specs, by=by: set_entries(  # type: ignore[misc]
                    resources, label.pairs, specs, by
                ),
            )
        if file.labels or file.commonLabels:
            by = self.by("commonLabels", "/commonLabels")
            yield (
                "LabelTransformer",
                lambda: (
                    set_entries(resources, file.commonLabels, config.specs["commonLabels"], by)
                    if file.commonLabels
                    else None
                ),
            )
        if file.commonAnnotations:
            by = self.by("commonAnnotations", "/commonAnnotations")
            yield (
                "AnnotationsTransformer",
                lambda: set_entries(
                    resources, file.commonAnnotations, config.specs["commonAnnotations"], by
                ),
            )

    def strategic(self) -> None:
        """Apply the deprecated patchesStrategicMerge: inline texts or paths."""
        documents: list[Resource] = []
        for index, entry in enumerate(self.file.patchesStrategicMerge):
            by = self.by("patch", f"/patchesStrategicMerge/{index}")
            try:
                found = parse_resources(entry, self.loader.file)
                for document in found:
                    document.origins = {"": by} if by is not None else None
            except (YamlError, KustomizeError):
                found = parse_resources(
                    self.loader.read(entry),
                    self.loader.resolve(entry),
                    provenance=self.provenance,
                    by="patch",
                )
            for document in found:
                document.write_labels_as_texts()
            documents += found
        if not documents:
            raise KustomizationError("patch appears to be empty", file=self.loader.file)
        apply_strategic(self.into.resources, documents, self.by("patch", "/patchesStrategicMerge"))

    def validate(self) -> None:
        """Run the validators, which must change nothing but their own label."""
        for entry in self.configured(self.file.validators):
            before = [_bare(resource) for resource in self.into.resources]
            transform_with(entry, self.into.resources, self.loader, None)
            if before != [_bare(resource) for resource in self.into.resources]:
                raise KustomizationError(
                    f"validator {entry.gvk.kind} shouldn't modify the resources",
                    file=self.loader.file,
                )


def _bare(resource: Resource) -> Any:
    copy = resource.copy().data
    labels = copy.get("metadata", {}).get("labels")
    if isinstance(labels, dict):
        labels.pop(_VALIDATED, None)
        if not labels:
            del copy["metadata"]["labels"]
    return copy


def _take_over(new: Resource, old: Resource, *, merging: bool) -> None:
    """Give a generated resource the metadata, and when merging the data, of the one it meets."""
    metadata = new.data["metadata"]
    for field in ("labels", "annotations"):
        merged = {**old.strings(field), **new.strings(field)}
        if merged:
            metadata[field] = merged
    metadata["name"] = old.metadata.get("name")
    metadata.pop("namespace", None)
    if old.namespace:
        metadata["namespace"] = old.namespace
    for slot in ("previous", "prefixes", "suffixes", "variables", "behavior", "transformations"):
        setattr(new, slot, getattr(old, slot))
    new.needs_hash = new.needs_hash and old.needs_hash
    if not merging:
        return
    new.origin = old.origin or new.origin
    for field in ("data", "binaryData"):
        theirs = old.data.get(field)
        mine = new.data.pop(field, None)
        both = {
            **({key: text(item) for key, item in theirs.items()} if theirs else {}),
            **(mine or {}),
        }
        if both:
            new.data[field] = {key: both[key] for key in sorted(both)}
