"""Values from a command line: `-f` and `--set` with its kin, in Helm's order."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from fluvial.render.helm import (
    HelmError,
    HelmVersion,
    ValueLayers,
    merge_files,
    read_values,
    set_file,
    set_json,
    set_literal,
    set_string,
    set_value,
)

__all__ = ["ValuesRefused", "compose_values"]


class ValuesRefused(Exception):  # noqa: N818  (in the words of the command)
    """Values that cannot be read; the message is Helm's."""


def compose_values(
    given: Mapping[str, Any], helm_version: HelmVersion, layers: ValueLayers | None = None
) -> dict[str, Any]:
    """Compose the values of `given` flags, by name: files, then JSON, set, string, file, literal.

    `layers` are told where each is written. Raises ValuesRefused.
    """
    values: dict[str, Any] = {}
    for name in given.get("values", []):
        data = _read(name)
        try:
            values = merge_files(values, read_values(data, name, helm_version))
        except HelmError as error:
            raise ValuesRefused(f"failed to parse {name}: {error}") from None
        if layers is not None:
            layers.add_file(name, data.decode("utf-8", "replace"), "-f")
    for text in given.get("set-json", []):
        values = _json(values, text, helm_version)
        if layers is not None:
            layers.add_values(_json({}, text, helm_version), "--set-json")
    for flag, put in _PUTS:
        for text in given.get(flag, []):
            try:
                put(text, values)
            except (HelmError, ValuesRefused) as error:
                raise ValuesRefused(f"failed parsing --{flag} data: {error}") from None
            if layers is not None:
                alone: dict[str, Any] = {}
                put(text, alone)
                layers.add_values(alone, f"--{flag}")
    return values


def _json(values: dict[str, Any], text: str, helm_version: HelmVersion) -> dict[str, Any]:
    """Put one `--set-json` over `values`: an object as a whole, or key=JSON pairs."""
    if not helm_version.only_pairs_of_json and text.strip().startswith("{"):
        try:
            return merge_files(values, msgspec.json.decode(text, type=dict[str, Any]))
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise ValuesRefused(f"failed parsing --set-json data JSON: {text}") from None
    try:
        set_json(text, values)
    except HelmError:
        raise ValuesRefused(f"failed parsing --set-json data {text}") from None
    return values


def _read(name: str) -> bytes:
    """Return the bytes of a file, or of standard input for `-`."""
    if name.strip() == "-":
        return sys.stdin.buffer.read()
    if name.startswith("oci://"):
        raise ValuesRefused(f"{name} is not fetched: registries hold charts; name a file")
    if name.startswith(("http://", "https://")):
        from fluvial.cli.build.charts.locating import (  # noqa: PLC0415  (a quarter of a second)
            fetch_file,
        )

        return fetch_file(name)
    try:
        return Path(name).read_bytes()
    except IsADirectoryError:
        raise ValuesRefused(f"read {name}: is a directory") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValuesRefused(f"open {name}: {reason}") from None


def _set_file(text: str, into: dict[str, Any]) -> None:
    set_file(text, into, lambda path: _read(path).decode("utf-8", "replace"))


_PUTS: Final[tuple[tuple[str, Callable[[str, dict[str, Any]], None]], ...]] = (
    ("set", set_value),
    ("set-string", set_string),
    ("set-file", _set_file),
    ("set-literal", set_literal),
)
