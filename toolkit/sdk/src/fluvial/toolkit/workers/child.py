"""The worker process: `python -m fluvial.toolkit.workers.child FD PARENT MEMORY MODULE…`.

One job at a time, until the socket closes. It ends with its parent, whichever way that ends.
"""

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, cast, get_type_hints

import msgspec

from ._errors import JobError
from ._frames import LONGEST, OUT_OF_MEMORY, PREFIX, Answer, Call, Failure, Ready, Reply, frame

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Serve jobs until the other end closes."""
    descriptor, parent, memory, *modules = arguments
    _tie_to(int(parent))
    # Ctrl-C reaches the whole foreground group; the parent decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if int(memory):
        resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    with socket.socket(fileno=int(descriptor)) as wire:
        try:
            for module in modules:
                importlib.import_module(module)
            wire.sendall(frame(Ready()))
            while (call := _receive(wire)) is not None:
                wire.sendall(_answer(call))
        except MemoryError:
            return OUT_OF_MEMORY
        except BrokenPipeError:
            return 0
    return 0


def _tie_to(parent: int) -> None:
    """Ask the kernel to kill this process with its parent; elsewhere the closed socket does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # It ended before the request was in force.
            os._exit(0)


def _receive(wire: socket.socket) -> Call | None:
    prefix = _exactly(wire, PREFIX)
    if prefix is None:
        return None
    length = int.from_bytes(prefix, "big")
    if length > LONGEST:
        return None
    body = _exactly(wire, length)
    return None if body is None else msgspec.msgpack.decode(body, type=Call)


def _exactly(wire: socket.socket, size: int) -> bytearray | None:
    body = bytearray(size)
    view, filled = memoryview(body), 0
    while filled < size:
        with contextlib.suppress(InterruptedError):
            count = wire.recv_into(view[filled:])
            if not count:
                return None
            filled += count
    return body


def _answer(call: Call) -> bytes:
    try:
        function, argument = _job(call.function)
        result = function(msgspec.msgpack.decode(call.argument, type=argument))
        answer: Answer = Reply(msgspec.Raw(msgspec.msgpack.encode(result)))
        return frame(answer)
    except MemoryError:
        raise
    except JobError as error:
        return frame(Failure(error.type, error.message, error.details))
    except Exception as error:  # noqa: BLE001  (whatever a job raises is its answer)
        return frame(Failure(type(error).__name__, str(error), {}))


_jobs: dict[str, tuple[Callable[[Any], Any], type]] = {}


def _job(name: str) -> tuple[Callable[[Any], Any], type]:
    """Find a job's function and the type of its one argument."""
    if name not in _jobs:
        module, _, attribute = name.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        hints = get_type_hints(function)
        hints.pop("return", None)
        if len(hints) != 1:
            raise TypeError(f"job {name} must take exactly one annotated argument")
        _jobs[name] = (function, cast("type", next(iter(hints.values()))))
    return _jobs[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
