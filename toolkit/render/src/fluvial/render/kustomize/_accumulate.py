"""One kustomization and everything below it: resources gathered, then transformed in order."""

from collections.abc import Iterator
from typing import Any

from fluvial.render.kustomize import _kfile
from fluvial.render.kustomize._charts import CHART_GENERATOR, inflate
from fluvial.render.kustomize._config import Config, default_config, from_crds, from_files
from fluvial.render.kustomize._context import Context
from fluvial.render.kustomize._errors import (
    KustomizationError,
    KustomizeError,
    LoadError,
    ResourceError,
)
from fluvial.render.kustomize._generated import add_generated
from fluvial.render.kustomize._generators import generate
from fluvial.render.kustomize._ledger import Ledger, Whole
from fluvial.render.kustomize._loader import Loader, is_remote
from fluvial.render.kustomize._model import Kustomization, Variable
from fluvial.render.kustomize._openapi import read_schema
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._passes import run_steps
from fluvial.render.kustomize._plugins import generate_from, transform_with
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._schema import choice
from fluvial.render.kustomize._steps import steps
from fluvial.render.kustomize._styles import styles_kept
from fluvial.render.kustomize._vars import register
from fluvial.render.objects import Origin
from fluvial.render.yaml import YamlError

__all__ = ["Accumulator", "accumulate"]

_SCHEMA = "v1.21.2"
_VALIDATED = "validated-by"


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
    context = Context(file, loader, content, origin, provenance=provenance)
    run = _Run(context, into or Accumulator())
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
    def __init__(self, context: Context, into: Accumulator) -> None:
        self.context = context
        self.file = context.file
        self.loader = context.loader
        self.into = into

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
                provenance=self.context.provenance,
                metadata=file.buildMetadata,
                origin=self.context.below(path),
                into=into,
                component=True,
            )
        run_steps(
            steps(self.context, into.config or config),
            into.resources,
            lambda step: self.finish(step.name),
            remembering=self.is_plain(),
        )
        for entry in self.configured(file.transformers):
            by = self.context.by(entry.gvk.kind, "/transformers")
            transform_with(entry, into.resources, self.loader, by)
            self.finish(entry.gvk.kind, entry)
        self.validate()
        into.variables = register(into.resources, into.variables, file.vars)

    def is_plain(self) -> bool:
        """Say whether resources have no records of buildMetadata, and all choices are the usual."""
        return not self.file.buildMetadata and choice().schema is None and not styles_kept()

    def finish(self, kind: str, config: Resource | None = None) -> None:
        """Do what follows every transformer."""
        if self.file.buildMetadata:
            self.context.mark(self.into.resources, kind, config)
        self.into.resources.drop_empty()

    def add_generated(
        self, made: Resource, kind: str, pointer: str, config: Resource | None = None
    ) -> None:
        """Say of a generated resource where it comes from, and add it."""
        if self.context.provenance:
            origin = self.context.by(kind, pointer) or Origin(self.loader.file, 0, 0, kind)
            made.ledger = Ledger(Whole(origin))
        if self.file.buildMetadata:
            made.origin = self.context.record(kind, config)
        add_generated(made, self.into.resources)

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
                        resource.origin = {"path": self.context.below(path)}
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
                provenance=self.context.provenance,
                metadata=self.file.buildMetadata,
                origin=self.context.below(path),
            )
            into.absorb(built)

    def parse(self, place: str) -> list[Resource]:
        """Read a resource file."""
        try:
            return parse_resources(
                self.loader.tree.read(place), place, provenance=self.context.provenance
            )
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
