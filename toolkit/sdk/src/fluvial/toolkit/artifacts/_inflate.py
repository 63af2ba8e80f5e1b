"""The gzip layer of the hardened reader: exact reads, bounded output."""

from typing import IO, cast

from isal import isal_zlib

from ._errors import ArchiveRejected, LimitExceeded

__all__ = ["Inflating"]

_INPUT = 1 << 16
_OUTPUT = 1 << 18
_FREE_OF_RATIO = 16 << 20
# The stubs declare it as an instance.
_BROKEN = cast("type[Exception]", isal_zlib.IsalError)


class Inflating:
    """Bytes of a gzip stream (one member or several), never more than the limits allow.

    Raises ArchiveRejected for what is not gzip or ends too early, LimitExceeded for more than
    `limit` bytes of output or an expansion beyond `ratio`.
    """

    def __init__(self, source: IO[bytes], limit: int, ratio: int) -> None:
        self._source = source
        self._limit = limit
        self._ratio = ratio
        self._inflate = isal_zlib.decompressobj(31)
        self._input = b""
        self._output = b""
        self._taken = 0
        self._read = 0
        self._produced = 0

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes. Raises ArchiveRejected when the stream ends before."""
        taken = self.read_up_to(size)
        if len(taken) != size:
            raise ArchiveRejected("archive is cut short")
        return taken

    def read_up_to(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end of the stream."""
        while len(self._output) - self._taken < size:
            if not self._produce():
                break
        # By an offset: cutting the front off would move the whole buffer for every small file.
        taken = self._output[self._taken : self._taken + size]
        self._taken += len(taken)
        return taken

    def skip(self, size: int) -> None:
        """Pass over exactly `size` bytes, with flat memory."""
        while size:
            size -= len(self.read(min(size, _OUTPUT)))

    def _produce(self) -> bool:
        """Inflate some more; False at the end of the last member."""
        if not self._input:
            self._input = self._source.read(_INPUT)
            self._read += len(self._input)
        if self._inflate.eof:
            if not self._input:
                return False
            self._inflate = isal_zlib.decompressobj(31)
        elif not self._input and self._read == 0:
            raise ArchiveRejected("archive is empty")
        try:
            piece = self._inflate.decompress(self._input, _OUTPUT)
        except _BROKEN as error:
            raise ArchiveRejected(f"archive is not a gzip stream: {error}") from error
        ended = not self._input and not piece
        self._input = (
            self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        )
        if ended and not self._inflate.eof:
            raise ArchiveRejected("archive is cut short: the gzip stream does not end")
        self._produced += len(piece)
        if self._produced > self._limit:
            raise LimitExceeded(f"archive unpacks to more than {self._limit} bytes")
        if self._produced > _FREE_OF_RATIO and self._produced > self._ratio * self._read:
            raise LimitExceeded(f"archive expands more than {self._ratio}-fold")
        self._output = self._output[self._taken :] + piece
        self._taken = 0
        return True
