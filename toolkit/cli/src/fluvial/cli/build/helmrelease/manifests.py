"""The objects in files, folders and standard input, each with the place where it stands."""

import base64
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.render.yaml import Document, YamlError, load_documents

__all__ = ["Manifest", "Manifests", "several"]

_ENDINGS: Final = (".yaml", ".yml", ".json")
_LARGEST: Final = 32 << 20
_STANDARD_INPUT: Final = "-"
_CHART: Final = "Chart.yaml"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object, and where it stands: `inside` is its path in a document that lists objects."""

    file: str
    document: Document
    value: Unstructured
    inside: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return split_api_version(str(self.value.get("apiVersion") or ""))[0]

    @property
    def kind(self) -> str:
        """The kind."""
        return str(self.value.get("kind") or "")

    @property
    def name(self) -> str:
        """The name."""
        return str(self._metadata.get("name") or "")

    @property
    def namespace(self) -> str:
        """The namespace; empty for one that is left to whoever applies the object."""
        return str(self._metadata.get("namespace") or "")

    @property
    def _metadata(self) -> Unstructured:
        metadata = self.value.get("metadata")
        return metadata if isinstance(metadata, dict) else {}


class Manifests:
    """The objects of everything that was named, in its order."""

    def __init__(self, found: Iterable[Manifest]) -> None:
        self._found = list(found)

    @classmethod
    def read(cls, places: Sequence[str]) -> Self:
        """Read files, folders and, for `-`, standard input. Raises ReleaseRefused.

        Of a folder all below it is read that ends in .yaml, .yml or .json and is YAML, but nothing
        hidden and no chart. A folder's file that is no YAML is told on standard error. A file that
        is named twice is read once.
        """
        seen: set[Path] = set()
        return cls(one for place in places for one in _read(place, seen))

    def of(self, group: str, kind: str) -> list[Manifest]:
        """Return the objects of a kind, of any version."""
        return [one for one in self._found if (one.group, one.kind) == (group, kind)]

    def find(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return an object by its name; one that says no namespace is in any.

        Raises ReleaseRefused where there are several: which one is meant nobody can tell.
        """
        named = [one for one in self.of(group, kind) if one.name == name]
        found = [one for one in named if one.namespace == namespace]
        found = found or [one for one in named if not one.namespace]
        if len(found) > 1:
            raise ReleaseRefused(several(found, f"{kind} {namespace}/{name}"))
        return found[0] if found else None

    def data(self, kind: str, namespace: str, name: str) -> Unstructured | None:
        """Return a ConfigMap or a Secret as a server has it: what is in stringData is in data.

        Raises ReleaseRefused for one that is encrypted, or holds what is no text.
        """
        found = self.find("", kind, namespace, name)
        if found is None:
            return None
        if "sops" in found.value:
            raise ReleaseRefused(
                f"{kind} '{namespace}/{name}' in {found.file} is encrypted: decrypt it first "
                f"(`sops -d {found.file}`), and name what comes out of it"
            )
        data = _texts(found, "data")
        if kind == "Secret":
            data |= {
                key: base64.b64encode(text.encode()).decode()
                for key, text in _texts(found, "stringData").items()
            }
        return {**found.value, "data": data}


def _texts(manifest: Manifest, field: str) -> dict[str, str]:
    """Return a field of a ConfigMap or Secret, of which a server would refuse another form."""
    data = manifest.value.get(field) or {}
    title = f"{manifest.file}: {manifest.kind} {manifest.name!r}: {field}"
    if not isinstance(data, dict):
        raise ReleaseRefused(f"{title} must be a map of texts")
    for key, text in data.items():
        if not isinstance(text, str):
            raise ReleaseRefused(f"{title}.{key} must be a text: put it into quotes")
    return dict(data)


def several(found: Sequence[Manifest], title: str) -> str:
    """Say of an object that it is there more than once."""
    files = ", ".join(one.file for one in found)
    return (
        f"{title} is there {len(found)} times, in {files}: name only files that go together, such "
        "as the output of `fluvial build kustomize`"
    )


def _read(place: str, seen: set[Path]) -> Iterator[Manifest]:
    """Read what is named, but no file that is in `seen`: a folder may be named beside its files."""
    if place == _STANDARD_INPUT:
        yield from _objects("stdin", sys.stdin.buffer.read(_LARGEST + 1))
        return
    named = Path(place)
    folder = named.is_dir()
    for path in _files(named) if folder else (named,):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            yield from _objects(str(path) if folder else place, _content(path))
        except ReleaseRefused as error:
            if not folder:
                raise
            sys.stderr.write(f'level=WARN msg="left out: {error}"\n')


def _files(folder: Path) -> Iterator[Path]:
    """Go through the manifests of a folder by name, without what is hidden and without charts."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if not (path / _CHART).exists():
                yield from _files(path)
        elif path.suffix in _ENDINGS:
            yield path


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReleaseRefused(f"cannot read {path}: {reason}") from None


def _objects(file: str, content: bytes) -> list[Manifest]:
    if len(content) > _LARGEST:
        raise ReleaseRefused(f"{file} is larger than {_LARGEST} bytes: name a smaller part of it")
    try:
        documents = load_documents(content, file=file, positions=True)
    except YamlError as error:
        # Every line but the first is a quote, perhaps of a Secret.
        problem = str(error).partition("\n")[0]
        raise ReleaseRefused(f"{file} is not YAML: {problem}") from None
    return [one for document in documents for one in _of_document(file, document)]


def _of_document(file: str, document: Document) -> Iterator[Manifest]:
    value = document.value
    if not isinstance(value, dict):
        return
    items = value.get("items")
    if not (value.get("kind") == "List" and isinstance(items, list)):
        yield Manifest(file, document, value)
        return
    for index, item in enumerate(items):
        if isinstance(item, dict):
            yield Manifest(file, document, item, ("items", str(index)))
