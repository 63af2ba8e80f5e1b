"""ValueAddTransformer: one text put into fields, or into the file paths that they hold."""

import posixpath
from typing import Any

import msgspec

from fluvial.render.kustomize._decode import decode, load_config
from fluvial.render.kustomize._errors import KustomizationError, TransformError
from fluvial.render.kustomize._fieldspec import Plan
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._metadata import move
from fluvial.render.kustomize._model import Selector
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._selectors import select
from fluvial.render.objects import Origin
from fluvial.render.pointers import escape
from fluvial.render.yaml import Dialect, resolve

__all__ = ["add_value"]


class _Target(msgspec.Struct):
    selector: Selector | None = None
    fieldPath: str = ""  # noqa: N815 -- the file format's name
    filePathPosition: int = 0  # noqa: N815 -- as above


class _Targets(msgspec.Struct):
    targets: list[_Target] = []


class _ValueAdd(_Targets):
    value: str = ""
    targetFilePath: str = ""  # noqa: N815 -- as above


def add_value(config: Resource, resources: Resources, loader: Loader, by: Origin | None) -> None:
    """Run the configuration of a ValueAddTransformer.

    Without a value it is the name of the kustomization's folder. Raises KustomizationError for a
    configuration, and TransformError for a field, that does not fit.
    """
    body = decode(config.data, _ValueAdd, file=config.file, content="", lenient=True)
    targets = list(body.targets)
    if body.targetFilePath:
        content, file = loader.read(body.targetFilePath), loader.resolve(body.targetFilePath)
        targets += load_config(content, _Targets, file=file, lenient=True).targets
    value = body.value.strip() or posixpath.basename(loader.folder)
    problem = "" if targets else "must specify at least one target"
    if any(not target.fieldPath for target in targets):
        problem = "targets: fieldPath cannot be empty"
    elif any(target.filePathPosition < 0 for target in targets):
        problem = "targets: filePathPosition cannot be negative"
    elif not value:
        problem = "value: must be given, because the root's folder has no name here"
    if problem:
        raise KustomizationError(f"ValueAddTransformer: {problem}", file=config.file)
    nowhere = Plan([])
    for target in targets:
        chosen = list(resources) if target.selector is None else select(resources, target.selector)
        for resource in chosen:
            if target.fieldPath == "metadata/namespace":
                move(resource, value, by, plan=nowhere)
            else:
                _set(resource, target, value, by)
    resources.touch()


def _set(resource: Resource, target: _Target, value: str, by: Origin | None) -> None:
    try:
        found = _reach(resource.data, _split(target.fieldPath))
    except TransformError as error:
        raise TransformError(f"{resource.id}: {target.fieldPath}: {error.problem}") from None
    if found is None:
        return
    node, key, pointer = found
    old = node[key]
    if isinstance(old, dict | list):
        raise TransformError(f"{resource.id}: {pointer} holds no scalar")
    if target.filePathPosition > 0:
        value = _insert("" if old is None else text(old), target.filePathPosition - 1, value)
    # Upstream sets a scalar without a type, so a text that looks like a number becomes one.
    node[key] = resolve(value, Dialect.KYAML)
    resource.note(pointer, by)


def _split(path: str) -> list[str]:
    """Split at slashes; a backslash before one keeps it."""
    parts: list[str] = []
    for part in path.split("/"):
        if parts and parts[-1].endswith("\\"):
            parts[-1] = f"{parts[-1][:-1]}/{part}"
        else:
            parts.append(part)
    return [part for part in parts if part]


def _reach(root: dict[str, Any], parts: list[str]) -> tuple[Any, Any, str] | None:
    """Return the container of a path's value, its key there and its pointer; makes what lacks.

    None for an index beyond its list.
    """
    node: Any = [root]
    key: Any = 0
    pointer = ""
    for index, part in enumerate(parts):
        following = parts[index + 1] if index + 1 < len(parts) else None
        inner = node[key]
        if part.isdigit() or part == "-":
            key = _position(inner, part)
            if key is None:
                return None
        elif part.startswith("[") and part.endswith("]"):
            key = _element(inner, part)
        elif isinstance(inner, dict):
            if inner.get(part) is None:
                inner[part] = _empty(following)
            key = part
        else:
            raise TransformError(f"wrong node kind: expected a map before {part!r}")
        node = inner
        pointer = f"{pointer}/{escape(str(key))}"
    return node, key, pointer


def _empty(following: str | None) -> Any:
    if following is None:
        return None
    return [] if following.isdigit() or following.startswith("[") else {}


def _position(items: Any, part: str) -> int | None:
    if not isinstance(items, list):
        raise TransformError(f"wrong node kind: expected a list before {part!r}")
    position = len(items) - 1 if part == "-" else int(part)
    return position if 0 <= position < len(items) else None


def _element(items: Any, part: str) -> int:
    """Return the place of the element `[name=value]`, which is added when there is none."""
    if not isinstance(items, list):
        raise TransformError(f"wrong node kind: expected a list before {part!r}")
    name, _, wanted = part[1:-1].partition("=")
    for index, item in enumerate(items):
        found = item.get(name) if isinstance(item, dict) else item if not name else None
        if found is not None and text(found) == wanted:
            return index
    items.append({name: wanted} if name else wanted)
    return len(items) - 1


def _insert(path: str, position: int, part: str) -> str:
    """Insert a part of a file path; an absolute path stays one, and a place too far is the end."""
    parts = [one for one in path.split("/") if one]
    parts.insert(position, part)
    return posixpath.join("/" if path.startswith("/") else "", posixpath.normpath("/".join(parts)))
