"""The field specs in force: built in, plus `configurations` files, plus what `crds` declare."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fluvial.render.kustomize._decode import decode
from fluvial.render.kustomize._defaults import DEFAULTS, name_references
from fluvial.render.kustomize._errors import KustomizationError, TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec, merge_specs
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._model import Field
from fluvial.render.yaml import load_documents

__all__ = ["Config", "default_config", "from_crds", "from_files", "to_specs"]


class Config:
    """Field specs by the name of their section, and the name references."""

    def __init__(self) -> None:
        self.specs: dict[str, list[FieldSpec]] = {}
        self.references: list[tuple[Gvk, list[FieldSpec]]] = []

    def merge(self, other: "Config") -> None:
        """Add another's specs. Raises TransformError when they clash."""
        for section, specs in other.specs.items():
            self.specs[section] = merge_specs(self.specs.get(section, ()), specs)
        for gvk, specs in other.references:
            for index, (known, present) in enumerate(self.references):
                if known == gvk:
                    self.references[index] = (known, merge_specs(present, specs))
                    break
            else:
                self.references.append((gvk, list(specs)))

    def merged(self, other: "Config") -> "Config":
        """Return both together, this one's specs first; neither changes."""
        if other is self:
            return self
        config = Config()
        config.specs = {section: list(specs) for section, specs in self.specs.items()}
        config.references = [(gvk, list(specs)) for gvk, specs in self.references]
        config.merge(other)
        return config


@lru_cache(maxsize=1)
def default_config() -> Config:
    """Return what is in force without any configuration; shared, so never change it."""
    config = Config()
    config.specs = DEFAULTS
    config.references = name_references()
    return config


def to_specs(fields: list[Field]) -> list[FieldSpec]:
    """Turn the file form into specs."""
    return [FieldSpec(Gvk(f.group, f.version, f.kind), f.path, f.create) for f in fields]


def from_files(paths: list[str], loader: Loader) -> Config:
    """Read the files of `configurations`."""
    config = Config()
    for path in paths:
        content, file = loader.read(path), loader.resolve(path)
        for document in load_documents(content, file=file):
            value = document.value
            if not isinstance(value, dict):
                raise KustomizationError("a configuration must be a map", file=file)
            added = Config()
            for section, entries in value.items():
                if section == "nameReference":
                    for entry in entries or ():
                        gvk = Gvk(*(entry.get(part, "") for part in ("group", "version", "kind")))
                        fields = decode(
                            entry.get("fieldSpecs") or [], list[Field], file=file, content=content
                        )
                        added.references.append((gvk, to_specs(fields)))
                elif section in DEFAULTS:
                    fields = decode(entries or [], list[Field], file=file, content=content)
                    added.specs[section] = to_specs(fields)
                else:
                    raise KustomizationError(f"unknown section {section!r}", file=file)
            try:
                config.merge(added)
            except TransformError as error:
                raise KustomizationError(error.problem, file=file) from None
    return config


def from_crds(paths: list[str], loader: Loader) -> Config:
    """Read the OpenAPI definitions of `crds`, whose extensions declare field specs."""
    config = Config()
    for path in paths:
        documents = load_documents(loader.read(path), file=loader.resolve(path))
        definitions = documents[0].value if documents else {}
        if not isinstance(definitions, dict):
            raise KustomizationError(
                "a file of crds must map type names to schemas", file=loader.resolve(path)
            )
        for name, body in definitions.items():
            schema = body.get("Schema", body.get("schema", body)) if isinstance(body, dict) else {}
            properties = schema.get("properties") if isinstance(schema, dict) else None
            if not {"apiVersion", "kind", "metadata"} <= set(properties or ()):
                continue
            kind = Gvk(kind=name.rpartition(".")[2])
            _collect(config, definitions, name, kind)
    return config


def _properties(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = body.get("Schema", body.get("schema", body)) if isinstance(body, dict) else {}
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, inner in (properties or {}).items():
        if isinstance(inner, dict):
            yield name, inner


def _collect(
    config: Config,
    definitions: dict[str, Any],
    name: str,
    kind: Gvk,
    *,
    path: tuple[str, ...] = (),
    seen: frozenset[str] = frozenset(),
) -> None:
    if name in seen or name not in definitions:
        return
    for field, schema in _properties(definitions[name]):
        where = "/".join((*path, field))
        added = Config()
        if "x-kubernetes-annotation" in schema:
            added.specs["commonAnnotations"] = [FieldSpec(kind, where)]
        if "x-kubernetes-label-selector" in schema:
            added.specs["commonLabels"] = [FieldSpec(kind, where)]
        if "x-kubernetes-identity" in schema:
            added.specs["namePrefix"] = [FieldSpec(kind, where)]
        version = schema.get("x-kubernetes-object-ref-api-version")
        target = schema.get("x-kubernetes-object-ref-kind")
        if version and target:
            key = schema.get("x-kubernetes-object-ref-name-key")
            spec = FieldSpec(kind, f"{where}/{key}" if key else where)
            added.references.append((Gvk("", version, target), [spec]))
        config.merge(added)
        reference = str(schema.get("$ref", "")).removeprefix("#/definitions/")
        if reference:
            _collect(config, definitions, reference, kind, path=(*path, field), seen=seen | {name})
