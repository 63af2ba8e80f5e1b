"""From bytes to resources: documents split, lists expanded, identities checked."""

import re
from array import array
from typing import Any

from fluvial.render.kustomize._blanks import locate, resolve
from fluvial.render.kustomize._cache import PARSED, Parsed, ParsedFile, digest_of_text
from fluvial.render.kustomize._errors import ResourceError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._ledger import Ledger, Read
from fluvial.render.kustomize._resource import Resource
from fluvial.render.kustomize._styles import styles_kept
from fluvial.render.yaml import (
    Dialect,
    Document,
    YamlError,
    load_documents,
    pointers,
    size_of,
)

__all__ = ["parse_resources"]

_ODD = re.compile(r"^(?:\ufeff|%|\.\.\.|---(?![ \t]*(?:#.*)?\r?$))", re.MULTILINE)
_END = re.compile(r"^(?=\.\.\.(?:\s|$))", re.MULTILINE)
_MORE = "did not find expected <document start>"
_CUT = re.compile(r"\n---.*\n")


def parse_resources(
    content: bytes | str,
    file: str,
    *,
    provenance: bool = False,
    by: str = "resource",
    nulls: bool = False,
) -> list[Resource]:
    """Read the resources of a file, in order; the items of lists come behind all others.

    A text that was read before, in this process, is not parsed again. `by` is what provenance says
    of the values; `nulls` leaves the nulls of annotations, for a patch in which they delete. Raises
    YamlError for what is no YAML, and ResourceError for documents without kind or metadata.name.
    """
    key = digest_of_text(content, f"{nulls}{styles_kept()}{provenance}")
    kept = PARSED.get(key, ParsedFile)
    if kept is not None:
        return [_restore(document, file, by) for document in kept.documents]
    found = _parse(content, file, provenance=provenance, nulls=nulls)
    documents = tuple(
        Parsed.of(
            one.data,
            None if places is None else array("Q", places).tobytes(),
            locate(one.data, one.blanks),
            written=one.written,
        )
        for one, places in found
    )
    PARSED.keep(key, ParsedFile(documents))
    for document, (one, _) in zip(documents, found, strict=True):
        one.ledger = Ledger(Read(document, file, by)) if provenance else None
    return [one for one, _ in found]


def _restore(document: Parsed, file: str, by: str) -> Resource:
    resource = Resource(document.decode(), file)
    resource.blanks = resolve(resource.data, document.blanks)
    resource.written = bool(document.written)
    if document.places is not None:
        resource.ledger = Ledger(Read(document, file, by))
    return resource


def _parse(
    content: bytes | str, file: str, *, provenance: bool, nulls: bool
) -> list[tuple[Resource, list[int] | None]]:
    """Read the resources of a file, each with the places of its values."""
    documents, source = _documents(content, file, positions=provenance)
    waiting: list[tuple[Document, Any, str]] = [(one, one.value, "") for one in documents]
    found = []
    starts: dict[int, dict[str, int]] = {}
    while waiting:
        document, value, base = waiting.pop(0)
        if value in (None, {}, []):
            continue
        line = document.line
        if not isinstance(value, dict):
            raise ResourceError("a resource must be a map", file=file, line=line, text=source)
        kind = _check(value, file, line, source)
        _keep_annotation_texts(value, source, file, line, base, nulls=nulls)
        if kind.endswith("List") and "items" in value:
            items = value["items"]
            if items is None:
                continue
            if not isinstance(items, list):
                raise ResourceError(f"expected a list in {kind}/items", file=file, line=line)
            waiting += [
                (document, item, f"{base}/items/{index}") for index, item in enumerate(items)
            ]
            continue
        resource = Resource(value, file)
        resource.blanks = document.blanks
        resource.written = document.written
        found.append((resource, _places(document, value, base, starts)))
    return found


def _places(
    document: Document, value: Any, base: str, starts: dict[int, dict[str, int]]
) -> list[int] | None:
    """Return the places of the values below `base`; `starts` keeps their numbers, by document."""
    if document.places is None or not base:
        return document.places
    known = starts.get(id(document))
    if known is None:
        known = {pointer: at for at, pointer in enumerate(pointers(document.value))}
        starts[id(document)] = known
    return document.places[known[base] : known[base] + size_of(value)]


def _documents(
    content: bytes | str,
    file: str,
    *,
    positions: bool = False,
    dialect: Dialect = Dialect.KYAML,
) -> tuple[list[Document], str]:
    """Read the documents of a file, and return its text with them.

    Upstream cuts the text at lines that start with `---` and reads the first document of each
    piece. That is the same as reading the whole unless a piece has a byte order mark, a directive
    or an end marker of its own, something stands behind a document in braces, or a cutting line
    says more than a comment.
    """
    source = content if isinstance(content, str) else content.decode("utf-8", "replace")
    written = "styles" if styles_kept() else "odd"
    options: Any = {"file": file, "dialect": dialect, "positions": positions, "written": written}
    if dialect is Dialect.TEXT:
        options["written"] = None
    odd = source.startswith("%") or _ODD.search(source, 1)
    if not odd or (isinstance(content, bytes) and "\ufffd" in source):
        try:
            return load_documents(content, **options), source
        except YamlError as error:
            if _MORE not in error.problem or "\ufffd" in source:
                raise
    source = source.replace("\r\n", "\n")
    documents = []
    start = line = 0
    cuts = [(match.span(), match[0]) for match in _CUT.finditer(source)]
    for (end, following), marker in [*cuts, ((len(source), 0), "")]:
        if marker[4:].strip()[:1] not in {"", "#"}:
            line = source.count("\n", 0, end) + 2
            problem = f"invalid document separator: {marker.strip()}"
            raise ResourceError(problem, file=file, line=line, text=source)
        piece = _END.split(source[start:end].removeprefix("\ufeff"), maxsplit=1)[0]
        padded = "\n" * line + piece + "\n" * bool(marker)
        documents += load_documents(padded, **options, first=True)
        line += source.count("\n", start, following)
        start = following
    return documents, source


def _check(value: dict[str, Any], file: str, line: int, source: str) -> str:
    """Return the kind. Raises ResourceError for a missing identity."""
    kind = text(value.get("kind") or "")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    missing = "kind" if not kind else ""
    if kind and not kind.endswith("List") and name in (None, ""):
        missing = "metadata.name"
    if missing:
        what = f" of the {kind}" if kind else ""
        raise ResourceError(f"missing {missing}{what}", file=file, line=line, text=source)
    return kind


def _keep_annotation_texts(
    value: dict[str, Any], source: str, file: str, line: int, base: str, *, nulls: bool
) -> None:
    """Turn annotations that are null into the text that stands in the file, unless `nulls` stay.

    Upstream rewrites this map as strings at the end of every build, from the source's text.
    """
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if nulls or not isinstance(annotations, dict) or None not in annotations.values():
        return
    documents, _ = _documents(source, file, dialect=Dialect.TEXT)
    texts: Any = next(document.value for document in documents if document.line == line)
    for part in base.split("/")[1:]:
        texts = texts[int(part)] if isinstance(texts, list) else texts[part]
    written = texts["metadata"]["annotations"]
    for key, item in annotations.items():
        if item is None and key in written:
            annotations[key] = written[key]
