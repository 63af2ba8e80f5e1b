"""The indexes that dependencies need: fetched all at once, or else as helm fetched them before."""

import asyncio
import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Final

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.fetching import Access, fetch_index
from fluvial.cli.build.charts.repositories import Entry, Repositories, cached_index
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.render.helm.repository import Index
from fluvial.toolkit.oci import SCHEME
from fluvial.toolkit.web import WebError, same_url

__all__ = ["LOCAL", "Indexes", "Say"]

LOCAL: Final = "file://"
"""What repositories on this disk begin with."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_ALIAS: Final = "alias:"

Say = Callable[[str], object]
"""Takes a line of progress."""


class Indexes:
    """What is known of the repositories that dependencies name."""

    def __init__(self, settings: ChartSettings, say: Say) -> None:
        """Read the named repositories. Raises ChartUnavailable."""
        self._settings = settings
        self._say = say
        self._known = Repositories.load(settings.repository_config).entries()
        self._fetched: dict[str, Index] = {}

    def address(self, repository: str) -> str | None:
        """Return the address that `@name` and `alias:name` stand for; None for what is none."""
        entry = self._entry(repository)
        if repository.startswith(_ALIAS) or not _ADDRESS.match(repository):
            return entry.url if entry else None
        return repository

    def _entry(self, repository: str) -> Entry | None:
        """Return the named repository that is meant."""
        for entry in self._known:
            if repository in {f"@{entry.name}", f"{_ALIAS}{entry.name}"}:
                return entry
            if _ADDRESS.match(repository) and same_url(entry.url, repository):
                return entry
        return None

    def access(self, repository: str) -> Access:
        """Return who asks: nobody, unless the repository has a name and credentials."""
        anyone = dataclasses.replace(self._settings, username="", password="")
        return Access.of_entry(anyone, self._entry(repository) or Entry(url=repository))

    async def refresh(self, repositories: Iterable[str]) -> None:
        """Fetch the indexes of addresses without a name, then of all that have one, as helm does.

        What cannot be fetched is only told: the index that was fetched before may do.
        """
        unnamed = {
            _key(url): Entry(url=url)
            for url in repositories
            if url and not url.startswith((LOCAL, SCHEME)) and self._entry(url) is None
        }
        if unnamed:
            self._say("Getting updates for unmanaged Helm repositories...")
            await self._fetch(unnamed.values())
        if self._known:
            self._say("Hang tight while we grab the latest from your chart repositories...")
            await self._fetch(self._known)
            self._say("Update Complete. ⎈Happy Helming!⎈")

    async def _fetch(self, entries: Iterable[Entry]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for entry in entries:
                tasks.create_task(self._fetch_one(entry))

    async def _fetch_one(self, entry: Entry) -> None:
        shown = entry.name or entry.url
        try:
            self._fetched[_key(entry.url)] = await fetch_index(self.access(entry.url))
        except (ChartUnavailable, WebError) as error:
            where = f" ({entry.url})" if entry.name else ""
            self._say(
                f'...Unable to get an update from the "{shown}" chart repository{where}:\n\t{error}'
            )
        else:
            self._say(f'...Successfully got an update from the "{shown}" chart repository')

    def of(self, repository: str) -> Index:
        """Return the index of a repository. Raises ChartUnavailable."""
        found = self._fetched.get(_key(repository))
        if found is not None:
            return found
        entry = self._entry(repository)
        digest = hashlib.sha256(repository.encode()).hexdigest()
        name = entry.name if entry else f"helm-manager-{digest}"
        try:
            return cached_index(self._settings.repository_cache, name)
        except ChartUnavailable as error:
            raise ChartUnavailable(
                f"no cached repository for {name} found. (try 'helm repo update'): {error}"
            ) from None


def _key(url: str) -> str:
    return url.removesuffix("/")
