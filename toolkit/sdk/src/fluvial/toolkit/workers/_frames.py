"""The wire between a pool and its workers.

A frame is four bytes of length, big-endian, and that many bytes of msgpack. The pool sends a
`Call`; a worker answers with a `Ready` once, and then with one `Reply` or `Failure` per call.
"""

import msgspec

__all__ = [
    "LONGEST",
    "OUT_OF_MEMORY",
    "PREFIX",
    "Answer",
    "Call",
    "Failure",
    "Ready",
    "Reply",
    "frame",
]

PREFIX = 4
OUT_OF_MEMORY = 86
"""The exit status of a worker that met its memory limit: it may hold anything, so it goes."""

LONGEST = 512 << 20
"""Bytes of one frame; longer ones are refused by both sides."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A job: `module:function` and its encoded argument."""

    function: str
    argument: msgspec.Raw


class Ready(msgspec.Struct, frozen=True, array_like=True, tag_field="form", tag=0):
    """The worker has loaded what it was told to."""


class Reply(msgspec.Struct, frozen=True, array_like=True, tag_field="form", tag=1):
    """The encoded result."""

    result: msgspec.Raw


class Failure(msgspec.Struct, frozen=True, array_like=True, tag_field="form", tag=2):
    """The job raised."""

    type: str
    message: str
    details: dict[str, str]


Answer = Ready | Reply | Failure


def frame(message: Call | Answer) -> bytes:
    """Encode a message. Raises ValueError when it is longer than a frame may be."""
    body = msgspec.msgpack.encode(message)
    if len(body) > LONGEST:
        raise ValueError(f"a message of {len(body)} bytes is longer than {LONGEST}")
    return len(body).to_bytes(PREFIX, "big") + body
