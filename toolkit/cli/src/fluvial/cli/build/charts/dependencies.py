"""`--dependency-update` and `--dependency-build`: charts/ and its lock file, as helm fills them."""

import asyncio
import dataclasses
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from os.path import normpath
from pathlib import Path
from typing import Any, Final

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.fetching import Access, fetch_index, fetch_package
from fluvial.cli.build.charts.repositories import Entry, Repositories, cached_index
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.render.helm import Chart, ChartError, load_chart
from fluvial.render.helm.repository import (
    ChartNotFound,
    Index,
    Locked,
    RepositoryError,
    check_lock,
    lock_digest,
    lock_name,
    lock_text,
    package_chart,
    package_name,
    satisfies,
)
from fluvial.render.kustomize import DiskTree
from fluvial.toolkit.oci import SCHEME
from fluvial.toolkit.web import WebError, resolve, same_url

__all__ = ["build_dependencies", "update_dependencies"]

_LOCAL: Final = "file://"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_NOT_AN_ADDRESS: Final = """
Note that repositories must be URLs or aliases. For example, to refer to the "example"
repository, use "https://charts.example.com/" or "@example" instead of
"example". Don't forget to add the repo, too ('helm repo add')."""

Say = Callable[[str], object]
"""Takes a line of progress."""


def update_dependencies(folder: Path, chart: Chart, settings: ChartSettings, say: Say) -> None:
    """Choose versions anew, fill charts/ and write the lock file. Raises ChartUnavailable."""
    _run(_Dependencies(folder, chart, settings, say).update)


def build_dependencies(folder: Path, chart: Chart, settings: ChartSettings, say: Say) -> None:
    """Fill charts/ with what the lock file names; without one, choose. Raises ChartUnavailable."""
    work = _Dependencies(folder, chart, settings, say)
    _run(work.update if chart.lock is None else work.build)


def _run(work: Callable[[], Any]) -> None:
    try:
        asyncio.run(work())
    except (RepositoryError, ChartError, WebError) as error:
        raise ChartUnavailable(str(error)) from None


