"""The git command, run so that nothing but its arguments and our environment steers it.

GitPython starts the process; what it leaves open is closed here: variables of Git that this
process inherited are unset, system and user configuration, hooks, prompts and every protocol but
http, https and ssh are off, output is bounded, and the deadline kills the whole process group
(git works through children such as git-remote-https and ssh).
"""

import asyncio
import contextlib
import os
import re
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, cast

from git.cmd import Git

from fluvial.source.git.errors import (
    AuthenticationRefused,
    CommandFailed,
    CommandTimedOut,
    MirrorCorrupt,
    OutputTooLarge,
    Redirected,
)

__all__ = ["GitCommand", "locked_environment"]

PROTOCOLS: Final = "http:https:ssh"
OUTPUT_LIMIT: Final = 64 * 2**20
"""A listing of half a million references stays below this."""
STDERR_LIMIT: Final = 16 * 2**10
MEMORY_LIMIT: Final = 4 * 2**30
"""Address space of one git process: a delta bomb ends that process and no other."""
FILE_LIMIT: Final = 16 * 2**30
"""The largest pack that is taken from a remote, in bytes."""

CONFIGURATION: Final = {
    "core.hooksPath": os.devnull,
    "core.askPass": "",
    "core.attributesFile": os.devnull,
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "0",
    "fetch.fsckObjects": "true",
    # Harmless faults that old versions of well-known tools left in honest histories.
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "fetch.fsck.hasDotgit": "error",
    "fetch.recurseSubmodules": "false",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "30",
    "pack.threads": "2",
    "core.packedGitWindowSize": "32m",
    "core.packedGitLimit": "256m",
    "protocol.version": "2",
    "safe.bareRepository": "all",
}

_REDIRECTS = re.compile(r"returned error: 30[12378]\b")
_AUTHENTICATION = re.compile(
    r"authentication failed|could not read (?:username|password)|returned error: 40[13]\b"
    r"|permission denied \(|terminal prompts disabled|host key verification failed",
    re.IGNORECASE,
)
_CORRUPT = re.compile(
    r"is corrupt|bad object refs/|bad config|object file .* is empty|unable to read (?:tree|sha1)"
    r"|not a git repository|packfile .* (?:cannot be accessed|is far too short|does not match)"
    r"|invalid index-pack|shallow file has changed",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]+")
_PROGRESS = re.compile(r"(?:remote: )?\w+ (?:objects|deltas): +\d")
_USERINFO = re.compile(r"(?<=://)[^/\s@'\"]+@")


