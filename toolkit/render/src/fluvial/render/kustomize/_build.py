"""A whole build: accumulate, then once at the top fix names, sort and clean up."""

import re
from typing import Any

import msgspec

from fluvial.apis.ids import ObjectId
from fluvial.render.kustomize._accumulate import Accumulator, accumulate
from fluvial.render.kustomize._blanks import fill
from fluvial.render.kustomize._cache import PARSED, PrintedText, digest_of_text
from fluvial.render.kustomize._collector import paused
from fluvial.render.kustomize._config import default_config
from fluvial.render.kustomize._errors import KustomizeError, ResourceError
from fluvial.render.kustomize._fieldspec import FieldSpec
from fluvial.render.kustomize._generators import NEEDS_HASH, append_hash
from fluvial.render.kustomize._ids import Gvk, text
from fluvial.render.kustomize._keys import check_keys
from fluvial.render.kustomize._kfile import Read
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._metadata import HELM_GENERATED, set_entries
from fluvial.render.kustomize._model import Kustomization, SortOptions
from fluvial.render.kustomize._order import sort
from fluvial.render.kustomize._references import fix_references
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._schema import choosing
from fluvial.render.kustomize._styles import StylesNeededError, keeping_styles
from fluvial.render.kustomize._vars import resolve_variables
from fluvial.render.kustomize.tree import Tree, join
from fluvial.render.objects import LateOrigins, Rendered, freeze
from fluvial.render.yaml import DeeperError, YamlError, asking_for_depth, deeply, dump, meaning

__all__ = ["Options", "build", "to_yaml"]

_LOCAL = "config.kubernetes.io/local-config"
_ORIGIN = "config.kubernetes.io/origin"
_TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations"
_INTERNAL = "internal.config.kubernetes.io/"
_BOOKKEEPING = {
    "config.k8s.io/id",
    "config.kubernetes.io/index",
    "config.kubernetes.io/path",
    HELM_GENERATED,
    NEEDS_HASH,
    *(
        f"{_INTERNAL}{name}"
        for name in (
            "allowKindChange",
            "allowNameChange",
            "annotations-migration-resource-id",
            "generatorBehavior",
            "id",
            "index",
            "path",
            "prefixes",
            "previousKinds",
            "previousNames",
            "previousNamespaces",
            "refBy",
            "seqindent",
            "suffixes",
        )
    ),
}
"""Upstream keeps its books in these annotations, so files that have them lose them."""
_MANAGED_BY = "app.kubernetes.io/managed-by"
_VERSION = "kustomize-v5.8.1"
_NEL = b"\xc2\x85"
_NEXT_LINES = re.compile(rb" *\xc2\x85(?: *\xc2\x85)* *")
_CONTROL = re.compile(rb"\x7f|\xc2[\x80-\x84\x86-\x9f]|\xef\xbf[\xbe\xbf]")


class Options(msgspec.Struct, frozen=True):
    """How to build. The defaults are the kustomize controller's.

    `order` is what applies when the file has no sortOptions: `fifo`, or the command line's
    `legacy`. `confined` limits files to the folder of the kustomization that names them, as the
    command line does. `provenance` asks for the origin of every value. `helm` inflates charts, as
    kubectl does with `--enable-helm`; without it they are refused. `deep` reads what is nested up
    to 10,000 levels, which takes time and memory by their square; otherwise 200 levels are read.
    """

    order: str = "fifo"
    confined: bool = False
    provenance: bool = False
    helm: bool = False
    deep: bool = False


def build(
    tree: Tree, path: str = "", *, options: Options | None = None, read: Read | None = None
) -> list[Rendered]:
    """Build the kustomization in the folder `path` of `tree`.

    Pure: nothing is fetched, run or written. `read` is the folder's kustomization file when the
    caller has read, and perhaps changed, it already. Raises KustomizeError, whose message quotes
    the file and line.
    """
    options = options or Options()
    loader = Loader(tree, join("", path), confined=options.confined, helm=options.helm)

    def attempt() -> list[Rendered]:
        try:
            return _build(loader, options, read)
        except StylesNeededError:
            with keeping_styles():
                return _build(loader, options, read)

    with paused():
        if not options.deep:
            return attempt()
        try:
            with asking_for_depth():
                return attempt()
        except (DeeperError, RecursionError):
            return deeply(attempt)


