"""Functions that run in processes of their own, with deadlines and memory limits.

A job is the dotted name of a module-level function that takes one msgspec Struct and returns one:

    async with WorkerPool(preload=["fluvial.kustomize.jobs"]) as pool:
        built = await pool.run(
            "fluvial.kustomize.jobs:build", request, Built, key="default/apps", deadline=30.0
        )

Requests and replies cross a socket pair as length-prefixed msgpack. Nothing is pickled, so a job
cannot carry code.
"""

from typing import TYPE_CHECKING

from ._errors import DeadlineExceeded, JobError, WorkerDied, WorkerError

if TYPE_CHECKING:
    from .pool import WorkerPool

__all__ = ["DeadlineExceeded", "JobError", "WorkerDied", "WorkerError", "WorkerPool"]


def __getattr__(name: str) -> object:
    """Import the pool, and asyncio with it, only where it is used: workers do without."""
    if name == "WorkerPool":
        from .pool import WorkerPool  # noqa: PLC0415

        return WorkerPool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
