from concurrent.futures import ThreadPoolExecutor

import pygit2
import pytest
from pygit2.enums import FileMode

from fluvial.source.flags import SourceFlags
from fluvial.source.git.command import GitCommand
from fluvial.source.git.credentials import Access
from fluvial.source.git.mirror import Mirror

HOST = "http://git.test/"


class Origin:
    """A repository that a remote serves, written without a work tree."""

    def __init__(self, path):
        self.path = path
        self.repository = pygit2.init_repository(str(path), bare=True, initial_head="main")

    def commit(self, files, branch="main", message="a commit", time=1_700_000_000):
        """Put a tree on a branch; a value may be bytes or text, or (text, file mode)."""
        index = pygit2.Index()
        for path, content in files.items():
            text, mode = content if isinstance(content, tuple) else (content, FileMode.BLOB)
            data = text.encode() if isinstance(text, str) else text
            index.add(pygit2.IndexEntry(path, self.repository.create_blob(data), mode))
        tree = index.write_tree(self.repository)
        ref = f"refs/heads/{branch}"
        known = ref in self.repository.references
        parents = [self.repository.references[ref].target] if known else []
        who = pygit2.Signature("Ada", "ada@example.com", time, 0)
        return str(self.repository.create_commit(ref, who, who, message, tree, parents))

    def tag(self, name, commit, *, annotated=False):
        if annotated:
            who = pygit2.Signature("Ada", "ada@example.com", 1_700_000_000, 0)
            kind = pygit2.enums.ObjectType.COMMIT
            return str(self.repository.create_tag(name, pygit2.Oid(hex=commit), kind, who, "t"))
        self.repository.create_reference(f"refs/tags/{name}", pygit2.Oid(hex=commit), force=True)
        return commit


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path / "remotes" / "apps.git")


@pytest.fixture
def executor():
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def command(tmp_path, executor):
    """Git, with repositories below tmp_path/remotes in place of http://git.test/."""
    home = tmp_path / "home"
    home.mkdir()
    remotes = (tmp_path / "remotes").as_uri()
    return GitCommand(
        home,
        executor,
        protocols="file",
        configuration={f"url.{remotes}/.insteadOf": HOST},
    )


@pytest.fixture
def access():
    return Access.to(f"{HOST}apps.git")


@pytest.fixture
def mirror(tmp_path, command, executor):
    return Mirror(tmp_path / "mirrors" / "apps.git", command, executor, timeout=30.0)


@pytest.fixture
def flags(tmp_path):
    """Make the flags of a controller without fixed ports, that stores below tmp_path."""
    storage = tmp_path / "storage"
    storage.mkdir()
    return SourceFlags(
        metrics_addr="0",
        health_addr="0",
        storage_path=str(storage),
        storage_addr="127.0.0.1:0",
        storage_adv_addr="artifacts.test",
        interval_jitter_percentage=0,
    )


@pytest.fixture
def requested():
    """Annotations that ask for a reconcile."""
    return lambda token: {"reconcile.fluxcd.io/requestedAt": token}
