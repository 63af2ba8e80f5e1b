"""From bytes to resources: documents split, lists expanded, identities checked."""

from typing import Any

from fluvial.render.kustomize._errors import ResourceError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._resource import Resource
from fluvial.render.objects import Origin
from fluvial.render.yaml import Dialect, Document, load_documents

__all__ = ["parse_resources"]


def parse_resources(
    content: bytes | str, file: str, *, provenance: bool = False, by: str = "resource"
) -> list[Resource]:
    """Read the resources of a file, in order; the items of lists come behind all others.

    `by` is what provenance says of the values. Raises YamlError for what is no YAML, and
    ResourceError for documents without kind or metadata.name.
    """
    documents = load_documents(content, file=file, dialect=Dialect.KYAML, positions=provenance)
    source = content if isinstance(content, str) else content.decode("utf-8", "replace")
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
        _keep_annotation_texts(value, source, file, line, base)
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
        if provenance and document.positions is not None:
            resource.origins = {
                pointer[len(base) :]: Origin(file, place.line, place.column, by)
                for pointer, place in document.positions.items()
                if pointer == base or pointer.startswith(f"{base}/")
            }
        found.append(resource)
    return found


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
    value: dict[str, Any], source: str, file: str, line: int, base: str
) -> None:
    """Turn annotations that are no strings into the text that stands in the file.

    Upstream rewrites this map as strings at the end of every build, from the source's text.
    """
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or all(
        isinstance(item, str) for item in annotations.values()
    ):
        return
    documents = load_documents(source, file=file, dialect=Dialect.TEXT)
    texts: Any = next(document.value for document in documents if document.line == line)
    for part in base.split("/")[1:]:
        texts = texts[int(part)] if isinstance(texts, list) else texts[part]
    for key, item in annotations.items():
        if not isinstance(item, str):
            annotations[key] = texts["metadata"]["annotations"][key]
