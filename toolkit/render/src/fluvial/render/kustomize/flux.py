"""What Flux's kustomize controller does around a build.

`build_kustomization` is one reconcile's work: find or make the kustomization file, layer the
spec's fields over it, build, decrypt and substitute each object. `digest_of` is what histories
record.
"""
# ruff: noqa: N815 -- the fields of the spec keep the API's names

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import KustomizationSpec
from fluvial.render.kustomize import _kfile
from fluvial.render.kustomize._build import Options, build, to_yaml
from fluvial.render.kustomize._decode import load_config
from fluvial.render.kustomize._errors import (
    KustomizationError,
    LoadError,
    ResourceError,
    SubstitutionError,
)
from fluvial.render.kustomize._loader import is_remote
from fluvial.render.kustomize._model import Image, Kustomization, Patch
from fluvial.render.kustomize._parse import parse_resources
from fluvial.render.kustomize._substitute import check_names, substitute
from fluvial.render.kustomize.tree import Tree, join
from fluvial.render.objects import Origin, Rendered, nearest, render
from fluvial.render.pointers import escape
from fluvial.render.yaml import YamlError, dump, load

__all__ = [
    "Ignores",
    "Layers",
    "PostBuild",
    "build_kustomization",
    "digest_of",
    "find_or_generate",
    "layer",
    "layers_of",
]

Ignores = Callable[[str, bool], bool]
_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"
_FILTERED = ("resources", "components", "crds")
_REMOTE = ("git::", "gh:", "ssh://", "http://", "https://", "git@", "github.com:", "github.com/")


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a Kustomization's spec that change its kustomization file."""

    targetNamespace: str = ""
    namePrefix: str = ""
    nameSuffix: str = ""
    patches: tuple[Patch, ...] = ()
    images: tuple[Image, ...] = ()
    components: tuple[str, ...] = ()
    ignoreMissingComponents: bool = False
    buildMetadata: tuple[str, ...] = ()


class PostBuild(msgspec.Struct, frozen=True, kw_only=True):
    """`spec.postBuild` with all variables resolved; None in its place runs no substitution.

    `always` is the strategy that runs without any variable. `strict` makes unset ones errors.
    """

    variables: dict[str, str] = {}
    always: bool = False
    strict: bool = True


def layers_of(spec: KustomizationSpec) -> Layers:
    """Pick the fields of a spec that change the kustomization file; both name them alike."""
    fields = msgspec.to_builtins(spec)
    known = {field: fields[field] for field in Layers.__struct_fields__ if field in fields}
    return msgspec.convert(known, Layers)


def find_or_generate(tree: Tree, path: str, ignores: Ignores | None = None) -> _kfile.Read | None:
    """Read the folder's kustomization file, leniently, or make one from the manifests in it.

    What `ignores` picks is left out of both. None when there is nothing to build. Raises LoadError
    when the folder is not there, and ResourceError for a file ending in .yaml or .yml that holds no
    Kubernetes objects.
    """
    folder = join("", path)
    if not tree.is_dir(folder):
        raise LoadError(f"kustomization path not found: {path!r}")
    found = _kfile.find(tree, folder)
    if found:
        content = tree.read(found)
        file = load_config(content, Kustomization, file=found, lenient=True)
        if not (file.resources or file.bases):
            file.buildMetadata = ["originAnnotations"]
        for field in _FILTERED if ignores is not None else ():
            kept = _kept(tree, folder, getattr(file, field), ignores)
            setattr(file, field, kept)
        return _kfile.Read(file, found, content)
    resources = list(_manifests(tree, folder, ".", ignores))
    if not resources:
        return None
    file = Kustomization(
        apiVersion="kustomize.config.k8s.io/v1beta1", kind="Kustomization", resources=resources
    )
    return _kfile.Read(file, join(folder, _kfile.NAMES[0]), msgspec.json.encode(file))


def _kept(tree: Tree, folder: str, entries: list[str], ignores: Ignores | None) -> list[str]:
    """Leave out the entries that are ignored; those at addresses stay."""
    kept = []
    for entry in entries:
        if is_remote(entry):
            kept.append(entry)
            continue
        place = join(folder, entry)
        if not (tree.exists(place) or tree.is_dir(place)):
            raise LoadError(f"no such file or directory: {place!r}")
        if ignores is None or not ignores(place, tree.is_dir(place)):
            kept.append(entry)
    return kept


def _manifests(tree: Tree, folder: str, below: str, ignores: Ignores | None) -> list[str]:
    found: list[str] = []
    for name in tree.list(folder):
        place, relative = join(folder, name), f"{below}/{name}"
        if tree.is_dir(place):
            if _kfile.find(tree, place):
                found.append(relative)
            else:
                found += _manifests(tree, place, relative, ignores)
        elif name.endswith((".yaml", ".yml")) and tree.exists(place):
            if ignores is not None and ignores(place, False):
                continue
            try:
                parse_resources(tree.read(place), place)
            except YamlError as error:
                raise ResourceError(f"failed to decode Kubernetes YAML: {error}") from None
            found.append(relative)
    return found


