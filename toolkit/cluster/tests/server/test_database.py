"""The store with a disk: the same as the one in memory, and the same again after a restart."""

import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.database import DatabaseError, DatabaseStore
from fluvial.cluster.storage import CompactedError, MemoryStore

NAMES = st.sampled_from(["x", "y"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.integers(0, 9)),
        st.tuples(st.just("remove"), NAMES),
        st.tuples(st.just("compact"), st.integers(0, 30)),
        st.just(("restart",)),
    ),
    max_size=25,
)
PREFIXES = ("/configmaps", "/secrets")


def obj(value):
    return {"metadata": {"name": "x"}, "data": value}


def picture(store):
    """Everything that a reader can tell of a store."""
    found = [store.revision, store.compacted]
    for prefix in PREFIXES:
        for at in [None, *range(100, store.revision + 1)]:
            try:
                found.append([(e.key, e.revision, e.object) for e in store.entries(prefix, at=at)])
            except CompactedError as error:
                found.append(error.revision)
        for after in range(100, store.revision + 1):
            try:
                found.append(
                    [
                        (e.revision, e.entry.object, e.previous and e.previous.revision, e.deleted)
                        for e in store.events(prefix, after)
                    ]
                )
            except CompactedError:
                found.append("compacted")
    return found


@given(STEPS)
def test_it_is_the_store_in_memory_whenever_it_is_restarted(steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plane.db")
        memory, disk = MemoryStore(), DatabaseStore(path)
        for step in steps:
            match step:
                case ("put", name, value):
                    prefix = PREFIXES[value % 2]
                    for store in (memory, disk):
                        store.put(prefix, ("n", name), obj(value))
                case ("remove", name):
                    for store in (memory, disk):
                        for prefix in PREFIXES:
                            if store.get(prefix, ("n", name)):
                                store.remove(prefix, ("n", name), obj("last"))
                case ("compact", back):
                    for store in (memory, disk):
                        store.compact(store.revision - back)
                case _:
                    disk.__exit__()
                    disk = DatabaseStore(path)
        disk.__exit__()
        with DatabaseStore(path) as again:
            assert picture(again) == picture(memory)


def test_keys_are_kept_for_the_owner_only(tmp_path):
    path = tmp_path / "folder" / "plane.db"
    with DatabaseStore(path) as store:
        assert store.secret("ca.key") is None
        store.keep_secret("ca.key", b"key")
    with DatabaseStore(path) as store:
        assert store.secret("ca.key") == b"key"
        files = [file.stat().st_mode for file in path.parent.iterdir()]
    assert all(stat.S_IMODE(mode) == 0o600 for mode in files)


def test_one_process_at_a_time(tmp_path):
    path = tmp_path / "plane.db"
    with DatabaseStore(path), pytest.raises(DatabaseError, match=r"plane\.db cannot be used"):
        DatabaseStore(path)


@pytest.mark.parametrize(
    ("content", "expected", "reason"),
    [
        (b"not a database" * 100, "cannot be used", "another file"),
        (None, "has format 99, this version writes 1", "a later version's"),
    ],
)
def test_other_files_are_refused_and_left_alone(tmp_path, content, expected, reason):
    path = tmp_path / "plane.db"
    if content is None:
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 99")
        database.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=expected):
        DatabaseStore(path)
    assert path.read_bytes() == before, reason
