"""How deep documents may be nested: what any stack can hold, or on request what Go reads."""

import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["DEEPEST", "DeeperError", "asking_for_depth", "deepest", "deeply"]

T = TypeVar("T")
DEEPEST = 200
_UPSTREAM = 10_000
_STACK = 512 * 1024 * 1024  # only reserved: what is not used costs nothing
_FRAMES = 12 * _UPSTREAM
_LIMIT: contextvars.ContextVar[int] = contextvars.ContextVar("deepest", default=DEEPEST)
_ASKING: contextvars.ContextVar[bool] = contextvars.ContextVar("asking", default=False)
_ONE = threading.Lock()


class DeeperError(Exception):
    """Raised inside of `asking_for_depth` for a document that needs `deeply`."""


def deepest() -> int:
    """Return how many levels are read here.

    Raises DeeperError where more can be had, so ask only when a document has too many.
    """
    if _ASKING.get() and _LIMIT.get() == DEEPEST:
        raise DeeperError
    return _LIMIT.get()


@contextmanager
def asking_for_depth() -> Iterator[None]:
    """Have a document that is nested too deep raise DeeperError instead of an error of its own."""
    token = _ASKING.set(True)
    try:
        yield
    finally:
        _ASKING.reset(token)


def deeply(call: Callable[[], T]) -> T:
    """Call in a thread whose stack holds as many levels as Go's reader takes: 10,000.

    One call at a time, because Python has one recursion limit for all threads.
    """
    context = contextvars.copy_context()
    context.run(_LIMIT.set, _UPSTREAM)
    with _ONE:
        frames, stack = sys.getrecursionlimit(), threading.stack_size(_STACK)
        sys.setrecursionlimit(max(frames, _FRAMES))
        try:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(context.run, call).result()
        finally:
            threading.stack_size(stack)
            sys.setrecursionlimit(frames)
