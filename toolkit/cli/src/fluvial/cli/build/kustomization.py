"""`fluvial build kustomization NAME` prints what the kustomize controller would apply.

Nothing is read from a cluster: the Kustomization comes out of a file, its source is a folder, and
the ConfigMaps and Secrets of `substituteFrom` are those of the same file.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import API_VERSION, GROUP, Kustomization
from fluvial.cli.build.finishing import MaskingError, finish
from fluvial.cli.build.ignoring import ignores_of
from fluvial.cli.build.variables import VariablesError, load_variables
from fluvial.render.kustomize import DiskTree, KustomizeError
from fluvial.render.kustomize.flux import PostBuild, build_kustomization, layers_of
from fluvial.render.yaml import YamlError, dump, load_all

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]

_NAMESPACE = "flux-system"
_PARTS_OF_A_SOURCE = 3


class _BuildError(Exception):
    """What the user got wrong; the message is for them."""


def add(engines: "Commands") -> None:
    """Add the command."""
    text = "Print the objects that a Kustomization applies, without a cluster."
    parser = engines.add_parser("kustomization", aliases=["ks"], help=text, description=text)
    parser.add_argument("name", metavar="NAME", help="the Kustomization's name")
    parser.add_argument("--path", type=Path, required=True, metavar="DIR", help="folder to build")
    parser.add_argument(
        "--kustomization-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="file with the Kustomization, and the ConfigMaps and Secrets that it substitutes from",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        help="namespace of the Kustomization; without it that is preferred which flux assumes, "
        "flux-system",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="substitute nothing from ConfigMaps and Secrets, not even those of FILE",
    )
    parser.add_argument(
        "--in-memory-build", action="store_true", help="write nothing to disk, as always happens"
    )
    parser.add_argument(
        "--strict-substitute", action="store_true", help="refuse variables that are not set"
    )
    parser.add_argument(
        "--ignore-paths",
        action="append",
        default=[],
        metavar="PATTERNS",
        help="files to leave out, as comma-separated patterns of a .sourceignore in DIR",
    )
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="build the Kustomizations in the output too"
    )
    parser.add_argument(
        "--local-sources",
        action="append",
        default=[],
        metavar="SOURCES",
        help="folders of sources, as comma-separated Kind/namespace/name=DIR",
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    try:
        documents = _documents(parsed.kustomization_file)
        obj = _find(documents, parsed)
        root = _root(parsed.path)
        build = _Build(
            [] if parsed.dry_run else documents,
            patterns="\n".join(",".join(parsed.ignore_paths).split(",")),
            strict=parsed.strict_substitute,
            sources=_sources(parsed.local_sources) if parsed.recursive else None,
        )
        objects = list(build.run(obj, root, parsed.path.resolve()))
    except (_BuildError, KustomizeError, VariablesError, MaskingError) as error:
        sys.stderr.write(f"fluvial build kustomization: {error}\n")
        return 1
    sys.stdout.writelines(f"{dump(one)}---\n" for one in objects)
    return 0


class _Build:
    """One call of the command; `sources` None leaves the Kustomizations in the output alone."""

    def __init__(
        self,
        documents: list[Unstructured],
        *,
        patterns: str,
        strict: bool,
        sources: dict[str, Path] | None,
    ) -> None:
        self._documents = documents
        self._patterns = patterns
        self._strict = strict
        self._sources = sources
        self._seen: set[tuple[str, str]] = set()

    def run(self, obj: Kustomization, root: Path, folder: Path) -> Iterator[Unstructured]:
        """Build one, and those in its output after it, each once."""
        self._seen.add((obj.metadata.namespace, obj.metadata.name))
        tree = DiskTree(root)
        path = folder.relative_to(root).as_posix()
        variables = load_variables(obj, self._documents)
        rendered = build_kustomization(
            tree,
            path,
            layers_of(obj.spec),
            ignores=ignores_of(tree, path, self._patterns),
            post_build=None
            if variables is None
            else PostBuild(variables=variables, always=True, strict=self._strict),
        )
        nested = []
        for item in rendered:
            data = finish(item.decode(), obj)
            yield data
            if str(data.get("apiVersion")).startswith(f"{GROUP}/"):
                nested.append(data)
        for data in nested if self._sources is not None else ():
            yield from self._nested(_convert(data), self._sources or {})

    def _nested(self, obj: Kustomization, sources: dict[str, Path]) -> Iterator[Unstructured]:
        if (obj.metadata.namespace, obj.metadata.name) in self._seen:
            return
        reference = obj.spec.source_ref
        source = (
            f"{reference.kind}/{reference.namespace or obj.metadata.namespace}/{reference.name}"
        )
        if source not in sources:
            raise _BuildError(
                f"Kustomization {obj.metadata.namespace}/{obj.metadata.name}: no folder for its "
                f"source: add --local-sources {source}=DIR"
            )
        root = sources[source]
        folder = (root / obj.spec.path.lstrip("/")).resolve()
        if not folder.is_relative_to(root):
            raise _BuildError(f"path {obj.spec.path!r} of {obj.metadata.name} leaves its source")
        yield from self.run(obj, root, folder)


def _documents(file: Path) -> list[Unstructured]:
    try:
        found = load_all(file.read_text(), file=str(file))
    except OSError as error:
        raise _BuildError(f"cannot read {file}: {error.strerror}") from None
    except (YamlError, UnicodeDecodeError) as error:
        raise _BuildError(f"{file} is not YAML: {error}") from None
    return [document for document in found if isinstance(document, dict)]


def _find(documents: list[Unstructured], parsed: argparse.Namespace) -> Kustomization:
    """Pick the Kustomization that the command names; one without a namespace is in any."""
    found: dict[str, Unstructured] = {}
    for document in documents:
        metadata = document.get("metadata") or {}
        if (
            document.get("kind") == "Kustomization"
            and str(document.get("apiVersion")).startswith(f"{GROUP}/")
            and metadata.get("name") == parsed.name
        ):
            found.setdefault(metadata.get("namespace") or "", document)
    fitting = [name for name in found if name in {"", parsed.namespace or _NAMESPACE}]
    for name in fitting or ([] if parsed.namespace else list(found)):
        return _convert(found[name])
    place = f" in namespace {parsed.namespace!r}" if parsed.namespace else ""
    raise _BuildError(
        f"{parsed.kustomization_file} has no Kustomization {parsed.name!r}{place} of {GROUP}"
    )


def _convert(document: Unstructured) -> Kustomization:
    try:
        return msgspec.convert({**document, "apiVersion": API_VERSION}, Kustomization)
    except msgspec.ValidationError as error:
        name = (document.get("metadata") or {}).get("name")
        raise _BuildError(f"Kustomization {name!r}: {error}") from None


def _root(path: Path) -> Path:
    """Return what the source would hold: the repository around the folder, or the folder."""
    folder = path.resolve()
    if not folder.is_dir():
        raise _BuildError(f"--path {path} is not a folder")
    found = (each for each in (folder, *folder.parents) if (each / ".git").exists())
    return next(found, folder)


def _sources(entries: list[str]) -> dict[str, Path]:
    sources = {}
    for entry in ",".join(entries).split(",") if entries else ():
        source, equals, folder = entry.strip().partition("=")
        if not equals or len(source.split("/")) != _PARTS_OF_A_SOURCE:
            raise _BuildError(f"--local-sources {entry!r} must be Kind/namespace/name=DIR")
        sources[source] = Path(folder).resolve()
    return sources
