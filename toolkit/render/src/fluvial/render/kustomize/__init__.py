"""The kustomize engine: `build(tree, path)` returns the objects a kustomization describes.

It follows kustomize 5.8.1 byte for byte, quirks included, and never touches the network, a process
or a file outside its tree. `fluvial.render.kustomize.flux` adds what Flux's controller does around
it. `PARSED` holds what builds leave for later ones of this process, by digest, within a budget.
"""

from fluvial.render.kustomize._build import Options, build, to_yaml
from fluvial.render.kustomize._cache import PARSED, ParsedFiles
from fluvial.render.kustomize._errors import (
    KustomizationError,
    KustomizeError,
    LoadError,
    ResourceError,
    SubstitutionError,
    TransformError,
)
from fluvial.render.kustomize.tree import DiskTree, MemoryTree, Tree

__all__ = [
    "PARSED",
    "DiskTree",
    "KustomizationError",
    "KustomizeError",
    "LoadError",
    "MemoryTree",
    "Options",
    "ParsedFiles",
    "ResourceError",
    "SubstitutionError",
    "TransformError",
    "Tree",
    "build",
    "to_yaml",
]
