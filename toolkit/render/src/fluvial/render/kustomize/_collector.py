"""The garbage collector during a build."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["paused"]


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector of cycles off.

    A build makes hundreds of thousands of objects that live to its end and are in no cycle; looking
    for some among them again and again costs a quarter of its time. With several threads whoever
    found the collector on turns it on again, so it never stays off.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
