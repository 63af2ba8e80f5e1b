"""The repository of the demo: a work tree that is pushed over smart HTTP."""

import asyncio
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

from fluvial.cli.demo.errors import StepFailed

__all__ = ["BAD", "FIRST", "GOOD", "NEW_CONFIG", "Project", "Version"]

_SOURCE: Final = resources.files("fluvial.cli.demo") / "repository"
_BRANCH: Final = "main"


@dataclass(frozen=True, kw_only=True)
class Version:
    """What differs between the commits; `tag` is the image's, `message` is in the ConfigMap."""

    tag: str
    message: str = "Hello"
    error_rate: str = "0"
    metrics: str = "on"

    @property
    def label(self) -> str:
        """What the load generator reads from this version's answers."""
        return f"{self.tag}, {self.message}"


FIRST: Final = Version(tag="1.0.0")
GOOD: Final = Version(tag="1.1.0")
BAD: Final = Version(tag="1.2.0", error_rate="0.2")
NEW_CONFIG: Final = Version(tag="1.1.0", message="Welcome")


class Project:
    """A work tree in `folder` with the bare repository `remote` at `url` as its origin."""

    def __init__(self, folder: Path, remote: Path, url: str) -> None:
        self._tree = folder
        self._remote = remote
        self.url = url

    async def create(self) -> None:
        """Make both repositories, with git's own defaults and nobody's configuration."""
        await self._git("init", "--quiet", "--bare", f"--initial-branch={_BRANCH}", self._remote)
        await self._git("init", "--quiet", f"--initial-branch={_BRANCH}", self._tree)
        await self._git("-C", self._tree, "remote", "add", "origin", self.url)

    async def push(self, version: Version, message: str) -> str:
        """Commit the files of a version and push; returns the revision as statuses have it.

        Raises StepFailed with git's words when the push is refused.
        """
        await asyncio.to_thread(_write, self._tree, version)
        await self._git("-C", self._tree, "add", "--all")
        await self._git("-C", self._tree, "commit", "--quiet", "--allow-empty", "-m", message)
        await self._git("-C", self._tree, "push", "--quiet", "origin", _BRANCH)
        return f"{_BRANCH}@sha1:{await self._git('-C', self._tree, 'rev-parse', 'HEAD')}"

    async def refuse_pushes(self) -> None:
        """Let the Git host say no from now on (a fault of the demo)."""
        hook = self._remote / "hooks" / "pre-receive"
        await asyncio.to_thread(_write_hook, hook, "#!/bin/sh\necho no pushes today\nexit 1\n")

    async def _git(self, *arguments: str | Path) -> str:
        process = await asyncio.create_subprocess_exec(
            *("git", *map(str, arguments)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(20):
                out, err = await process.communicate()
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if process.returncode:
            verb = next(str(a) for a in arguments if str(a) in {"init", "push", "commit", "add"})
            said = err.decode(errors="replace").strip()
            raise StepFailed(f"git {verb} failed: {said}", process="githost")
        return out.decode().strip()


def _environment() -> dict[str, str]:
    who = {"NAME": "Ada", "EMAIL": "ada@example.com"}
    people = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **people,
    }


def _write(tree: Path, version: Version) -> None:
    values = {
        "TAG": version.tag,
        "MESSAGE": version.message,
        "ERROR_RATE": version.error_rate,
        "METRICS": version.metrics,
    }
    for folder in ("apps/base", "apps/demo", "charts/banner", "charts/banner/templates"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
        for entry in _SOURCE.joinpath(folder).iterdir():
            if not entry.is_file():
                continue
            text = entry.read_text(encoding="utf-8")
            if folder == "apps/demo":
                text = Template(text).substitute(values)
            (tree / folder / entry.name).write_text(text, encoding="utf-8")


def _write_hook(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(0o700)