def _build(loader: Loader, options: Options, read: Read | None) -> list[Rendered]:
    with choosing():
        try:
            accumulated, file = accumulate(loader, provenance=options.provenance, read=read)
            resources = _finish(accumulated, file, options)
        except YamlError as error:
            raise KustomizeError(str(error)) from None
        return [_render(resource) for resource in resources]


def to_yaml(rendered: list[Rendered]) -> str:
    """Print a build as kustomize does; the digest of this text is what histories record."""
    return "---\n".join(_print(item) for item in rendered)


def _print(item: Rendered) -> str:
    """Print an object, unless it was printed before."""
    key = digest_of_text(item.digest, "printed")
    kept = PARSED.get(key, PrintedText)
    if kept is None:
        try:
            kept = PrintedText(dump(item.decode()))
        except RecursionError:
            kept = PrintedText(deeply(lambda: dump(item.decode())))
        PARSED.keep(key, kept)
    return kept.text


def _finish(accumulated: Accumulator, file: Kustomization, options: Options) -> Resources:
    resources = accumulated.resources
    for resource in resources:
        append_hash(resource)
    resources.touch()
    config = accumulated.config or default_config()
    fix_references(resources, config.references)
    resolve_variables(resources, accumulated.variables, config.specs["varReference"])
    kept = [resource for resource in resources if not _is_local(resource)]
    if len(kept) != len(resources):
        resources.replace_all(kept)
    if len(resources.index()) != len(kept):
        Resources(kept)  # raises: a hash or a patch has given one the identity of another
    sort(resources, file.sortOptions or SortOptions(order=options.order))
    if "managedByLabel" in file.buildMetadata:
        spec = FieldSpec(Gvk(), "metadata/labels", create=True)
        set_entries(resources, {_MANAGED_BY: _VERSION}, [spec], None)
    for resource in resources:
        _annotate(resource, file.buildMetadata)
    return resources


def _is_local(resource: Resource) -> bool:
    return resource.strings("annotations").get(_LOCAL, "false") != "false"


def _annotate(resource: Resource, metadata: list[str]) -> None:
    """Write the annotations that buildMetadata asks for, and take out what it does not."""
    found: Any = resource.metadata.get("annotations")
    annotations: dict[str, Any] = found if isinstance(found, dict) else {}
    wanted: dict[str, Any] = {_ORIGIN: None, _TRANSFORMATIONS: None}
    if "originAnnotations" in metadata:
        wanted[_ORIGIN] = resource.origin
    if "transformerAnnotations" in metadata:
        wanted[_TRANSFORMATIONS] = resource.transformations
    for key, value in wanted.items():
        if value:
            annotations[key] = dump(value, sort_keys=False)
        else:
            annotations.pop(key, None)
    for key in _BOOKKEEPING.intersection(annotations):
        del annotations[key]
    check_keys(annotations, f"annotations of {resource}")
    for key, value in annotations.items():
        if type(value) is not str:
            annotations[key] = text(value)
    if annotations:
        resource.data["metadata"]["annotations"] = annotations
    elif found is None or isinstance(found, dict):
        # Upstream's bookkeeping lives in this map, and an empty map goes when it is taken out.
        resource.metadata.pop("annotations", None)


def _render(resource: Resource) -> Rendered:
    """Freeze a resource; upstream prints those too of which the identity has gaps."""
    fill(resource.blanks)
    resource.data.setdefault("metadata", {})  # a List without items may come without
    data = msgspec.json.encode(resource.data, enc_hook=meaning)
    if not data.isascii() or b"\x7f" in data:
        data = _printed(data, resource)
    group, version, kind = resource.gvk
    identity = ObjectId(group, kind, resource.namespace, resource.name)
    origins = None if resource.ledger is None else LateOrigins(resource.ledger.table)
    return freeze(data, identity, version, origins)


def _printed(data: bytes, resource: Resource) -> bytes:
    """Do to a text what upstream's printing does, which reads the JSON as YAML once more.

    A next-line sign (U+0085) folds like a line break; other control signs are errors.
    """
    if _CONTROL.search(data):
        raise ResourceError(
            f"{resource.id}: control characters are not allowed", file=resource.file
        )
    return _NEXT_LINES.sub(lambda match: b"\\n" * (match[0].count(_NEL) - 1) or b" ", data)
