"""A rendered chart on standard output, or as files of a folder."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fluvial.render.helm import (
    Hook,
    RenderedChart,
    path_matches,
    split_documents,
)

__all__ = ["print_files", "print_text"]

_SOURCE = re.compile(r"# Source: [^/\n]+/(.+)")


def print_text(done: RenderedChart, given: Mapping[str, Any]) -> str | None:
    """Print what the flags ask for; return the first `--show-only` that nothing matches."""
    shown = [] if given.get("output-dir") else _manifests(done, given)
    hooks = (
        [] if given.get("output-dir") else [(hook.path, hook.text) for hook in _hooks(done, given)]
    )
    text = f"{''.join(map(_document, shown)).strip()}\n{''.join(map(_document, hooks))}"
    wanted = given.get("show-only", [])
    if not wanted:
        sys.stdout.write(text)
        return None
    documents = split_documents(text)
    chosen = []
    for pattern in wanted:
        found = [
            document
            for document in documents
            for source in [_SOURCE.search(document)]
            if source and path_matches(pattern, source[1])
        ]
        if not found:
            return str(pattern)
        chosen += found
    sys.stdout.write("".join(f"---\n{document}\n" for document in chosen))
    return None


def print_files(done: RenderedChart, given: Mapping[str, Any], name: str) -> None:
    """Write a file for each template below `--output-dir`, and say so for each document."""
    folder = str(given["output-dir"])
    if given.get("release-name"):
        folder = f"{folder}/{name}"
    written: set[str] = set()
    documents = _manifests(done, given) + [(hook.path, hook.text) for hook in _hooks(done, given)]
    for path, text in documents:
        place = f"{folder}/{path}"
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        with Path(place).open("a" if path in written else "w", encoding="utf-8") as file:
            file.write(_document((path, text)))
        written.add(path)
        sys.stdout.write(f"wrote {place}\n")


def _manifests(done: RenderedChart, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    crds = done.crds if given.get("include-crds") else []
    shown = [(file.name, file.data.decode("utf-8", "surrogateescape")) for file in crds]
    return shown + [(one.path, one.text) for one in done.manifests]


def _hooks(done: RenderedChart, given: Mapping[str, Any]) -> list[Hook]:
    if given.get("no-hooks"):
        return []
    tests = given.get("skip-tests", False)
    return [hook for hook in done.hooks if not (tests and "test" in hook.events)]


def _document(document: tuple[str, str]) -> str:
    path, text = document
    return f"---\n# Source: {path}\n{text}\n"
