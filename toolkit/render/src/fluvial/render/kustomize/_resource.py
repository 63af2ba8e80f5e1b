"""Resources during a build: the object, who it was before, and the set they form."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fluvial.apis.ids import Unstructured
from fluvial.render.kustomize._blanks import locate, resolve
from fluvial.render.kustomize._errors import ResourceError
from fluvial.render.kustomize._ids import Gvk, ResourceId, split_group, text
from fluvial.render.kustomize._ledger import Amended, Ledger, Set
from fluvial.render.kustomize._merge import clone
from fluvial.render.kustomize._shared import Shared, settle
from fluvial.render.objects import Origin
from fluvial.render.yaml import Blank

__all__ = ["Resource", "Resources"]


_ANNOTATIONS = ("metadata", "annotations")


class Resource:
    """One object, with what upstream keeps in internal annotations kept beside it.

    `data` is empty once a patch has deleted the object. `file` is where it was read from, `trail`
    the buildMetadata records (origin first, transformations after it), `ledger` the provenance,
    None when it was not asked for. `blanks` are its keys without a value; `written` says
    that scalars of it may be `Written`. `plain_labels` says of a patch that upstream wrote its
    labels without quotes.
    """

    __slots__ = (
        "_cached",
        "behavior",
        "blanks",
        "data",
        "file",
        "kind_change",
        "ledger",
        "name_change",
        "needs_hash",
        "origin",
        "plain_labels",
        "prefixes",
        "previous",
        "shared",
        "suffixes",
        "transformations",
        "variables",
        "written",
    )

    def __init__(self, data: Unstructured, file: str = "") -> None:
        self.data = data
        self.file = file
        self.previous: list[tuple[str, str, str]] = []
        self.prefixes: list[str] = []
        self.suffixes: list[str] = []
        self.shared: list[Shared] = []
        self.behavior = ""
        self.blanks: list[Blank] = []
        self.needs_hash = False
        self.plain_labels = False
        self.written = False
        self.name_change = False
        self.kind_change = False
        self.variables: list[str] = []
        self.origin: dict[str, Any] | None = None
        self.transformations: list[dict[str, Any]] = []
        self.ledger: Ledger | None = None
        self._cached: tuple[Any, Any, Gvk] | None = None

    @property
    def gvk(self) -> Gvk:
        """Group, version and kind as they are now."""
        api_version, kind = self.data.get("apiVersion"), self.data.get("kind")
        if self._cached and self._cached[0] is api_version and self._cached[1] is kind:
            return self._cached[2]
        group, version = split_group(text(api_version) if api_version is not None else "")
        gvk = Gvk(group, version, text(kind) if kind is not None else "")
        self._cached = (api_version, kind, gvk)
        return gvk

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata map; a passing empty one when the object has none."""
        metadata = self.data.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def name(self) -> str:
        """The current name."""
        value = self.metadata.get("name")
        return "" if value is None else text(value)

    @property
    def namespace(self) -> str:
        """The current namespace as it is written, empty when it is not."""
        value = self.metadata.get("namespace")
        return "" if value is None else text(value)

    @property
    def id(self) -> ResourceId:
        """Who the resource is now."""
        return ResourceId(self.gvk, self.name, self.namespace)

    @property
    def original(self) -> ResourceId:
        """Who the resource was when it was read."""
        return next(self.earlier(), None) or self.id

    def earlier(self) -> Iterator[ResourceId]:
        """Iterate over who the resource was before each change, oldest first."""
        gvk = self.gvk
        for namespace, name, kind in self.previous:
            yield ResourceId(gvk._replace(kind=kind), name, namespace)

    def identities(self) -> Iterator[ResourceId]:
        """Iterate over every identity, the current one last."""
        yield from self.earlier()
        yield self.id

    def remember(self) -> None:
        """Keep the current identity, before it changes."""
        now = self.id
        self.previous.append((now.effective_namespace, now.name, now.gvk.kind))

    def rewrite_annotations(self) -> None:
        """Let go of what annotations share with other maps, as upstream does when it writes one."""
        for group in self.shared:
            group.paths = tuple(path for path in group.paths if path[:2] != _ANNOTATIONS)

    def rename(self, name: str) -> None:
        """Set the name."""
        self.data.setdefault("metadata", {})["name"] = name

    def strings(self, field: str) -> dict[str, str]:
        """Return labels or annotations as strings."""
        found = self.metadata.get(field)
        return {k: text(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def write_labels_as_texts(self) -> None:
        """Make the values of labels strings, a null among them too."""
        self.plain_labels = True
        if isinstance(labels := self.metadata.get("labels"), dict):
            labels.update(self.strings("labels"))

    def note(self, pointer: str, origin: Origin | None, *, deep: bool = False) -> None:
        """Record that `origin` set the value at `pointer`.

        `deep` is for values that may have been, or now are, maps or lists: everything below is
        then of the same origin.
        """
        if self.ledger is not None and origin is not None:
            self.ledger.entries.append(Set(pointer, origin, deep))

    def amend(self, pointer: str, by: str) -> None:
        """Record that `by` changed the value at `pointer`, which stays where it was written."""
        if self.ledger is not None:
            self.ledger.entries.append(Amended(pointer, by, self.file))

    def settle(self) -> None:
        """Carry what was set in one place of a shared value to its other places."""
        if self.shared:
            settle(self.data, self.shared)

    def forget_records(self) -> None:
        """Forget the buildMetadata records, which upstream keeps in the annotations."""
        self.origin = None
        self.transformations = []

    def copy(self) -> "Resource":
        """Copy everything."""
        other = Resource(clone(self.data), self.file)
        other.blanks = resolve(other.data, locate(self.data, self.blanks))
        for slot in ("previous", "prefixes", "suffixes", "variables", "transformations"):
            setattr(other, slot, list(getattr(self, slot)))
        flags = ("needs_hash", "plain_labels", "name_change", "kind_change")
        for slot in ("behavior", "origin", *flags):
            setattr(other, slot, getattr(self, slot))
        if self.ledger is not None:
            other.ledger = self.ledger.copy()
        return other

    def __str__(self) -> str:
        """Print the identity, as messages quote it."""
        return f"{self.id}" + (f" ({self.file})" if self.file else "")


class Resources:
    """Resources in order, no two of which have the same current identity."""

    def __init__(self, items: Iterable[Resource] = ()) -> None:
        self.items: list[Resource] = []
        self._keys: dict[tuple[Gvk, str, str], Resource] | None = {}
        self._named: dict[str, list[Resource]] | None = None
        self.extend(items)

    def __iter__(self) -> Iterator[Resource]:
        """Iterate over a snapshot, in order."""
        return iter(list(self.items))

    def __len__(self) -> int:
        """Count the resources."""
        return len(self.items)

    def touch(self) -> None:
        """Forget the index, because identities may have changed."""
        self._keys = None
        self._named = None

    def index(self) -> dict[tuple[Gvk, str, str], Resource]:
        """Return the resources by current identity."""
        if self._keys is None:
            self._keys = {item.id.key: item for item in self.items}
        return self._keys

    def append(self, item: Resource) -> None:
        """Add a resource. Raises ResourceError when its identity is taken."""
        keys = self.index()
        key = item.id.key
        other = keys.get(key)
        if other is not None:
            places = " and ".join(sorted({where for where in (other.file, item.file) if where}))
            raise ResourceError(
                f"may not add resource with an already registered id: {item.id}"
                + (f" (in {places})" if places else "")
            )
        keys[key] = item
        self.items.append(item)
        if self._named is not None:
            _add_names(self._named, item)

    def extend(self, items: Iterable[Resource]) -> None:
        """Add resources in order."""
        for item in items:
            self.append(item)

    def replace_all(self, items: list[Resource]) -> None:
        """Put these in the place of all."""
        self.items = items
        self.touch()

    def drop_empty(self) -> None:
        """Leave out what patches have deleted."""
        if any(not item.data for item in self.items):
            self.replace_all([item for item in self.items if item.data])

    def named(self, name: str) -> list[Resource]:
        """Return the resources that have a name, or had it before, in order."""
        if self._named is None:
            self._named = {}
            for item in self.items:
                _add_names(self._named, item)
        return self._named.get(name, [])

    def by_any_id(self, matches: Callable[[ResourceId], bool], *, name: str = "") -> list[Resource]:
        """Return the resources of which any identity, now or before, matches.

        `name` is what the matching identity is called, if that is known: it saves a scan.
        """
        return [
            item
            for item in (self.named(name) if name else self.items)
            if item.data and any(matches(one) for one in item.identities())
        ]

    def one_by_id(self, wanted: ResourceId) -> Resource:
        """Return the only resource with this identity, now or before; else ResourceError."""
        key = wanted.key
        found = self.by_any_id(lambda one: one.key == key, name=wanted.name)
        if len(found) == 1:
            return found[0]
        problem = "multiple matches" if found else "no matches"
        raise ResourceError(f"{problem} for Id {wanted}; failed to find unique target for patch")


def _add_names(named: dict[str, list[Resource]], item: Resource) -> None:
    for name in dict.fromkeys((*(name for _, name, _ in item.previous), item.name)):
        named.setdefault(name, []).append(item)
