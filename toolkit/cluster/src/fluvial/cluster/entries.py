"""Stored versions of objects: JSON, decoded when somebody looks.

A decoded object takes three times the room of its JSON, and most objects are not looked at for
long. So an entry keeps its JSON, and `Recent` remembers which entries were used last: only they
keep what was made of them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from fluvial.cluster.objects import Object

__all__ = ["Entry", "Key", "Recent"]

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

RECENT_LIMIT = 1024
"""Entries whose decoded forms are kept."""


class Recent:
    """The entries that were used last, of one store; those that fall out forget their views."""

    def __init__(self, limit: int = RECENT_LIMIT) -> None:
        self._limit = limit
        self._used: OrderedDict[Entry, None] = OrderedDict()

    def use(self, entry: Entry) -> None:
        """Note that an entry was used."""
        self._used[entry] = None
        self._used.move_to_end(entry)
        if len(self._used) > self._limit:
            oldest, _ = self._used.popitem(last=False)
            oldest.forget()


class Entry:
    """One stored version of an object.

    `data` is its JSON as it is stored. `object` is shared by every reader and must not be changed;
    whoever wants to change it decodes `data` again. `views` caches what was made of it, by served
    version. `converted` is what a webhook made of it, as JSON by served version; it is not
    forgotten, since only the webhook can make it again.
    """

    __slots__ = ("_converted", "_object", "_recent", "_views", "data", "key", "revision")

    def __init__(self, key: Key, revision: int, data: bytes, recent: Recent) -> None:
        self.key = key
        self.revision = revision
        self.data = data
        self._recent = recent
        self._object: Object | None = None
        self._views: dict[Any, Any] | None = None
        self._converted: dict[Any, bytes] | None = None

    @property
    def object(self) -> Object:
        """Return the decoded object."""
        self._recent.use(self)
        if self._object is None:
            self._object = msgspec.json.decode(self.data)
        return self._object

    @property
    def views(self) -> dict[Any, Any]:
        """Return the cache of what was made of this version."""
        self._recent.use(self)
        if self._views is None:
            self._views = {}
        return self._views

    @property
    def converted(self) -> dict[Any, bytes]:
        """Return what webhooks made of this version."""
        if self._converted is None:
            self._converted = {}
        return self._converted

    def forget(self) -> None:
        """Drop all that can be made again."""
        self._object = self._views = None

    def with_object(self, revision: int, obj: Object) -> Entry:
        """Return another version of the same object, which is not stored."""
        return Entry(self.key, revision, msgspec.json.encode(obj), self._recent)
