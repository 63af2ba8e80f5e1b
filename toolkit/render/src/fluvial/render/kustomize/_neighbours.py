"""Who can be referred to from where: by name, within reach, without looking at all others."""

from collections.abc import Iterable

from fluvial.render.kustomize._ids import Gvk
from fluvial.render.kustomize._resource import Resource

__all__ = ["Named", "Neighbours", "Reach", "reach_from"]

Reach = frozenset[str | None] | None
"""Namespaces as they are written, None among them for what has none; None alone is everywhere."""


def reach_from(resource: Resource, more: set[str]) -> Reach:
    """Return what a resource reaches: its namespace, `more` of them, and what is in none."""
    identity = resource.id
    if identity.cluster_scoped:
        return None
    namespace = identity.effective_namespace
    return frozenset({None, namespace, *more, *([""] if namespace == "default" else [])})


class Neighbours:
    """Resources by the namespace that they are in now."""

    def __init__(self, items: Iterable[Resource]) -> None:
        self._items = list(items)
        self._groups: dict[str | None, list[tuple[int, Resource]]] = {}
        for number, item in enumerate(self._items):
            place = None if item.id.cluster_scoped else item.namespace
            self._groups.setdefault(place, []).append((number, item))
        self._origins: dict[Reach, set[str]] = {}

    def within(self, reach: Reach) -> list[Resource]:
        """Return those within reach, in order."""
        if reach is None:
            return self._items
        groups = [self._groups[place] for place in reach if place in self._groups]
        found = groups[0] if len(groups) == 1 else sorted(one for group in groups for one in group)
        return [item for _, item in found]

    def origins(self, reach: Reach) -> set[str]:
        """Return the namespaces that those within reach came from."""
        found = self._origins.get(reach)
        if found is None:
            found = {item.original.effective_namespace for item in self.within(reach)}
            self._origins[reach] = found
        return found


class Named:
    """Resources by the names that they had before."""

    def __init__(self, items: Iterable[Resource]) -> None:
        self._all = list(items)
        self._lists: dict[str, list[Resource]] = {}
        for item in self._all:
            for name in dict.fromkeys(name for _, name, _ in item.previous):
                self._lists.setdefault(name, []).append(item)
        self._was: dict[tuple[Resource, Gvk], bool] = {}
        self.forget()

    def forget(self) -> None:
        """Look anew at where everything is, because something has moved."""
        self._everything: Neighbours | None = None
        self._built: dict[str, Neighbours] = {}

    def __len__(self) -> int:
        """Count the names."""
        return len(self._lists)

    def __contains__(self, name: str) -> bool:
        """Say whether anything had a name."""
        return name in self._lists

    def find(self, name: str, reach: Reach) -> list[Resource]:
        """Return what had a name and is within reach, in order."""
        found = self._built.get(name)
        if found is None:
            found = self._built[name] = Neighbours(self._lists.get(name, ()))
        return found.within(reach)

    def was(self, item: Resource, gvk: Gvk) -> bool:
        """Say whether a resource was of a kind before its last change."""
        found = self._was.get((item, gvk))
        if found is None:
            found = any(gvk.selects(one.gvk) for one in item.earlier())
            self._was[item, gvk] = found
        return found

    def origins(self, reach: Reach) -> set[str]:
        """Return the namespaces that anything within reach came from, whatever its name."""
        if self._everything is None:
            self._everything = Neighbours(self._all)
        return self._everything.origins(reach)