def layer(read: _kfile.Read, layers: Layers, tree: Tree) -> _kfile.Read:
    """Put the spec's fields over a kustomization file; both stay as they are.

    Raises KustomizationError for a component that is not a local relative path.
    """
    file = msgspec.structs.replace(read.file)
    file.namespace = layers.targetNamespace or file.namespace
    file.namePrefix = layers.namePrefix or file.namePrefix
    file.nameSuffix = layers.nameSuffix or file.nameSuffix
    file.patches = [*file.patches, *layers.patches]
    file.images = _images([*file.images, *file.imageTags], layers.images)
    file.imageTags = []
    folder = read.path.rpartition("/")[0]
    components = list(file.components)
    for component in layers.components:
        if component.startswith(("/", *_REMOTE)):
            raise KustomizationError(
                f"component path {component!r} must be local and relative", file=read.path
            )
        if layers.ignoreMissingComponents and not tree.is_dir(join(folder, component)):
            continue
        components.append(component)
    file.components = components
    if layers.buildMetadata:
        file.buildMetadata = list(layers.buildMetadata)
    return _kfile.check(file, read.path, read.content)


def _images(images: list[Image], changes: tuple[Image, ...]) -> list[Image]:
    merged = [msgspec.structs.replace(image) for image in images]
    for change in changes:
        for image in merged:
            if image.name == change.name:
                image.newName = change.newName or image.newName
                if change.newTag or change.digest:
                    image.newTag, image.digest = change.newTag, change.digest
                break
        else:
            merged.append(msgspec.structs.replace(change))
    return merged


def build_kustomization(
    tree: Tree,
    path: str,
    layers: Layers | None = None,
    *,
    post_build: PostBuild | None = None,
    decrypt: Callable[[Unstructured], Unstructured] | None = None,
    options: Options | None = None,
    ignores: Ignores | None = None,
) -> list[Rendered]:
    """Build what a Kustomization's `path` describes, as the kustomize controller does.

    `decrypt` is called with each object before its variables are substituted. `ignores` says of a
    path in the tree, and whether it is a folder, that Flux's command line leaves it out. An empty
    folder builds nothing. Raises KustomizeError.
    """
    read = find_or_generate(tree, path, ignores)
    if read is None:
        return []
    layered = layer(read, layers or Layers(), tree)
    rendered = build(tree, path, options=options, read=layered)
    variables = check_names(post_build.variables) if post_build is not None else {}
    runs = post_build is not None and (bool(variables) or post_build.always)
    if decrypt is None and not runs:
        return rendered
    finished = []
    for item in rendered:
        data = item.decode()
        origins = item.provenance
        if decrypt is not None:
            data = decrypt(data)
        if runs and post_build is not None and not _is_disabled(data):
            data, origins = _substituted(data, item, variables, strict=post_build.strict)
        try:
            finished.append(render(data, origins))
        except ValueError as error:
            raise ResourceError(f"{item.id}: {error} after substitution") from None
    return finished


def digest_of(rendered: list[Rendered]) -> str:
    """Return `sha256:<hex>` of the build as one YAML text."""
    return f"sha256:{hashlib.sha256(to_yaml(rendered).encode()).hexdigest()}"


def _is_disabled(data: Unstructured) -> bool:
    metadata = data.get("metadata") or {}
    return any(
        (metadata.get(field) or {}).get(_DISABLED) == "disabled"
        for field in ("labels", "annotations")
    )


def _substituted(
    data: Unstructured, item: Rendered, variables: dict[str, str], *, strict: bool
) -> tuple[Unstructured, Mapping[str, Origin] | None]:
    """Substitute in the object's YAML text and read it again, as YAML 1.1."""
    source = dump(data)
    try:
        result = substitute(source, variables, strict=strict)
        if result == source:
            return data, item.provenance
        changed: Any = load(result, file=str(item.id))
    except SubstitutionError as error:
        raise SubstitutionError(f"{item.id}: {error.problem}") from None
    except YamlError as error:
        raise SubstitutionError(f"{item.id}: not YAML after substitution: {error}") from None
    if not isinstance(changed, dict):
        raise SubstitutionError(f"{item.id}: no object after substitution")
    if item.provenance is None:
        return changed, None
    origins = dict(item.provenance)
    _mark(data, changed, "", origins)
    return changed, origins


def _mark(old: Any, new: Any, pointer: str, origins: dict[str, Origin]) -> None:
    """Say of every value that substitution changed that it did."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in new.items():
            _mark(old.get(key), value, f"{pointer}/{escape(key)}", origins)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            _mark(left, right, f"{pointer}/{index}", origins)
    elif old != new or type(old) is not type(new):
        known = nearest(origins, pointer) or Origin("", 0, 0, "")
        origins[pointer] = known._replace(by="substitution")