def locked_environment(
    home: Path, configuration: Mapping[str, str], protocols: str = PROTOCOLS
) -> dict[str, str]:
    """Return the variables for one command: Git reads nothing outside of them.

    `configuration` is added to, and wins over, the locked defaults. It travels in the environment
    (GIT_CONFIG_COUNT), so values such as an authorization header never show in a process list.
    `home` is an empty directory that stands in for the user's.
    """
    merged = {**CONFIGURATION, **configuration}
    environment = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        # A command line of our own choice would be a shell; only the ssh transport sets one.
        "GIT_SSH_COMMAND": "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes",
        "GIT_CONFIG_COUNT": str(len(merged)),
    }
    for index, (key, value) in enumerate(merged.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """Return what git said, fit for a status: one line, no secret, no user information."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "*****")
    lines = (_UNPRINTABLE.sub(" ", line).strip() for line in text.splitlines())
    said = "; ".join(line for line in lines if line and not _PROGRESS.match(line))
    return _USERINFO.sub("", said)[:1024]


class GitCommand:
    """Runs git commands in the threads of `executor`.

    The executor is the caller's and not the loop's default one: name look-ups share that, and a
    slow remote must not be able to hold up a lease renewal. `home` is an empty folder. Other
    `protocols` and further `configuration` are for remotes that are no servers, as in tests.
    """

    def __init__(
        self,
        home: Path,
        executor: Executor,
        *,
        protocols: str = PROTOCOLS,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home
        self._executor = executor
        self._protocols = protocols
        self._configuration = dict(configuration or {})

    async def run(
        self,
        *arguments: str,
        directory: Path,
        timeout: float,  # noqa: ASYNC109 (the deadline also has to reach the process)
        configuration: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        limit: int = OUTPUT_LIMIT,
    ) -> bytes:
        """Run `git <arguments>` in `directory` and return its standard output.

        `timeout` is in seconds, `limit` in bytes; `secrets` are blotted out of error messages.
        Raises CommandFailed or one of its subclasses. When the caller is cancelled the process
        group is killed before the cancellation goes on.
        """
        merged = {**self._configuration, **(configuration or {})}
        variables = locked_environment(self._home, merged, self._protocols)
        variables.update(environment or {})
        process = _Process(arguments, directory, variables, time.monotonic() + timeout, limit)
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, process.run)
        try:
            status, output, said = await asyncio.shield(future)
        except asyncio.CancelledError:
            process.kill()
            await asyncio.wait([future])
            raise
        if process.overdue:
            raise CommandTimedOut(arguments[0], f"git {arguments[0]} took over {timeout:g}s")
        if process.flooded:
            raise OutputTooLarge(arguments[0], f"git {arguments[0]} answered over {limit} bytes")
        if status != 0:
            raise _failure(arguments[0], status, clean(said, secrets))
        return output


def _failure(verb: str, status: int, said: str) -> CommandFailed:
    """Choose the class of error by what git said; its exit status is 128 for nearly everything."""
    if status < 0:
        said = f"git {verb} was ended by {signal.Signals(-status).name}; {said}".rstrip("; ")
    if _REDIRECTS.search(said):
        return Redirected(verb, said)
    if "terminal prompts disabled" in said:
        # Git wanted to ask somebody: the remote answered 401.
        said = "authentication required: the remote refused the credentials, or there are none"
        return AuthenticationRefused(verb, said)
    if _AUTHENTICATION.search(said):
        return AuthenticationRefused(verb, said)
    if _CORRUPT.search(said):
        return MirrorCorrupt(verb, said)
    return CommandFailed(verb, said or f"git {verb} failed with status {status}")


class _Process:
    """One run of git: started, read and reaped in one thread, killable from another."""

    def __init__(
        self,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        deadline: float,
        limit: int,
    ) -> None:
        # GitPython adds to this process's environment; what it inherited from Git must go.
        stray = [name for name in os.environ if name.startswith("GIT_") and name not in environment]
        unset = ["env", *(word for name in stray for word in ("-u", name))] if stray else []
        self._command = [*unset, "git", *arguments]
        self._directory = directory
        self._environment = environment
        self._deadline = deadline
        self._limit = limit
        self._popen: subprocess.Popen[bytes] | None = None
        self._killed = False
        self.overdue = False
        self.flooded = False

    def kill(self) -> None:
        """End the process group; a process that has not been started yet never will be."""
        self._killed = True
        popen = self._popen
        if popen is not None and popen.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)

    def run(self) -> tuple[int, bytes, str]:
        """Return exit status, standard output and standard error."""
        if self._killed:
            return -signal.SIGKILL, b"", ""
        handle = Git(self._directory).execute(
            self._command, as_process=True, env=dict(self._environment), start_new_session=True
        )
        popen = self._popen = cast("subprocess.Popen[bytes]", handle.proc)
        if self._killed:
            self.kill()
        for which, most in (
            (resource.RLIMIT_AS, MEMORY_LIMIT),
            (resource.RLIMIT_FSIZE, FILE_LIMIT),
        ):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                resource.prlimit(popen.pid, which, (most, most))
        try:
            return self._read(popen)
        finally:
            self.kill()
            popen.wait()
            for pipe in (popen.stdout, popen.stderr):
                if pipe is not None:
                    pipe.close()

    def _read(self, popen: subprocess.Popen[bytes]) -> tuple[int, bytes, str]:
        output, said = bytearray(), bytearray()
        assert popen.stdout is not None
        assert popen.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(popen.stdout, selectors.EVENT_READ, output)
            selector.register(popen.stderr, selectors.EVENT_READ, said)
            while selector.get_map():
                for key, _ in selector.select(max(0.0, self._deadline - time.monotonic())):
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    key.data.extend(chunk)
                del said[:-STDERR_LIMIT]
                self.flooded = len(output) > self._limit
                self.overdue = not self._killed and time.monotonic() >= self._deadline
                if self.flooded or self.overdue:
                    return -signal.SIGKILL, b"", ""
        try:
            status = popen.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.overdue = True
            status = -signal.SIGKILL
        return status, bytes(output), said.decode("utf-8", "replace")
