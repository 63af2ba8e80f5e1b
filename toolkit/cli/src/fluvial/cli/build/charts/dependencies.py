"""`--dependency-update` and `--dependency-build`: charts/ and its lock file, as helm fills them."""

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from os.path import normpath
from pathlib import Path
from typing import Any, Final

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.fetching import fetch_package, find_tag
from fluvial.cli.build.charts.indexes import LOCAL, Indexes, Say
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.render.helm import Chart, ChartError, load_chart
from fluvial.render.helm.repository import (
    ChartNotFound,
    Locked,
    RepositoryError,
    check_lock,
    is_version,
    lock_digest,
    lock_name,
    lock_text,
    package_chart,
    package_name,
    satisfies,
)
from fluvial.render.kustomize import DiskTree
from fluvial.toolkit.oci import SCHEME
from fluvial.toolkit.web import WebError, resolve

__all__ = ["build_dependencies", "update_dependencies"]

_NOT_AN_ADDRESS: Final = """
Note that repositories must be URLs or aliases. For example, to refer to the "example"
repository, use "https://charts.example.com/" or "@example" instead of
"example". Don't forget to add the repo, too ('helm repo add')."""


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
    except (RepositoryError, ChartError, WebError, OSError) as error:
        raise ChartUnavailable(str(error)) from None


class _Dependencies:
    """The dependencies of one chart in a folder."""

    def __init__(self, folder: Path, chart: Chart, settings: ChartSettings, say: Say) -> None:
        self._folder = folder
        self._chart = chart
        # Packages of dependencies are not verified, in helm neither.
        self._settings = dataclasses.replace(settings, verify=False)
        self._say = say
        self._indexes = Indexes(self._settings, say)
        self._declared = [dict(one) for one in chart.metadata.get("dependencies", [])]

    async def update(self) -> None:
        """Do what `helm dependency update` does."""
        self._resolve_names()
        await self._indexes.refresh(one["repository"] for one in self._declared)
        locked = await self._save(await self._choose())
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
        await self._indexes.refresh(one.repository for one in locked)
        await self._save(locked)

    def _resolve_names(self) -> None:
        """Put addresses in the place of the names of repositories."""
        unknown = []
        for one in self._declared:
            repository = one["repository"]
            if repository.startswith(LOCAL):
                self._local(repository)
            elif repository:
                address = self._indexes.address(repository)
                if address is None:
                    unknown.append(repository)
                else:
                    one["repository"] = address
        if unknown:
            named = all(one.startswith(("@", "alias:")) for one in unknown)
            raise ChartUnavailable(
                f"no repository definition for {', '.join(unknown)}. "
                f"Please add them via 'helm repo add'{'' if named else _NOT_AN_ADDRESS}"
            )

    def _local(self, repository: str) -> Path:
        """Return the folder that a path relative to the chart names."""
        path = Path(normpath(self._folder / repository.removeprefix(LOCAL)))
        if not path.exists():
            raise ChartUnavailable(f"directory {path} not found")
        return path

    async def _choose(self) -> list[Locked]:
        """Choose the newest version in each range."""
        chosen, missing = [], []
        for one in self._declared:
            name, wanted, repository = one["name"], one.get("version", ""), one["repository"]
            satisfies(name, wanted, "0.0.0")  # says whether it is a range at all
            version = await self._newest(name, wanted, repository)
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

    async def _newest(self, name: str, wanted: str, repository: str) -> str:
        """Return the newest version in a range; empty when there is none.

        Of what must be in charts/, and of a registry without a fitting tag, the range stays.
        """
        if not repository:
            self._local(f"{LOCAL}charts/{name}")
            return wanted
        if repository.startswith(LOCAL):
            version = load_chart(DiskTree(self._local(repository))).version
            return version if satisfies(name, wanted, version) else ""
        if repository.startswith(SCHEME):
            if is_version(wanted):
                return wanted
            access = self._indexes.access(repository)
            try:
                return await find_tag(f"{repository}/{name}", wanted, access, self._settings)
            except ChartUnavailable as error:
                raise ChartUnavailable(
                    f"could not retrieve list of tags for repository {repository}: {error}"
                ) from None
        index = self._indexes.of(repository)
        if name not in index:
            raise ChartUnavailable(f"{name} chart not found in repo {repository}")
        try:
            return index.find(name, wanted, fetchable=True).version
        except ChartNotFound:
            return ""

    async def _save(self, locked: list[Locked]) -> list[Locked]:
        """Get every package, and only then put them into charts/; return the final versions."""
        charts = self._folder / "charts"
        if charts.exists() and not charts.is_dir():
            raise ChartUnavailable(f'"{charts}" is not a directory')
        charts.mkdir(exist_ok=True)
        self._say(f"Saving {len(locked)} charts")
        packages: dict[str, bytes] = {}
        asked: set[Locked] = set()
        try:
            final = [await self._get(one, packages, asked) for one in locked]
        except (ChartUnavailable, RepositoryError, ChartError) as error:
            self._say(f"Save error occurred:  {error}")
            raise
        self._replace(charts, packages, {one.name for one in locked if not one.repository})
        return final

    async def _get(self, one: Locked, packages: dict[str, bytes], asked: set[Locked]) -> Locked:
        """Get one package into `packages`, unless it was `asked` for."""
        if not one.repository:
            self._say(
                f"Dependency {one.name} did not declare a repository. Assuming it exists in the "
                "charts directory"
            )
            self._check_vendored(one)
            return one
        if one.repository.startswith(LOCAL):
            chart = load_chart(DiskTree(self._local(one.repository)))
            if not satisfies(one.name, one.version, chart.version):
                raise ChartUnavailable(f"can't get a valid version for dependency {one.name}")
            packages[package_name(chart)] = package_chart(chart)
            return Locked(one.name, chart.version, one.repository)
        if one in asked:
            self._say(f"Already downloaded {one.name} from repo {one.repository}")
            return one
        asked.add(one)
        self._say(f"Downloading {one.name} from repo {one.repository}")
        url, digest = self._address(one)
        access = self._indexes.access(one.repository)
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

    def _address(self, one: Locked) -> tuple[str, str]:
        """Return where a package is, and the digest that an index gives for it."""
        if one.repository.startswith(SCHEME):
            return f"{one.repository}/{one.name}", ""
        try:
            found = self._indexes.of(one.repository).find(one.name, one.version, fetchable=True)
        except ChartNotFound:
            raise ChartUnavailable(
                f"could not find : chart {one.name} not found in {one.repository}: chart "
                f'"{one.name}" version "{one.version}" not found in {one.repository} repository'
            ) from None
        return resolve(one.repository, found.urls[0]), found.digest

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
