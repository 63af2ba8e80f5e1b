"""What was parsed before: files by the digest of their content, within a budget of bytes.

Values are kept encoded, so that a build that changes what it got changes no other build.
"""

import hashlib
import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from fluvial.render.kustomize._blanks import Place
from fluvial.render.objects import Origin

__all__ = ["PARSED", "Parsed", "ParsedFiles", "digest_of_text"]

_BUDGET = 128 * 1024 * 1024
_PER_ORIGIN = 200
_PER_FILE = 400


class Parsed(NamedTuple):
    """One document as JSON, with its keys without a value.

    `origins` is its provenance, None when it was not asked for.
    """

    data: bytes
    origins: dict[str, Origin] | None = None
    blanks: tuple[Place, ...] = ()

    @classmethod
    def of(
        cls, value: Any, origins: dict[str, Origin] | None = None, blanks: tuple[Place, ...] = ()
    ) -> "Parsed":
        """Encode a value that came out of YAML."""
        data = msgspec.json.encode(value)
        return cls(data, None if origins is None else dict(origins), blanks)

    def decode(self) -> Any:
        """Decode the value anew; the caller owns it."""
        return msgspec.json.decode(self.data)

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        return len(self.data) + _PER_ORIGIN * (len(self.origins or ()) + len(self.blanks))


class ParsedFiles:
    """The files parsed last. Safe to use from several threads."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._files: OrderedDict[bytes, tuple[Parsed, ...]] = OrderedDict()
        self._used = 0

    @property
    def used(self) -> int:
        """About how many bytes are kept."""
        return self._used

    def __len__(self) -> int:
        """Count the files that are kept."""
        return len(self._files)

    def get(self, key: bytes) -> tuple[Parsed, ...] | None:
        """Return the documents of a file; None when it must be parsed."""
        with self._lock:
            found = self._files.get(key)
            if found is not None:
                self._files.move_to_end(key)
            return found

    def keep(self, key: bytes, documents: tuple[Parsed, ...]) -> None:
        """Keep the documents of a file, and let go of those used longest ago."""
        cost = _cost(documents)
        if cost > self._budget:
            return
        with self._lock:
            if key in self._files:
                return
            self._files[key] = documents
            self._used += cost
            self._shrink()

    def limit(self, budget: int) -> None:
        """Set the budget in bytes; 0 keeps nothing."""
        with self._lock:
            self._budget = budget
            self._shrink()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._files.clear()
            self._used = 0

    def _shrink(self) -> None:
        while self._used > self._budget:
            _, documents = self._files.popitem(last=False)
            self._used -= _cost(documents)


def _cost(documents: tuple[Parsed, ...]) -> int:
    return _PER_FILE + sum(document.cost for document in documents)


def digest_of_text(content: bytes | str, *how: str) -> bytes:
    """Return the key of a text that is read in a certain way."""
    form = "s" if isinstance(content, str) else "b"
    key = hashlib.blake2b("\0".join((form, *how)).encode(), digest_size=32)
    key.update(b"\0")
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    key.update(raw)
    return key.digest()


PARSED = ParsedFiles()
"""The files that this process has parsed."""
