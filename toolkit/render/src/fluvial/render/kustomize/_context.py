"""One kustomization file at work: its folder, and what provenance and buildMetadata say of it."""

import posixpath
from typing import Any

from fluvial.render.kustomize._decode import positions_of
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._model import Kustomization
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.objects import Origin
from fluvial.render.yaml import Position

__all__ = ["Context"]


class Context:
    """A kustomization `file` with the loader of its folder.

    `content` is the file's text, `origin` the path to its folder from the outermost one, and
    `provenance` says whether origins are wanted.
    """

    def __init__(
        self, file: Kustomization, loader: Loader, content: bytes, origin: str, *, provenance: bool
    ) -> None:
        self.file = file
        self.loader = loader
        self.origin = origin
        self.provenance = provenance
        self._places: dict[str, Position] = positions_of(content, loader.file) if provenance else {}

    def by(self, name: str, pointer: str) -> Origin | None:
        """Return what provenance says of a step; None when it was not asked for."""
        if not self.provenance:
            return None
        place = self._places.get(pointer, Position(0, 0))
        return Origin(self.loader.file, place.line, place.column, name)

    def below(self, path: str) -> str:
        """Return a path as the top sees it."""
        return posixpath.normpath(posixpath.join(self.origin, path))

    def record(self, kind: str, config: Resource | None = None) -> dict[str, Any]:
        """Return what buildMetadata says of a step; `config` is the plugin's, if it is one."""
        configured = self.below(posixpath.basename(self.loader.file))
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

    def mark(self, resources: Resources, kind: str, config: Resource | None = None) -> None:
        """Add a transformer's record to every resource."""
        record = self.record(kind, config)
        for resource in resources:
            if resource.origin is None:
                resource.origin = record
            else:
                resource.transformations.append(record)
            resource.rewrite_annotations()
