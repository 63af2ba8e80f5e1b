"""The files of a chart, read from a folder or an archive of the source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec

from fluvial.source.helmchart.helmignore import FILE_NAME, HelmIgnore, HelmIgnoreInvalid
from fluvial.toolkit.artifacts import ArchiveRejected, Limits, unpack

__all__ = ["ChartFiles", "ChartUnreadable", "Sizes", "inside"]

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class ChartUnreadable(Exception):  # noqa: N818  (a fact; the caller says what it means)
    """Files that Helm would not load; the message names the file."""


class Sizes(msgspec.Struct, frozen=True):
    """How large a chart, and one file of it, may be, in bytes."""

    chart: int = 10 << 20
    file: int = 5 << 20


class ChartFiles(NamedTuple):
    """The files by their path in the chart, with slashes."""

    files: dict[str, bytes]

    @classmethod
    def from_folder(cls, folder: Path, sizes: Sizes) -> Self:
        """Read a folder, less what its `.helmignore` names. Raises ChartUnreadable."""
        ignoring = folder / FILE_NAME
        try:
            text = ignoring.read_text(errors="replace") if ignoring.is_file() else ""
            rules = HelmIgnore.parse(text)
        except HelmIgnoreInvalid as error:
            raise ChartUnreadable(str(error)) from error
        return cls._read(folder, sizes, rules)

    @classmethod
    def from_archive(cls, archive: Path, room: Path, sizes: Sizes) -> Self:
        """Read a packaged chart, by way of the new folder `room`. Raises ChartUnreadable."""
        if archive.stat().st_size > sizes.chart:
            raise ChartUnreadable(f"size of chart exceeds {sizes.chart} bytes limit")
        try:
            with archive.open("rb") as source:
                unpack(source, room, Limits(bytes=2 * sizes.chart))
        except ArchiveRejected as error:
            raise ChartUnreadable(f"{error}") from error
        found = list(room.iterdir())
        if len(found) != 1 or not found[0].is_dir():
            raise ChartUnreadable("a packaged chart holds one folder and nothing beside it")
        return cls._read(found[0], sizes, None)

    @classmethod
    def _read(cls, folder: Path, sizes: Sizes, rules: HelmIgnore | None) -> Self:
        found: dict[str, bytes] = {}
        total = 0
        for path, file in _walk(folder, "", rules):
            size = file.stat().st_size
            total += size
            if size > sizes.file:
                raise ChartUnreadable(
                    f"cannot load file {path} as file size ({size}) exceeds limit ({sizes.file})"
                )
            if total > sizes.chart:
                raise ChartUnreadable(f"size of chart exceeds {sizes.chart} bytes limit")
            found[path] = file.read_bytes().removeprefix(_BYTE_ORDER_MARK)
        return cls(found)


def inside(root: Path, path: str) -> Path:
    """Join so that no `..` leads out of `root`: there it stays. Nothing below may be a link."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in {"", "."}:
            parts.append(part)
    return root.joinpath(*parts)


def _walk(folder: Path, prefix: str, rules: HelmIgnore | None) -> Iterator[tuple[str, Path]]:
    for child in sorted(folder.iterdir()):
        path = prefix + child.name
        is_folder = child.is_dir()
        if rules is not None and rules.ignores(path, folder=is_folder):
            continue
        if is_folder:
            yield from _walk(child, f"{path}/", rules)
        else:
            yield path, child
