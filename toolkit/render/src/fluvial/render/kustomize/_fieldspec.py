"""Field specs: which fields of which kinds a transformer touches, and the walk to them."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._resource import Resource
from fluvial.render.pointers import escape

__all__ = [
    "FieldSpec",
    "PathStep",
    "Plan",
    "Setter",
    "apply_spec",
    "merge_specs",
    "split_path",
    "steps_of",
]

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


class Plan:
    """Field specs, ready to be asked for those of a kind."""

    def __init__(self, specs: Iterable[FieldSpec]) -> None:
        self.specs = list(specs)
        self._by_kind: dict[Gvk, list[FieldSpec]] = {}

    def of(self, gvk: Gvk) -> list[FieldSpec]:
        """Return the specs that select a kind, in order."""
        found = self._by_kind.get(gvk)
        if found is None:
            found = self._by_kind[gvk] = [spec for spec in self.specs if spec.gvk.selects(gvk)]
        return found


class PathStep(NamedTuple):
    """One part of a path: the field, how pointers spell it, and whether `[]` marks a list."""

    name: str
    below: str
    many: bool


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[PathStep, ...]:
    """Return the parts of a path."""
    names = [(part.removesuffix("[]"), part.endswith("[]")) for part in split_path(path)]
    return tuple(PathStep(name, f"/{escape(name)}", many) for name, many in names)


def apply_spec(
    resource: Resource, spec: FieldSpec, setter: Setter, *, leaf: Callable[[], Any] | None = None
) -> None:
    """Call `setter` for each value at the path, if the kind is selected.

    `leaf` makes the last part where `create` asks for it; without it nothing is created.
    """
    steps = steps_of(spec.path)
    first = steps[0].name
    if first and not spec.create and first not in resource.data:
        return
    if not spec.gvk.selects(resource.gvk):
        return
    try:
        _walk(resource.data, (steps, setter, leaf if spec.create else None), 0, "")
    except TransformError as error:
        raise TransformError(
            f"considering field {spec.path!r} of object {resource}: {error.problem}"
        ) from None


_Visit = tuple[tuple[PathStep, ...], Setter, Callable[[], Any] | None]


def _walk(node: Any, visit: _Visit, at: int, pointer: str) -> None:
    steps, setter, leaf = visit
    last = len(steps) - 1
    while True:
        if isinstance(node, list):
            for index, item in enumerate(node):
                if item is not None:
                    _walk(item, visit, at, f"{pointer}/{index}")
            return
        if not isinstance(node, dict):
            raise TransformError(f"expected sequence or mapping node at {pointer or '/'}")
        name, below, many = steps[at]
        if not name:
            raise TransformError("cannot set or create an empty field name")
        value = node.get(name)
        if value is None and many and name in node:
            value = node[name] = []  # the mark says that the null should be a list
        if value is None:
            if leaf is None or many:
                if at == last and name in node:
                    setter(node, name, pointer + below)
                return
            value = node[name] = leaf() if at == last else {}
        pointer += below
        if at == last:
            setter(node, name, pointer)
            return
        node = value
        at += 1
