# ruff: noqa: N818 -- each name is the retry policy that it stands for
"""How a reconcile fails: the class is the retry policy, the reason is what users see.

```
ReconcileError
├── Stalled      until the spec (or a watched object) changes: no retry
├── Waiting      until another object changes: looked at again after a fixed time
└── Transient    until it works: exponential backoff per object
```

Everything else that a reconciler raises counts as Transient with the reason `Failed`; an
`ApiError` or `TransportError` is expected weather, any other exception is logged with its trace.
"""

from collections.abc import Mapping

__all__ = ["ReconcileError", "Stalled", "Transient", "Waiting"]


class ReconcileError(Exception):
    """A reconcile that did not reach its end.

    `reason` is a CamelCase word for the conditions and the event, `message` a sentence that names
    the object, the field and the way out. Neither may carry a secret. `metadata` goes with the
    event, e.g. the revision that failed. `ready` is a reason and message for the condition Ready,
    where it speaks of another thing than the end of the attempt (a release that failed, while the
    tries are used up). `told` says that the reconciler has sent its own event.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: Mapping[str, str] = {}
        self.ready: tuple[str, str] | None = None
        self.told = False


class Stalled(ReconcileError):
    """Nothing will change until somebody edits the object: Ready=False and Stalled=True."""


class Waiting(ReconcileError):
    """Another object must change first, e.g. a source or a dependency.

    A watch on that object wakes the waiting one; `requeue_after` seconds (None: the controller's
    `--requeue-dependency`) are the safety net. Counts as no failure for the backoff.
    """

    def __init__(self, reason: str, message: str, *, requeue_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.requeue_after = requeue_after


class Transient(ReconcileError):
    """Worth another try: Ready=False and Reconciling=True with reason ProgressingWithRetry.

    `retry_after` seconds replace the exponential backoff (a spec's `retryInterval`).
    """

    def __init__(self, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after
