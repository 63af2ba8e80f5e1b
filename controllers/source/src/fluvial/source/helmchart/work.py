"""Jobs in workers, with what they raise turned into errors of charts."""

from typing import Final, TypeVar

import msgspec

from fluvial.apis.source import HelmChart
from fluvial.source.helmchart.errors import KINDS, ChartPackageError
from fluvial.toolkit import Context, Transient
from fluvial.toolkit.workers import JobError, WorkerError, WorkerPool

__all__ = ["run"]

R = TypeVar("R", bound=msgspec.Struct)

_DEADLINE: Final = 300.0
"""Seconds for one job."""


async def run(
    workers: WorkerPool,
    ctx: Context[HelmChart],
    function: str,
    request: msgspec.Struct,
    reply: type[R],
) -> R:
    """Run a function of `fluvial.source.helmchart.jobs`.

    Raises ChartError, and Transient with the reason `Unknown` for what has no reason of its own.
    """
    try:
        return await workers.run(
            f"fluvial.source.helmchart.jobs:{function}",
            request,
            reply,
            key=str(ctx.obj),
            deadline=_DEADLINE,
        )
    except JobError as error:
        if error.type in KINDS:
            raise KINDS[error.type](error.message) from error
        raise Transient("Unknown", f"unknown build error: {error.message}") from error
    except WorkerError as error:
        raise ChartPackageError(str(error)) from error
