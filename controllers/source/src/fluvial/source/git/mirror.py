"""The kept bare mirror of one remote: asked first, fetched only when something moved.

A mirror holds one commit deep of what was last wanted; the next fetch brings what differs from it.
It is a cache: whatever is wrong with it is mended by starting over.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, TypeVar

import pygit2

from fluvial.source.git.command import GitCommand
from fluvial.source.git.credentials import Access
from fluvial.source.git.errors import (
    CommandFailed,
    MirrorCorrupt,
    ObjectUnreadable,
    Redirected,
    ReferenceNotFound,
)
from fluvial.source.git.redirect import followed, location_of
from fluvial.source.git.reference import (
    Reference,
    Target,
    candidates,
    explain_absence,
    patterns,
)
from fluvial.source.git.tree import Commit, CommitTree

__all__ = ["Mirror"]

T = TypeVar("T")

_log = logging.getLogger("fluvial.source.git")

_TARGET: Final = "refs/fluvial/target"
_PACKS: Final = 24
"""Every fetch adds a pack; so many are gathered into one."""
_UNADVERTISED: Final = "does not allow request for unadvertised object"


class Mirror:
    """A bare repository at `path`, fed from remotes through `command`.

    `timeout` is in seconds and holds for each command. Not for concurrent use: one object's
    reconciles come one after another.
    """

    def __init__(
        self, path: Path, command: GitCommand, executor: Executor, *, timeout: float
    ) -> None:
        self.path = path
        self._command = command
        self._executor = executor
        self._timeout = timeout
        self._moved: dict[str, Access] = {}

    async def resolve(self, reference: Reference, access: Access) -> list[Target]:
        """Ask the remote what `reference` stands for now; nothing is fetched.

        Several targets are tags of one version: `newest` chooses. Raises ReferenceNotFound,
        RepositoryEmpty or CommandFailed.
        """
        wanted = patterns(reference)
        advertised = await self._list(access, wanted) if wanted else {}
        try:
            return candidates(reference, advertised)
        except ReferenceNotFound:
            explain_absence(await self._list(access, []))
            raise

    async def fetch(self, target: Target, access: Access) -> Target:
        """Bring the target's commit here and return it as it arrived.

        The remote may have moved since it was asked: what is here now is the truth. A commit that
        is here already costs nothing. A damaged mirror is dropped and fetched whole, once.
        """
        try:
            return await self._fetch(target, access)
        except (MirrorCorrupt, ObjectUnreadable) as error:
            _log.warning("git mirror is rebuilt", extra={"mirror": self.path.name, "why": error})
            await self.discard()
            return await self._fetch(target, access)

    async def newest(self, targets: Sequence[Target], access: Access) -> Target:
        """Fetch each target and return the one whose commit is the newest."""
        arrived = [await self.fetch(target, access) for target in targets]
        if len(arrived) == 1:
            return arrived[0]
        times = [(await self.commit(target.commit)).time for target in arrived]
        return max(zip(times, arrived, strict=True), key=lambda pair: pair[0])[1]

    async def commit(self, id: str) -> Commit:
        """Read a commit. Raises ObjectUnreadable."""
        return await self._thread(lambda: CommitTree(self.path, id).commit)

    async def discard(self) -> None:
        """Remove the mirror."""
        await self._thread(lambda: shutil.rmtree(self.path, ignore_errors=True))

    async def _fetch(self, target: Target, access: Access) -> Target:
        await self._ready()
        by_commit = target.ref == target.commit
        if by_commit and await self._holds(target.commit):
            return target
        refspec = f"+{target.ref}:{_TARGET}"
        try:
            await self._transfer(access, refspec, "--depth=1")
        except CommandFailed as error:
            if not by_commit or _UNADVERTISED not in str(error):
                raise
            # An old server gives a commit only along with a branch that leads to it.
            branches = f"refs/heads/{target.label or '*'}"
            kept = branches.replace("refs/heads", "refs/fluvial/heads")
            await self._transfer(access, f"+{branches}:{kept}", "--depth=2147483647")
        if by_commit:
            await self.commit(target.commit)
            return target
        arrived = await self._thread(self._arrived)
        await self._gather()
        return target.at(arrived)

    async def _ready(self) -> None:
        if not (self.path / "HEAD").is_file():
            await self.discard()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--bare", "--template=", "--", str(self.path))

    async def _list(self, access: Access, wanted: Sequence[str]) -> dict[str, str]:
        await self._ready()
        answer = await self._remote(access, ("ls-remote", "--quiet"), wanted)
        lines = (line.split("\t", 1) for line in answer.decode("utf-8", "replace").splitlines())
        return {pair[1]: pair[0] for pair in lines if len(pair) == 2}

    async def _transfer(self, access: Access, refspec: str, depth: str) -> None:
        command = (
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *("--no-recurse-submodules", "--update-shallow", depth),
        )
        await self._remote(access, command, [refspec])

    async def _remote(
        self, access: Access, command: Sequence[str], operands: Sequence[str]
    ) -> bytes:
        """Run a command that speaks to the remote, at the address that it moved to if it did."""
        here = self._moved.get(access.url, access)
        try:
            return await self._ask(here, command, operands)
        except Redirected:
            moved = await self._follow(here)
            if moved is None:
                raise
        self._moved[access.url] = moved
        return await self._ask(moved, command, operands)

    async def _ask(self, access: Access, command: Sequence[str], operands: Sequence[str]) -> bytes:
        with access.grant() as grant:
            return await self._git(
                *command,
                "--",
                access.url,
                *operands,
                configuration=grant.configuration,
                environment=grant.environment,
                secrets=grant.secrets,
            )

    async def _follow(self, access: Access) -> Access | None:
        """Ask, without credentials, where the remote is; None unless it is on the same host."""
        trace = self.path / "redirect.trace"
        with access.anonymous().grant() as grant:
            environment = {
                **grant.environment,
                "GIT_TRACE_CURL": str(trace),
                "GIT_TRACE_CURL_NO_DATA": "1",
            }
            with contextlib.suppress(CommandFailed):
                await self._git(
                    *("ls-remote", "--quiet", "--", access.url, "HEAD"),
                    configuration={**grant.configuration, "http.followRedirects": "false"},
                    environment=environment,
                )

        def read() -> str:
            try:
                return trace.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return ""
            finally:
                trace.unlink(missing_ok=True)

        location = location_of(await self._thread(read))
        url = followed(access.url, location) if location else None
        return access._replace(url=url) if url else None

    async def _git(
        self,
        *arguments: str,
        configuration: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> bytes:
        return await self._command.run(
            *arguments,
            directory=self.path,
            timeout=self._timeout,
            configuration=configuration,
            environment={**(environment or {}), "GIT_DIR": str(self.path)},
            secrets=secrets,
        )

    async def _holds(self, commit: str) -> bool:
        try:
            await self.commit(commit)
        except ObjectUnreadable:
            return False
        return True

    def _arrived(self) -> str:
        try:
            repository = pygit2.Repository(str(self.path))
            return str(repository.lookup_reference(_TARGET).peel(pygit2.Commit).id)
        except (pygit2.GitError, KeyError) as error:
            raise ObjectUnreadable(f"what was fetched is no commit: {error}") from error

    async def _gather(self) -> None:
        """Pack again once in a while; a failure costs space, nothing else."""
        packs = await self._thread(lambda: len(list(self.path.glob("objects/pack/*.pack"))))
        if packs >= _PACKS:
            with contextlib.suppress(CommandFailed):
                await self._git("gc", "--quiet", "--prune=now")

    async def _thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
