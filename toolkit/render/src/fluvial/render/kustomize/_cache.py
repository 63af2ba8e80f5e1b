"""What earlier builds have made, by digests of all it was made of, within a budget of bytes.

Files that were parsed, resources that were transformed, objects that were printed. Values are kept
encoded, so that a build that changes what it got changes no other build.
"""

import hashlib
import threading
from collections import OrderedDict
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from fluvial.render.kustomize._blanks import Place
from fluvial.render.yaml import Written, meaning, written_places

__all__ = ["PARSED", "Kept", "Parsed", "ParsedFile", "ParsedFiles", "PrintedText", "digest_of_text"]

_BUDGET = 128 * 1024 * 1024
_PER_EXTRA = 200
_PER_ENTRY = 400


class Kept(Protocol):
    """What can be kept: it never changes."""

    @property
    def cost(self) -> int:
        """About how many bytes it takes."""


T = TypeVar("T", bound=Kept)


class Parsed(NamedTuple):
    """One document as JSON, with its keys without a value and the texts of its odd scalars.

    `places` is where its values stand, packed; None when that was not asked for.
    """

    data: bytes
    places: bytes | None = None
    blanks: tuple[Place, ...] = ()
    written: tuple[tuple[tuple[str | int, ...], Written], ...] = ()

    @classmethod
    def of(
        cls,
        value: Any,
        places: bytes | None = None,
        blanks: tuple[Place, ...] = (),
        *,
        written: bool = False,
    ) -> "Parsed":
        """Encode a value that came out of YAML; `written` says that it may hold a `Written`."""
        data = msgspec.json.encode(value, enc_hook=meaning)
        texts = tuple(written_places(value)) if written else ()
        return cls(data, places, blanks, texts)

    def decode(self) -> Any:
        """Decode the value anew; the caller owns it."""
        value = msgspec.json.decode(self.data)
        for path, scalar in self.written:
            node = value
            for part in path[:-1]:
                node = node[part]
            node[path[-1]] = scalar
        return value

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        extras = len(self.blanks) + len(self.written)
        return len(self.data) + len(self.places or b"") + _PER_EXTRA * extras


class ParsedFile(NamedTuple):
    """The documents of a file."""

    documents: tuple[Parsed, ...]

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        return sum(document.cost for document in self.documents)


class PrintedText(NamedTuple):
    """An object as YAML."""

    text: str

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        return len(self.text)


class ParsedFiles:
    """What was parsed, or made of it, last. Safe to use from several threads."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._used = 0

    @property
    def used(self) -> int:
        """About how many bytes are kept."""
        return self._used

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)

    def get(self, key: bytes, kind: type[T]) -> T | None:
        """Return what is kept of a kind; None when it must be made."""
        with self._lock:
            found = self._kept.get(key)
            if not isinstance(found, kind):
                return None
            self._kept.move_to_end(key)
            return found

    def keep(self, key: bytes, made: Kept) -> None:
        """Keep something, and let go of what was used longest ago."""
        cost = _PER_ENTRY + made.cost
        if cost > self._budget:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = made
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
            self._kept.clear()
            self._used = 0

    def _shrink(self) -> None:
        while self._used > self._budget:
            _, made = self._kept.popitem(last=False)
            self._used -= _PER_ENTRY + made.cost


def digest_of_text(content: bytes | str, *how: str) -> bytes:
    """Return the key of a text that is read in a certain way."""
    form = "s" if isinstance(content, str) else "b"
    key = hashlib.blake2b("\0".join((form, *how)).encode(), digest_size=32)
    key.update(b"\0")
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    key.update(raw)
    return key.digest()


PARSED = ParsedFiles()
"""What this process has parsed, and made of it."""
