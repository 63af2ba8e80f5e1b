"""Field specs: which fields of which kinds a transformer touches, and the walk to them."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._resource import Resource

__all__ = ["FieldSpec", "Setter", "apply_spec", "escape", "merge_specs", "split_path"]

Setter = Callable[[Any, Any, str], None]
"""Called with the container, the key or index in it, and the pointer of the value."""


class FieldSpec(NamedTuple):
    """A path in the objects of a kind; `create` makes the missing parts of it."""

    gvk: Gvk
    path: str
    create: bool = False


def merge_specs(first: Iterable[FieldSpec], more: Iterable[FieldSpec]) -> list[FieldSpec]:
    """Append what is new. Raises TransformError when only `create` differs."""
    merged = list(first)
    for spec in more:
        for known in merged:
            if known.path == spec.path and spec.gvk.selects(known.gvk):
                if known.create != spec.create:
                    raise TransformError(
                        f"conflicting fieldspecs for {spec.path}: create is {known.create} in one "
                        f"and {spec.create} in the other"
                    )
                break
        else:
            merged.append(spec)
    return merged


@lru_cache(maxsize=4096)
def split_path(path: str) -> tuple[str, ...]:
    r"""Split at slashes; `\/` stands for a slash inside a part."""
    parts = path.split("/")
    if len(parts) > 1 and not parts[0]:
        parts = parts[1:]
    joined = [parts[0]]
    for part in parts[1:]:
        if joined[-1].endswith("\\"):
            joined[-1] = f"{joined[-1][:-1]}/{part}"
        else:
            joined.append(part)
    return tuple(joined)


def escape(part: str) -> str:
    """Escape one part of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def apply_spec(
    resource: Resource, spec: FieldSpec, setter: Setter, *, leaf: Callable[[], Any] | None = None
) -> None:
    """Call `setter` for each value at the path, if the kind is selected.

    `leaf` makes the last part where `create` asks for it; without it nothing is created.
    """
    if not spec.gvk.selects(resource.gvk):
        return
    parts = split_path(spec.path)
    try:
        _walk(resource.data, parts, setter, leaf if spec.create else None)
    except TransformError as error:
        raise TransformError(
            f"considering field {spec.path!r} of object {resource}: {error.problem}"
        ) from None


def _walk(
    node: Any,
    parts: tuple[str, ...],
    setter: Setter,
    leaf: Callable[[], Any] | None,
    *,
    at: int = 0,
    pointer: str = "",
) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            if item is not None:
                _walk(item, parts, setter, leaf, at=at, pointer=f"{pointer}/{index}")
        return
    if not isinstance(node, dict):
        raise TransformError(f"expected sequence or mapping node at {pointer or '/'}")
    part = parts[at]
    many = part.endswith("[]")
    name = part[:-2] if many else part
    if not name:
        raise TransformError("cannot set or create an empty field name")
    last = at == len(parts) - 1
    value = node.get(name)
    if value is None:
        if leaf is None or many:
            if last and name in node:
                setter(node, name, f"{pointer}/{escape(name)}")
            return
        value = node[name] = leaf() if last else {}
    inner = f"{pointer}/{escape(name)}"
    if last:
        setter(node, name, inner)
    else:
        _walk(value, parts, setter, leaf, at=at + 1, pointer=inner)
