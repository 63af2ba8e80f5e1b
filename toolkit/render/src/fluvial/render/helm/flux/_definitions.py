"""The chart's `crds/`: what the controller takes for definitions."""

from collections.abc import Iterable

from fluvial.apis.ids import Unstructured
from fluvial.render.helm._model import File
from fluvial.render.yaml import load_all

__all__ = ["definitions_of"]


def definitions_of(files: Iterable[File]) -> tuple[list[Unstructured], list[str]]:
    """Return the definitions in the files of `crds/`, and the files that hold something else.

    A file is named once for each document that is passed over. Raises YamlError.
    """
    definitions: list[Unstructured] = []
    skipped: list[str] = []
    for file in files:
        for document in load_all(file.data.decode(), file=file.name):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                definitions.append(document)
            elif document:
                skipped.append(file.name)
    return definitions, skipped
