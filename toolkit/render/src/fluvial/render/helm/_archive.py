"""From bytes or a folder to the files of a chart, within bounds."""

import gzip
import io
import re
import tarfile
import zlib
from posixpath import normpath

from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._globs import IgnoreRules
from fluvial.render.helm._model import File
from fluvial.render.kustomize import KustomizeError
from fluvial.render.kustomize.tree import Tree

__all__ = ["LARGEST_CHART", "LARGEST_FILE", "Budget", "unpack", "walk"]

LARGEST_CHART = 100 * 1024 * 1024  # bytes unpacked, nested archives included
LARGEST_FILE = 5 * 1024 * 1024
_MOST_FILES = 20_000
_DEEPEST = 40
_BOM = b"\xef\xbb\xbf"
_DRIVE = re.compile(r"^[a-zA-Z]:/")


class Budget:
    """What one chart may still unpack, whatever is nested in it. Raises ChartError at the end."""

    def __init__(self, size: int = LARGEST_CHART, files: int = _MOST_FILES) -> None:
        self.left = size
        self._files = files
        self._size = size

    def spend(self, name: str, size: int) -> None:
        """Count one file of `size` bytes."""
        if size > LARGEST_FILE:
            raise ChartError(
                f"chart file {name!r} is larger than the maximum file size {LARGEST_FILE}",
                file=name,
            )
        self.left -= size
        self._files -= 1
        if self.left < 0:
            self.exhausted()
        if self._files < 0:
            raise ChartError(f"the chart has more than {_MOST_FILES} files")

    def exhausted(self) -> None:
        """Raise the error for a chart that is too large."""
        raise ChartError(f"decompressed chart is larger than the maximum size {self._size}")


def unpack(archive: bytes, budget: Budget) -> list[File]:
    """Return the files of a .tgz, without its top folder. Raises ChartError."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as stream:
            # Headers and padding of the archive take room beside the content.
            content = stream.read(budget.left + _MOST_FILES * 1024 + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ChartError(f"the chart archive is no gzip: {error}") from None
    if len(content) > budget.left + _MOST_FILES * 1024:
        budget.exhausted()
    files = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                name = _inner_name(member.name)
                if not member.isreg():
                    raise ChartError(f"chart file {name!r} is neither a file nor a folder")
                budget.spend(name, member.size)
                body = tar.extractfile(member)
                assert body is not None
                data = body.read(LARGEST_FILE)
                if len(data) != member.size:
                    raise ChartError(f"the chart archive ends within {name!r}")
                files.append(File(name, data.removeprefix(_BOM)))
    except (tarfile.TarError, EOFError, ValueError) as error:
        if isinstance(error, ChartError):
            raise
        raise ChartError(f"the chart archive is no tar: {error}") from None
    if not files:
        raise ChartError("no files in chart archive")
    return files


def _inner_name(name: str) -> str:
    """Return a member's path within the chart. Raises ChartError when it leads outside."""
    path = name.replace("\\", "/")
    if path.startswith("/"):
        raise ChartError(f"chart illegally contains absolute paths: {name!r}")
    inner = path.partition("/")[2] if "/" in path else path
    if "/" not in path and path == "Chart.yaml":
        raise ChartError("chart yaml not in base directory")
    inner = normpath(inner) if inner else "."
    if inner == ".":
        raise ChartError(f"chart illegally contains content outside the base directory: {name!r}")
    if inner.startswith(("..", "/")) or _DRIVE.match(inner) or "\0" in inner:
        raise ChartError(f"chart illegally references parent directory: {name!r}")
    return inner


def walk(tree: Tree, budget: Budget) -> list[File]:
    """Return the files of a folder that `.helmignore` does not name. Raises ChartError."""
    try:
        text = tree.read(".helmignore").decode() if tree.exists(".helmignore") else ""
        rules = IgnoreRules(text)
        files: list[File] = []
        pending = [""]
        while pending:
            folder = pending.pop()
            for leaf in tree.list(folder):
                path = f"{folder}/{leaf}" if folder else leaf
                if tree.is_dir(path):
                    if path.count("/") >= _DEEPEST:
                        raise ChartError(f"the chart is nested deeper than {_DEEPEST} folders")
                    if not rules.ignores(path, folder=True):
                        pending.append(path)
                elif not rules.ignores(path, folder=False):
                    data = tree.read(path)
                    budget.spend(path, len(data))
                    files.append(File(path, data.removeprefix(_BOM)))
    except (KustomizeError, UnicodeDecodeError) as error:
        raise ChartError(f"cannot read the chart's folder: {error}") from None
    return sorted(files, key=lambda file: file.name)
