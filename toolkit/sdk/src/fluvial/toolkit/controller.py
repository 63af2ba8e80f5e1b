"""A controller: a kind, what wakes it, and the workers that call its reconciler."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Resource as Model
from fluvial.toolkit.client import Resource, resource_of_kind
from fluvial.toolkit.conditions import READY, RECONCILING, STALLED
from fluvial.toolkit.context import Reconciler
from fluvial.toolkit.informer import Selection
from fluvial.toolkit.predicates import Predicate, any_change, spec_or_request
from fluvial.toolkit.store import Indexer, Key, Store

__all__ = ["Controller", "MapFunction", "Watch"]

M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)

MapFunction: TypeAlias = Callable[[Unstructured, Store], Iterable[Key]]
"""Which objects of the controller a changed object concerns; the store is that of its own kind."""

_OWNED = (READY, RECONCILING, STALLED)


@dataclass(frozen=True)
class Watch:
    """Another kind whose changes wake objects of the controller.

    `of` is a kind of `fluvial.apis` or an endpoint. The kind need not be installed: its watch
    begins when its definition appears. `--watch-label-selector` is for the controller's own kind.
    """

    of: Kind[Any] | Resource
    map: MapFunction
    """Which objects of the controller a changed object concerns."""
    predicate: Predicate = any_change
    """Which changes count; by default every one."""
    label_selector: str = ""
    """Follow only objects with these labels; empty for all."""
    metadata_only: bool = False
    """Ask for metadata only: a fraction of the memory, where `map` needs no more."""

    @property
    def resource(self) -> Resource:
        """The endpoint that is watched."""
        return resource_of_kind(self.of) if isinstance(self.of, Kind) else self.of

    def selection(self, namespace: str | None) -> Selection:
        """Return what its informer follows, in one namespace or (None) in all."""
        return Selection(
            self.resource,
            namespace,
            label_selector=self.label_selector,
            metadata_only=self.metadata_only,
        )


class Controller(Generic[M]):
    """Calls `reconciler` for every object of `kind` that needs it, one attempt at a time each.

    - `owns`: kinds of what it applies with `ctx.apply`: a change to one of those objects wakes the
      one it belongs to, and so drift is mended at once.
    - `watches`: other kinds whose changes wake objects, by way of `indexes` of the own store.
    - `finalizer`: put on every object before its first attempt; needs a reconciler with
      `finalize`. None: deletions are none of this controller's business.
    - `owned`: condition types this controller writes besides Ready, Reconciling and Stalled.
    - `manager`: field manager of status writes (default: the controller's name).
    - `conditions`: False for kinds with a life of their own (Canary): errors are then only
      logged, counted and retried.
    - `concurrent`: workers (default: `--concurrent`).
    - `timeout`: seconds after which an attempt is given up (default: an hour).
    - `predicate`: which changes of the own kind wake it (default: spec, request, deletion).
    """

    def __init__(
        self,
        kind: Kind[M],
        reconciler: Reconciler[M],
        *,
        owns: Sequence[Resource] = (),
        watches: Sequence[Watch] = (),
        indexes: Mapping[str, Indexer] | None = None,
        finalizer: str | None = None,
        owned: Iterable[str] = (),
        manager: str | None = None,
        conditions: bool = True,
        concurrent: int | None = None,
        timeout: float = 3600.0,
        predicate: Predicate = spec_or_request,
    ) -> None:
        if finalizer is not None and not hasattr(reconciler, "finalize"):
            raise TypeError(f"{type(reconciler).__name__} has a finalizer but no finalize()")
        self.kind = kind
        self.reconciler = reconciler
        self.watches = (*watches, *(_of_owner(kind, resource) for resource in owns))
        self.indexes = dict(indexes or {})
        self.finalizer = finalizer
        self.owned = (*_OWNED, *owned)
        self.manager = manager
        self.conditions = conditions
        self.concurrent = concurrent
        self.timeout = timeout
        self.predicate = predicate

    @property
    def name(self) -> str:
        """The kind in lower case: the `controller` label of the metrics."""
        return self.kind.kind.lower()


def _of_owner(kind: Kind[Any], resource: Resource) -> Watch:
    """Watch the metadata of what objects of `kind` applied; nothing else enters the cache."""

    def owners(changed: Unstructured, _: Store) -> Iterable[Key]:
        labels = changed["metadata"].get("labels") or {}
        return [Key(labels[f"{kind.group}/namespace"], labels[f"{kind.group}/name"])]

    selector = f"{kind.group}/name,{kind.group}/namespace"
    return Watch(resource, owners, label_selector=selector, metadata_only=True)
