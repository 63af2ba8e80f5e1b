"""A resource in the middle of a build, put into a form that does not change and can be compared."""

from typing import Any, NamedTuple

import msgspec

from fluvial.render.kustomize._blanks import locate, resolve
from fluvial.render.kustomize._cache import Parsed
from fluvial.render.kustomize._resource import Resource
from fluvial.render.kustomize._shared import Shared
from fluvial.render.yaml import Written

__all__ = ["Frozen", "freeze", "thaw"]

_LISTS = ("previous", "prefixes", "suffixes", "variables")
_SCALARS = ("behavior", "needs_hash", "plain_labels", "written", "name_change", "kind_change")
_PER_BOOK = 400


class Frozen(NamedTuple):
    """The object, and what is kept beside it.

    Left out are `file`, which only messages name, the records of buildMetadata, and the ledger.
    """

    document: Parsed
    lists: tuple[tuple[Any, ...], ...]
    scalars: tuple[Any, ...]
    shared: tuple[tuple[Any, tuple[tuple[str, ...], ...]], ...]

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        return _PER_BOOK + self.document.cost

    def content(self) -> bytes:
        """Return all of it as bytes; what has equal ones, no transformer can tell apart."""
        document = self.document
        beside = (self.lists, self.scalars, self.shared, document.blanks, document.written)
        return b"\n".join((document.data, msgspec.json.encode(beside, enc_hook=_spelled)))


def _spelled(value: Written) -> tuple[str, Any, str]:
    return (str(value), value.value, value.style)


def freeze(resource: Resource) -> Frozen:
    """Freeze a resource; it may change afterwards."""
    data, places = resource.data, locate(resource.data, resource.blanks)
    try:
        document = Parsed(msgspec.json.encode(data), None, places)
    except TypeError:  # it holds a Written
        document = Parsed.of(data, None, places, written=True)
    return Frozen(
        document,
        tuple(tuple(getattr(resource, name)) for name in _LISTS),
        tuple(getattr(resource, name) for name in _SCALARS),
        tuple((group.value, group.paths) for group in resource.shared),
    )


def thaw(frozen: Frozen, resource: Resource) -> None:
    """Give a resource what was frozen, in the place of what it has."""
    resource.data = frozen.document.decode()
    resource.blanks = resolve(resource.data, frozen.document.blanks)
    for name, items in zip(_LISTS, frozen.lists, strict=True):
        setattr(resource, name, list(items))
    for name, value in zip(_SCALARS, frozen.scalars, strict=True):
        setattr(resource, name, value)
    resource.shared = [Shared(value, paths) for value, paths in frozen.shared]