class _Dependencies:
    """The dependencies of one chart in a folder."""

    def __init__(self, folder: Path, chart: Chart, settings: ChartSettings, say: Say) -> None:
        self._folder = folder
        self._chart = chart
        # Packages of dependencies are not verified, in helm neither.
        self._settings = dataclasses.replace(settings, verify=False)
        self._say = say
        self._known = Repositories.load(settings.repository_config).entries()
        self._indexes: dict[str, Index] = {}
        self._declared: list[dict[str, Any]] = [
            dict(one) for one in chart.metadata.get("dependencies", [])
        ]

    async def update(self) -> None:
        """Do what `helm dependency update` does."""
        self._resolve_names()
        await self._refresh(self._declared)
        locked = await self._save(self._choose())
        digest = lock_digest(self._declared, locked)
        if (self._chart.lock or {}).get("digest") == digest:
            return
        path = self._folder / lock_name(self._chart)
        if path.is_symlink():
            raise ChartUnavailable(f'the {path.name} file is a symlink to "{path.readlink()}"')
        path.write_text(lock_text(self._declared, locked, datetime.now(UTC)))

    async def build(self) -> None:
        """Do what `helm dependency build` does, also for repositories without a name."""
        self._resolve_names()
        locked = check_lock(self._chart, self._declared)
        await self._refresh([{"repository": one.repository} for one in locked])
        await self._save(locked)

    def _resolve_names(self) -> None:
        """Put addresses in the place of `@name` and `alias:name`."""
        unknown = []
        for one in self._declared:
            repository = one["repository"]
            if repository.startswith(_LOCAL):
                self._local(repository)
            elif repository and not repository.startswith(SCHEME):
                entry = self._entry(repository)
                if entry is not None:
                    if not _ADDRESS.match(repository) or repository.startswith("alias:"):
                        one["repository"] = entry.url
                elif repository.startswith("alias:") or not _ADDRESS.match(repository):
                    unknown.append(repository)
        if unknown:
            raise ChartUnavailable(
                f"no repository definition for {', '.join(unknown)}. "
                f"Please add them via 'helm repo add'{_note(unknown)}"
            )

    def _entry(self, repository: str) -> Entry | None:
        """Return the named repository that is meant."""
        for entry in self._known:
            if repository in {f"@{entry.name}", f"alias:{entry.name}"}:
                return entry
            if _ADDRESS.match(repository) and same_url(entry.url, repository):
                return entry
        return None

    def _local(self, repository: str) -> Path:
        """Return the folder that a path relative to the chart names."""
        path = Path(normpath(self._folder / repository.removeprefix(_LOCAL)))
        if not path.exists():
            raise ChartUnavailable(f"directory {path} not found")
        return path

    async def _refresh(self, declared: list[dict[str, Any]]) -> None:
        """Fetch the indexes: of addresses without a name, then of all that have one."""
        addresses = [
            one["repository"]
            for one in declared
            if one["repository"]
            and not one["repository"].startswith((_LOCAL, SCHEME))
            and self._entry(one["repository"]) is None
        ]
        unnamed = {url.removesuffix("/"): url for url in addresses}
        if unnamed:
            self._say("Getting updates for unmanaged Helm repositories...")
            entries = [Entry(url=url) for url in unnamed.values()]
            await self._fetch_indexes(entries)
        if self._known:
            self._say("Hang tight while we grab the latest from your chart repositories...")
            await self._fetch_indexes(self._known)
            self._say("Update Complete. ⎈Happy Helming!⎈")

    async def _fetch_indexes(self, entries: list[Entry]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for entry in entries:
                tasks.create_task(self._fetch_index(entry))

    async def _fetch_index(self, entry: Entry) -> None:
        shown = entry.name or entry.url
        try:
            self._indexes[_key(entry.url)] = await fetch_index(self._access(entry))
        except (ChartUnavailable, WebError) as error:
            where = f" ({entry.url})" if entry.name else ""
            self._say(
                f'...Unable to get an update from the "{shown}" chart repository{where}:\n\t{error}'
            )
        else:
            self._say(f'...Successfully got an update from the "{shown}" chart repository')

    def _access(self, entry: Entry) -> Access:
        """Return who asks: nobody, unless the repository has a name and credentials."""
        anyone = dataclasses.replace(self._settings, username="", password="")
        return Access.of_entry(anyone, entry)

    def _index(self, repository: str) -> Index:
        """Return what was fetched, or what helm had fetched before. Raises ChartUnavailable."""
        found = self._indexes.get(_key(repository))
        if found is not None:
            return found
        entry = self._entry(repository)
        name = entry.name if entry else f"helm-manager-{_sha256(repository)}"
        try:
            return cached_index(self._settings.repository_cache, name)
        except ChartUnavailable as error:
            raise ChartUnavailable(
                f"no cached repository for {name} found. (try 'helm repo update'): {error}"
            ) from None

    def _choose(self) -> list[Locked]:
        """Choose the newest version in each range; a registry is asked when it is pulled from."""
        chosen, missing = [], []
        for one in self._declared:
            name, wanted, repository = one["name"], one.get("version", ""), one["repository"]
            satisfies(name, wanted, "0.0.0")  # says whether it is a range at all
            version = wanted
            if not repository:
                self._local(f"{_LOCAL}charts/{name}")
            elif repository.startswith(_LOCAL):
                version = load_chart(DiskTree(self._local(repository))).version
                if not satisfies(name, wanted, version):
                    version = ""
            elif not repository.startswith(SCHEME):
                index = self._index(repository)
                if name not in index:
                    raise ChartUnavailable(f"{name} chart not found in repo {repository}")
                try:
                    version = index.find(name, wanted, fetchable=True).version
                except ChartNotFound:
                    version = ""
            if not version:
                missing.append(f'"{name}" (repository "{repository}", version "{wanted}")')
            chosen.append(Locked(name, version, repository))
        if missing:
            raise ChartUnavailable(
                f"can't get a valid version for {len(missing)} subchart(s): {', '.join(missing)}. "
                "Make sure a matching chart version exists in the repo, or change the version "
                "constraint in Chart.yaml"
            )
        return chosen

    async def _save(self, locked: list[Locked]) -> list[Locked]:
        """Get every package, and only then put them into charts/; return the final versions."""
        charts = self._folder / "charts"
        if charts.exists() and not charts.is_dir():
            raise ChartUnavailable(f'"{charts}" is not a directory')
        charts.mkdir(exist_ok=True)
        self._say(f"Saving {len(locked)} charts")
        packages: dict[str, bytes] = {}
        asked: set[tuple[str, str, str]] = set()
        try:
            final = [await self._get(one, packages, asked) for one in locked]
        except (ChartUnavailable, RepositoryError, ChartError) as error:
            self._say(f"Save error occurred:  {error}")
            raise
        self._replace(charts, packages, {one.name for one in locked if not one.repository})
        return final

    async def _get(
        self, one: Locked, packages: dict[str, bytes], asked: set[tuple[str, str, str]]
    ) -> Locked:
        """Get one package into `packages`, unless it was `asked` for."""
        if not one.repository:
            self._say(
                f"Dependency {one.name} did not declare a repository. Assuming it exists in the "
                "charts directory"
            )
            self._check_vendored(one)
            return one
        if one.repository.startswith(_LOCAL):
            chart = load_chart(DiskTree(self._local(one.repository)))
            if not satisfies(one.name, one.version, chart.version):
                raise ChartUnavailable(f"can't get a valid version for dependency {one.name}")
            packages[package_name(chart)] = package_chart(chart)
            return Locked(one.name, chart.version, one.repository)
        key = (one.repository, one.name, one.version)
        if key in asked:
            self._say(f"Already downloaded {one.name} from repo {one.repository}")
            return one
        self._say(f"Downloading {one.name} from repo {one.repository}")
        asked.add(key)
        url, access, digest = self._address(one)
        try:
            fetched = await fetch_package(
                url, access, self._settings, version=one.version, digest=digest
            )
        except ChartUnavailable as error:
            raise ChartUnavailable(f"could not download {url}: {error}") from None
        packages[fetched.name] = fetched.package
        return one

    def _check_vendored(self, one: Locked) -> None:
        """Hold a chart that must be in charts/ already against its range."""
        place = self._folder / "charts" / one.name
        try:
            version = load_chart(DiskTree(place)).version
        except ChartError as error:
            raise ChartUnavailable(f"unable to load chart '{place}': {error}") from None
        if not satisfies(one.name, one.version, version):
            raise ChartUnavailable(
                f"dependency {one.name} at version {version} does not satisfy the constraint "
                f"{one.version}"
            )

    def _address(self, one: Locked) -> tuple[str, Access, str]:
        """Return where a package is, who asks for it, and the digest that the index gives."""
        entry = self._entry(one.repository) or Entry(url=one.repository)
        access = self._access(entry)
        if one.repository.startswith(SCHEME):
            return f"{one.repository}/{one.name}", access, ""
        try:
            found = self._index(one.repository).find(one.name, one.version, fetchable=True)
        except ChartNotFound:
            raise ChartUnavailable(
                f"could not find : chart {one.name} not found in {one.repository}: chart "
                f'"{one.name}" version "{one.version}" not found in {one.repository} repository'
            ) from None
        return resolve(one.repository, found.urls[0]), access, found.digest

    def _replace(self, charts: Path, packages: dict[str, bytes], vendored: set[str]) -> None:
        """Put packages into charts/, and take out those that are no dependency any more."""
        before = sorted(path for path in charts.iterdir() if not path.is_dir())
        for name, package in packages.items():
            try:
                load_chart(package)
            except ChartError as error:
                self._say(f"Could not verify {charts / name} for moving: {error} (Skipping)")
                continue
            draft = charts / f".{name}.draft"
            draft.write_bytes(package)
            draft.replace(charts / name)
        self._say("Deleting outdated charts")
        for path in before:
            if path.name in packages:
                continue
            try:
                outdated = load_chart(path.read_bytes()).name not in vendored
            except ChartError as error:
                self._say(f"Could not verify {path} for deletion: {error} (Skipping)")
                continue
            if outdated:
                path.unlink()


def _note(unknown: list[str]) -> str:
    named = ("@", "alias:")
    return _NOT_AN_ADDRESS if any(not one.startswith(named) for one in unknown) else ""


def _key(url: str) -> str:
    return url.removesuffix("/")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
