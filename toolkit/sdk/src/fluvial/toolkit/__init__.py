'''What you import to write a controller.

A controller is a kind, a reconciler and what wakes it. The toolkit does the rest: caches, queue,
retries, conditions, status writes, finalizers, events, metrics, probes, leader election, shutdown.

```python
from fluvial.apis.kinds import GIT_REPOSITORY, KUSTOMIZATION
from fluvial.toolkit import (
    Context, Controller, Key, Manager, Result, RuntimeFlags, Waiting, Watch,
    artifact_changed, main,
)


class Announcer:
    """Sets Ready once the source has an artifact."""

    def __init__(self, manager: Manager[RuntimeFlags]) -> None:
        self._sources = manager.client.typed(GIT_REPOSITORY)

    async def reconcile(self, ctx: Context[Kustomization], obj: Kustomization) -> Result:
        source = await self._sources.get(obj.spec.source_ref.name, obj.metadata.namespace)
        if source.status.artifact is None:
            raise Waiting("ArtifactFailed", f"{source} has no artifact yet")   # retried, and woken
        await ctx.progress("applying")         # optional: Reconciling, Ready=Unknown, written now
        obj.status.last_applied_revision = source.status.artifact.revision
        ctx.ready("ReconciliationSucceeded", f"Applied revision: {source.status.artifact.revision}")
        ctx.event("Normal", "ReconciliationSucceeded", "done", {"revision": "main@sha1:…"})
        return Result(interval=600.0)              # jittered; the status is written by the toolkit


def users_of(source, store):                       # which objects a changed source concerns
    return [key_of(o) for o in store.by_index("source", source["metadata"]["name"])]


async def setup(manager: Manager[RuntimeFlags]) -> None:
    manager.add(
        Controller(
            KUSTOMIZATION,
            Announcer(manager),
            watches=[Watch(GIT_REPOSITORY, users_of, artifact_changed)],
            indexes={"source": lambda o: [o["spec"]["sourceRef"]["name"]]},
        )
    )


if __name__ == "__main__":
    raise SystemExit(main("announcer", setup, RuntimeFlags))
```

- Raise `Stalled(reason, message)` for what only an edit can cure, `Waiting` for another object,
  `Transient` for the rest; any other exception is Transient with reason `Failed`.
- Change only `obj.status`; the difference is written when the attempt ends, or now by
  `ctx.patch_status()`. An attempt that changes nothing writes nothing.
- A finalizer: `Controller(…, finalizer="finalizers.fluxcd.io")` and `async def finalize(ctx, obj)`.
- Own flags: a dataclass that extends `RuntimeFlags`, see `fluvial.toolkit.flags`.
- Servers and background work: `manager.add_server(…)`, `manager.add_task(…)`.
- Time comes from `ctx.clock`; tests use `fluvial.toolkit.testing.FakeClock`.
'''

from importlib import import_module
from typing import TYPE_CHECKING, Final

from fluvial.toolkit.redact import redact  # eagerly: a module has the same name

if TYPE_CHECKING:
    from fluvial.toolkit.client import (
        ApiError,
        Client,
        ClientError,
        ClusterConfig,
        Conflict,
        Forbidden,
        Invalid,
        LeaseLost,
        NotFound,
        Resource,
        TransportError,
        UnknownKind,
    )
    from fluvial.toolkit.clock import Clock, RealClock, rfc3339
    from fluvial.toolkit.context import Context, Finalizer, Reconciler, Result
    from fluvial.toolkit.controller import Controller, MapFunction, Watch
    from fluvial.toolkit.failure import ReconcileError, Stalled, Transient, Waiting
    from fluvial.toolkit.flags import FlagError, IntervalFlags, RuntimeFlags, duration, flag
    from fluvial.toolkit.informer import Change, Informer, Selection
    from fluvial.toolkit.logs import Logger, logger
    from fluvial.toolkit.manager import Manager, Setup, main
    from fluvial.toolkit.metrics import Metrics
    from fluvial.toolkit.predicates import (
        Predicate,
        any_change,
        artifact_changed,
        either,
        generation_changed,
        ready_changed,
        requested,
        spec_or_request,
    )
    from fluvial.toolkit.references import CONFIG_MAP, SECRET
    from fluvial.toolkit.runtime import Informers, Runtime
    from fluvial.toolkit.store import Key, Store, key_of

__all__ = [
    "CONFIG_MAP",
    "SECRET",
    "ApiError",
    "Change",
    "Client",
    "ClientError",
    "Clock",
    "ClusterConfig",
    "Conflict",
    "Context",
    "Controller",
    "Finalizer",
    "FlagError",
    "Forbidden",
    "Informer",
    "Informers",
    "IntervalFlags",
    "Invalid",
    "Key",
    "LeaseLost",
    "Logger",
    "Manager",
    "MapFunction",
    "Metrics",
    "NotFound",
    "Predicate",
    "RealClock",
    "ReconcileError",
    "Reconciler",
    "Resource",
    "Result",
    "Runtime",
    "RuntimeFlags",
    "Selection",
    "Setup",
    "Stalled",
    "Store",
    "Transient",
    "TransportError",
    "UnknownKind",
    "Waiting",
    "Watch",
    "any_change",
    "artifact_changed",
    "duration",
    "either",
    "flag",
    "generation_changed",
    "key_of",
    "logger",
    "main",
    "ready_changed",
    "redact",
    "requested",
    "rfc3339",
    "spec_or_request",
]

# Names are imported when first asked for: a worker process, which only wants one package below this
# one, would else pay for the client, aiohttp and the rest (40 MB and more than half a second).
_HOMES: Final = {
    "client": (
        "ApiError",
        "Client",
        "ClientError",
        "ClusterConfig",
        "Conflict",
        "Forbidden",
        "Invalid",
        "LeaseLost",
        "NotFound",
        "Resource",
        "TransportError",
        "UnknownKind",
    ),
    "clock": (
        "Clock",
        "RealClock",
        "rfc3339",
    ),
    "context": (
        "Context",
        "Finalizer",
        "Reconciler",
        "Result",
    ),
    "controller": (
        "Controller",
        "MapFunction",
        "Watch",
    ),
    "failure": (
        "ReconcileError",
        "Stalled",
        "Transient",
        "Waiting",
    ),
    "flags": (
        "FlagError",
        "IntervalFlags",
        "RuntimeFlags",
        "duration",
        "flag",
    ),
    "informer": (
        "Change",
        "Informer",
        "Selection",
    ),
    "logs": (
        "Logger",
        "logger",
    ),
    "manager": (
        "Manager",
        "Setup",
        "main",
    ),
    "metrics": ("Metrics",),
    "predicates": (
        "Predicate",
        "any_change",
        "artifact_changed",
        "either",
        "generation_changed",
        "ready_changed",
        "requested",
        "spec_or_request",
    ),
    "references": (
        "CONFIG_MAP",
        "SECRET",
    ),
    "runtime": (
        "Informers",
        "Runtime",
    ),
    "store": (
        "Key",
        "Store",
        "key_of",
    ),
}
_HOME: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
