"""A chart that is not on this disk: in a repository, in a registry, or at an address."""

import asyncio
import json
import sys
from typing import Final, NamedTuple
from urllib.parse import SplitResult

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.fetching import Access, fetch_index, fetch_package
from fluvial.cli.build.charts.repositories import Entry, Repositories, cached_index
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.cli.build.charts.verifying import verify
from fluvial.render.helm.repository import (
    ChartNotFound,
    ChartVersion,
    Index,
    is_range,
)
from fluvial.toolkit.oci import SCHEME
from fluvial.toolkit.web import UrlInvalid, WebClient, WebError, resolve, shown, split

__all__ = ["fetch_chart", "fetch_file", "find"]

_LARGEST_FILE: Final = 5 << 20


def fetch_chart(place: str, settings: ChartSettings) -> bytes:
    """Return the package of a chart that is not on this disk. Raises ChartUnavailable."""
    try:
        return asyncio.run(_fetched(place, settings))
    except WebError as error:
        raise ChartUnavailable(str(error)) from None


def fetch_file(url: str) -> bytes:
    """Return a values file that is at an address. Raises ChartUnavailable."""

    async def fetch() -> bytes:
        async with WebClient() as client:
            return (await client.get(url, largest=_LARGEST_FILE)).body

    try:
        return asyncio.run(fetch())
    except WebError as error:
        raise ChartUnavailable(str(error)) from None


async def _fetched(place: str, settings: ChartSettings) -> bytes:
    """Fetch what `place` names, and verify it if need be. Raises ChartUnavailable."""
    wanted = _Wanted(place, Access.of_flags(settings, place), version=settings.version)
    if settings.repo:
        wanted = await _in_repository(place, settings)
    elif not place.startswith(SCHEME):
        wanted = _by_name(place, settings)
    fetched = await fetch_package(
        wanted.url, wanted.access, settings, version=wanted.version, digest=wanted.digest
    )
    if fetched.provenance is not None:
        verify(fetched.package, fetched.provenance, fetched.name, settings)
    return fetched.package


class _Wanted(NamedTuple):
    """A package, and who asks for it; `version` is for registries, `digest` from an index."""

    url: str
    access: Access
    version: str = ""
    digest: str = ""

    @classmethod
    def of(cls, entry: ChartVersion, repository: str, access: Access) -> "_Wanted":
        """Take the first address of an entry."""
        url = resolve(repository, entry.urls[0])
        return cls(
            url, access, "" if ":" in url.rpartition("/")[2] else entry.version, entry.digest
        )


async def _in_repository(name: str, settings: ChartSettings) -> _Wanted:
    """Find a chart in the repository of `--repo`."""
    # Credentials are for this host alone, wherever the index points to.
    access = Access.of_flags(settings, settings.repo)
    repository = shown(settings.repo)
    scheme = _split(settings.repo).scheme
    if scheme not in {"http", "https", "oci"}:
        raise ChartUnavailable(f"could not find protocol handler for: {scheme}")
    try:
        index = await fetch_index(access)
    except ChartUnavailable as error:
        raise ChartUnavailable(
            f'looks like "{repository}" is not a valid chart repository or cannot be reached: '
            f"{error}"
        ) from None
    wanted = f'chart "{name}"' + (f' version "{settings.version}"' if settings.version else "")
    try:
        entry = find(index, name, settings.version)
    except ChartNotFound:
        raise ChartUnavailable(f"{wanted} not found in {repository} repository") from None
    if not entry.urls:
        raise ChartUnavailable(f"{wanted} has no downloadable URLs")
    return _Wanted.of(entry, settings.repo, access)


def _by_name(place: str, settings: ChartSettings) -> _Wanted:
    """Take an address as it is; find `repository/chart` in an index that was fetched before."""
    repositories = Repositories.load(settings.repository_config)
    parts = _split(place)
    if parts.scheme and parts.netloc and parts.path:
        owner = _owner(place, repositories, settings)
        if owner is None:
            return _Wanted(place, Access.of_flags(settings, place))
        return _Wanted(place, Access.of_entry(settings, owner))
    repository, slash, name = "", "", ""
    if parts.netloc or not parts.scheme:  # Go sees no path behind a scheme alone
        repository, slash, name = parts.path.partition("/")
    if not slash:
        raise ChartUnavailable(
            f"non-absolute URLs should be in form of repo_name/path_to_chart, got: {place}"
        )
    named = repositories.named(repository)
    try:
        index = cached_index(settings.repository_cache, repository)
    except ChartUnavailable as error:
        raise ChartUnavailable(f"no cached repo found. (try 'helm repo update'): {error}") from None
    try:
        entry = find(index, name, settings.version)
    except ChartNotFound as error:
        raise ChartUnavailable(
            f'chart "{name}" matching {settings.version} not found in {repository} index. '
            f"(try 'helm repo update'): {error}"
        ) from None
    if not entry.urls:
        raise ChartUnavailable(f'chart "{place}" has no downloadable URLs')
    return _Wanted.of(entry, named.url, Access.of_entry(settings, named))


def _split(url: str) -> SplitResult:
    try:
        return split(url)
    except UrlInvalid:
        raise ChartUnavailable(f"invalid chart URL format: {shown(url)}") from None


def _owner(url: str, repositories: Repositories, settings: ChartSettings) -> Entry | None:
    """Return the named repository whose index has this very address: it may know a password."""
    for entry in repositories.entries():
        try:
            index = cached_index(settings.repository_cache, entry.name)
        except ChartUnavailable:
            continue  # helm fails here; an index that was never fetched owns nothing
        if index.has_url(url):
            return entry
    return None


def find(index: Index, name: str, version: str) -> ChartVersion:
    """Find a version, and warn as helm does when it is another than the one that was named.

    Raises ChartNotFound.
    """
    entry = index.find(name, version)
    for note in index.notes:
        sys.stderr.write(f"level=WARN msg={json.dumps(note)}\n")
    if version and entry.version != version and not is_range(version):
        sys.stderr.write(
            'level=WARN msg="unable to find exact version requested; falling back to closest '
            f'available version" chart={name} requested={version} selected={entry.version}\n'
        )
    return entry
