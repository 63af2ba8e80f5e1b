"""From bytes to resources: documents split, lists expanded, identities checked."""

import re
from functools import partial
from typing import Any

from fluvial.render.kustomize._blanks import locate, resolve
from fluvial.render.kustomize._cache import PARSED, Parsed, digest_of_text
from fluvial.render.kustomize._errors import ResourceError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._resource import Resource
from fluvial.render.objects import Origin
from fluvial.render.yaml import Dialect, Document, load_documents

__all__ = ["parse_resources"]

_origin = partial(tuple.__new__, Origin)  # half the time of calling the class, and often called
_ODD = re.compile(r"^(?:\ufeff|%|\.\.\.|---(?![ \t]*(?:#.*)?\r?$))", re.MULTILINE)
_END = re.compile(r"^(?=\.\.\.(?:\s|$))", re.MULTILINE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
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
    key = digest_of_text(content, f"{nulls}", *((file, by) if provenance else ()))
    kept = PARSED.get(key)
    if kept is not None:
        return [_restore(document, file) for document in kept]
    found = _parse(content, file, provenance=provenance, by=by, nulls=nulls)
    PARSED.keep(
        key,
        tuple(Parsed.of(one.data, one.origins, locate(one.data, one.blanks)) for one in found),
    )
    return found


def _restore(document: Parsed, file: str) -> Resource:
    resource = Resource(document.decode(), file)
    resource.blanks = resolve(resource.data, document.blanks)
    if document.origins is not None:
        resource.origins = dict(document.origins)
    return resource


def _parse(
    content: bytes | str, file: str, *, provenance: bool, by: str, nulls: bool
) -> list[Resource]:
    documents, source = _documents(content, file, positions=provenance)
    waiting: list[tuple[Document, Any, str]] = [(one, one.value, "") for one in documents]
    found = []
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
        if provenance and document.marks is not None:
            resource.origins = {
                pointer[len(base) :]: _origin((file, mark.line + 1, mark.column + 1, by))
                for pointer, mark in document.marks.items()
                if not base or pointer == base or pointer.startswith(f"{base}/")
            }
        found.append(resource)
    return found


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
    or an end marker of its own, or a cutting line says more than a comment.
    """
    source = content if isinstance(content, str) else content.decode("utf-8", "replace")
    options: Any = {"file": file, "dialect": dialect, "positions": positions}
    odd = source.startswith("%") or _ODD.search(source, 1)
    if not odd or (isinstance(content, bytes) and "\ufffd" in source):
        return load_documents(content, **options), source
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
        documents += load_documents("\n" * line + piece + "\n" * bool(marker), **options)[:1]
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
    """Turn annotations that are no strings into the text that stands in the file.

    Upstream rewrites this map as strings at the end of every build, from the source's text. With
    `nulls` those stay.
    """
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or all(
        isinstance(item, str) and not _MOMENT.match(item) for item in annotations.values()
    ):
        return
    documents, _ = _documents(source, file, dialect=Dialect.TEXT)
    texts: Any = next(document.value for document in documents if document.line == line)
    for part in base.split("/")[1:]:
        texts = texts[int(part)] if isinstance(texts, list) else texts[part]
    written = texts["metadata"]["annotations"]
    for key, item in annotations.items():
        if nulls and item is None:
            continue
        if key in written and (not isinstance(item, str) or _MOMENT.match(item)):
            annotations[key] = written[key]
