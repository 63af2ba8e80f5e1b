"""The mark that a document carries through post-renderers: an annotation with its template's path.

It is written into the text, so that everything else of a document stays as the template printed it:
kustomize tells a key without a value from one that is null, and a number's spelling from its value.
"""

import re
from typing import Final

from fluvial.apis.ids import Unstructured
from fluvial.render.helm._errors import ManifestError
from fluvial.render.kustomize import KustomizeError, MemoryTree, build
from fluvial.render.pointers import escape
from fluvial.render.yaml import Position, YamlError, dump, load, load_documents

__all__ = ["generated", "marked", "template_of", "unmarked"]

_PLACE: Final = "postrenderer.helm.sh/postrender-filename"
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_UNSURE: Final = re.compile(r"[&*!?|>\"'\[]")


def marked(text: str, path: str) -> list[str]:
    """Return the documents that a text holds, each with the mark; a list is taken apart.

    Raises ManifestError for what kustomize does not take for an object.
    """
    try:
        value = load(text, file=path)
        if value is None:
            return []  # nothing but comments
        if isinstance(value, dict) and generated(value):
            return [dump(_with_mark(value, path))]
        if isinstance(value, dict) and not str(value.get("kind")).endswith("List"):
            written = _inserted(text, value, path)
            if written is not None and load(written, file=path) == _with_mark(value, path):
                return [written]
        return [dump(_with_mark(obj, path)) for obj in _objects(text, path)]
    except YamlError as error:
        problem = f"parsing {path}: {error.problem}"
        raise ManifestError(problem, file=path, line=error.line) from None


def _objects(text: str, path: str) -> list[Unstructured]:
    tree = MemoryTree({"kustomization.yaml": dump({"resources": [path]}), path: text})
    try:
        return [one.decode() for one in build(tree)]
    except KustomizeError as error:
        # Every other line of the message quotes the document, which may be a Secret.
        problem = f"parsing {path}: {str(error).partition(chr(10))[0]}"
        raise ManifestError(problem, file=path) from None


def _with_mark(obj: Unstructured, path: str) -> Unstructured:
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    annotations = metadata.get("annotations")
    annotations = annotations if isinstance(annotations, dict) else {}
    return {**obj, "metadata": {**metadata, "annotations": {**annotations, _PLACE: path}}}


def _inserted(text: str, value: Unstructured, path: str) -> str | None:
    """Write the mark into a document; None where its layout is not one of the usual ones."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not metadata:
        return None
    places = load_documents(text, file=path, positions=True)[0].positions or {}
    marks = {name: Position(at.line - 1, at.column - 1) for name, at in places.items()}
    lines = text.splitlines(keepends=True)
    entry = f"{_PLACE}: {dump(path).strip()}"
    annotations = metadata.get("annotations")
    if "annotations" not in metadata:
        return _put(lines, marks, ("/metadata", metadata), entry, key="annotations:")
    if isinstance(annotations, dict) and annotations:
        return _put(lines, marks, ("/metadata/annotations", annotations), entry)
    return _filled(lines, marks["/metadata/annotations"], entry)


def _places(text: str, path: str) -> dict[str, Position]:
    """Return where each value of a document stands, or its key in a mapping; counted from 0."""
    found = load_documents(text, file=path, positions=True)[0].positions or {}
    return {pointer: Position(at.line - 1, at.column - 1) for pointer, at in found.items()}


def _put(
    lines: list[str],
    marks: dict[str, Position],
    mapping: tuple[str, Unstructured],
    entry: str,
    *,
    key: str = "",
) -> str | None:
    """Write an entry before the first of a mapping, of which the pointer and value are given.

    Where a key is given the entry stands below that.
    """
    holder, value = mapping
    above = marks.get(holder)
    first = min(
        (mark for name in value if (mark := marks.get(f"{holder}/{escape(name)}"))),
        key=lambda mark: (mark.line, mark.column),
        default=None,
    )
    if above is None or first is None or first.line < above.line:
        return None
    between = _between(lines, above, first)
    if _UNSURE.search(between):
        return None
    line = lines[first.line]
    before, after = line[: first.column], line[first.column :]
    if "{" in between:
        shown = f"{key} {{{entry}}}" if key else entry
        lines[first.line] = f"{before}{shown}, {after}"
    elif before.strip():
        return None
    elif key:
        lines[first.line] = f"{before}{key}\n{before}  {entry}\n{line}"
    else:
        lines[first.line] = f"{before}{entry}\n{line}"
    return "".join(lines)


def _filled(lines: list[str], at: Position, entry: str) -> str | None:
    """Give a mapping of annotations that is empty its entry."""
    line = lines[at.line]
    before, after = line[: at.column], line[at.column :]
    if before.strip():
        return None
    match _COMMENT.sub("", after).split():
        case ["annotations:"]:
            lines[at.line] = f"{before}annotations:\n{before}  {entry}\n"
        case ["annotations:", "{}" | "null" | "~"]:
            lines[at.line] = f"{before}annotations: {{{entry}}}\n"
        case _:
            return None
    return "".join(lines)


def _between(lines: list[str], above: Position, first: Position) -> str:
    """Return what stands between a key and the first entry of its mapping, without comments."""
    if above.line == first.line:
        line = lines[above.line]
        return line[above.column : first.column]
    parts = [lines[above.line][above.column :], *lines[above.line + 1 : first.line]]
    shown = [_COMMENT.sub("", part) for part in parts]
    return "".join([*shown, lines[first.line][: first.column]])


def generated(obj: Unstructured) -> bool:
    """Say whether the server will name the object: kustomize does not know such objects."""
    metadata = obj.get("metadata")
    return (
        isinstance(metadata, dict)
        and bool(metadata.get("generateName"))
        and not metadata.get("name")
        and bool(obj.get("kind"))
    )


def template_of(obj: Unstructured) -> str:
    """Return the path of the template that printed an object, while a post-renderer has it."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return str(annotations.get(_PLACE) or "") if isinstance(annotations, dict) else ""


def unmarked(obj: Unstructured) -> Unstructured:
    """Return an object without the mark, and without annotations when it was the only one."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(annotations, dict):
        return obj
    kept = {key: text for key, text in annotations.items() if key != _PLACE}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**obj, "metadata": {**rest, "annotations": kept} if kept else rest}
