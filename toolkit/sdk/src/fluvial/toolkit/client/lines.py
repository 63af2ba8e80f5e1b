"""A watch is a stream of lines; this splits it whatever the chunk boundaries are."""

from fluvial.toolkit.client.errors import TransportError

__all__ = ["LineSplitter"]


class LineSplitter:
    r"""Collects chunks and gives back whole lines without their line ends.

    Objects reach 1.5 MB and more, so parts of a line are kept in a list and joined once; feeding n
    bytes costs O(n) however small the chunks are. A line longer than `limit` bytes raises
    TransportError: a stream without line ends must not fill the memory.
    """

    def __init__(self, limit: int = 64 << 20) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        r"""Take the next chunk and return the lines that it completes; blank lines are dropped."""
        if b"\n" not in chunk:
            self._hold(chunk)
            return []
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        lines = [b"".join(self._parts), *rest[:-1]]
        self._parts.clear()
        self._held = 0
        self._hold(rest[-1])
        return [line for line in lines if line.strip()]

    def _hold(self, part: bytes) -> None:
        if not part:
            return
        self._held += len(part)
        if self._held > self._limit:
            raise TransportError(f"a watch event is longer than {self._limit} bytes")
        self._parts.append(part)
