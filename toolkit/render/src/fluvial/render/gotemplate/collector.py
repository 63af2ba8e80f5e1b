"""Python's collector of cycles, held back while templates are parsed and run."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hold the collector back, for the whole process, until the block ends.

    Trees and closures are built to be kept. Looking through all of them for cycles, again and
    again while they grow, takes longer than building them.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
