"""The values files of the spec, merged into one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fluvial.render.yaml import YamlError, dump, load
from fluvial.source.helmchart.errors import ValuesFilesError
from fluvial.source.helmchart.files import inside

__all__ = ["Merged", "merge_files"]


class Merged(NamedTuple):
    """The text that replaces values.yaml, and the files that it was made from, in order."""

    text: bytes
    files: list[str]


def merge_files(root: Path, paths: Sequence[str], *, ignore_missing: bool) -> Merged:
    """Merge files below the source's root, later ones winning; lists are replaced as a whole.

    Raises ValuesFilesError for one that is missing, unless that is to be ignored, or no mapping.
    """
    merged: dict[str, Any] = {}
    found: list[str] = []
    for path in paths:
        file = inside(root, path)
        if not file.is_file():
            if ignore_missing and not file.exists():
                continue
            raise ValuesFilesError(f"no values file found at path '{path}' of the source")
        try:
            values = load(file.read_bytes(), file=path)
        except YamlError as error:
            raise ValuesFilesError(f"reading values from '{path}' failed: {error}") from error
        if not isinstance(values, dict | None):
            raise ValuesFilesError(f"reading values from '{path}' failed: it is not a mapping")
        merged = _merge(merged, values or {})
        found.append(path)
    return Merged(dump(merged).encode() if merged else b"", found)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged
