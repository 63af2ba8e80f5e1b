"""A store with a disk: an SQLite file from which a control plane goes on where it was.

The file holds the objects as of the newest compaction (`base`), the changes since (`history`), and
the newest change of each prefix that was compacted (that of the empty prefix is the compaction's
own revision). They are replayed at the start, so that revisions, and watches that go on after one
of them, survive a restart. A write is in the file before the call returns: a process that is killed
loses nothing. Keys of the control plane (`secrets`) are kept beside the objects, so the file is its
owner's only.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Self

from fluvial.cluster.errors import ClusterError
from fluvial.cluster.storage import Event, MemoryStore

__all__ = ["DatabaseError", "DatabaseStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS base (
    prefix TEXT, namespace TEXT, name TEXT, revision INTEGER, object BLOB,
    PRIMARY KEY (prefix, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    revision INTEGER PRIMARY KEY, prefix TEXT, namespace TEXT, name TEXT, deleted INTEGER,
    object BLOB
);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS compactions (prefix TEXT PRIMARY KEY, lost INTEGER) WITHOUT ROWID;
"""
_FORMAT = 1


class DatabaseError(ClusterError):
    """The file is of another program or version, damaged, or in use; names it."""


class DatabaseStore(MemoryStore):
    """A `MemoryStore` whose writes are in an SQLite file; use it as a context manager.

    One process at a time: a second one gets a DatabaseError.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._open()
        except sqlite3.Error as error:
            raise DatabaseError(f"{path} cannot be used: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def secret(self, name: str) -> bytes | None:
        """Return a key that was kept, or None."""
        found = self._database.execute("SELECT value FROM secrets WHERE name = ?", (name,))
        row = found.fetchone()
        return None if row is None else bytes(row[0])

    def keep_secret(self, name: str, value: bytes) -> None:
        """Keep a key."""
        self._database.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (name, value))

    def compact(self, revision: int) -> None:
        """Forget the history up to and including a revision; its outcome becomes the base."""
        super().compact(revision)
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute(
                "DELETE FROM base WHERE (prefix, namespace, name) IN"
                " (SELECT prefix, namespace, name FROM history WHERE revision <= ?)",
                (self.compacted,),
            )
            self._database.execute(
                "INSERT INTO base SELECT prefix, namespace, name, revision, object FROM history"
                " WHERE revision IN (SELECT max(revision) FROM history WHERE revision <= ?"
                " GROUP BY prefix, namespace, name) AND NOT deleted",
                (self.compacted,),
            )
            self._database.execute(
                "INSERT OR REPLACE INTO compactions SELECT prefix, max(revision) FROM history"
                " WHERE revision <= ? GROUP BY prefix UNION SELECT '', ?",
                (self.compacted, self.compacted),
            )
            self._database.execute("DELETE FROM history WHERE revision <= ?", (self.compacted,))

    def _record(self, prefix: str, event: Event) -> None:
        """Write the change, then let watchers see it."""
        entry = event.entry
        self._database.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)",
            (entry.revision, prefix, *entry.key, event.deleted, entry.data),
        )
        super()._record(prefix, event)

    def _open(self) -> None:
        """Lock the file, check its format and replay it."""
        database = self._database
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in {0, _FORMAT}:
            raise DatabaseError(f"{self._path} has format {version}, this version writes {_FORMAT}")
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {_FORMAT}")
        lost = dict(database.execute("SELECT prefix, lost FROM compactions"))
        self._begin(lost.pop("", self.compacted), lost)
        for prefix, namespace, name, revision, content in database.execute("SELECT * FROM base"):
            self._restore(prefix, self._entry((namespace, name), revision, content))
        rows = database.execute("SELECT * FROM history ORDER BY revision")
        for revision, prefix, namespace, name, deleted, content in rows:
            self._replay(
                prefix, self._entry((namespace, name), revision, content), deleted=bool(deleted)
            )
