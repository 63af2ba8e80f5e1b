"""A rendered chart on standard output, or as files of a folder."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fluvial.render.helm import (
    HelmVersion,
    RenderedChart,
    document_text,
    listed,
    listing,
    path_matches,
    split_documents,
)

__all__ = ["print_files", "print_text"]

Documents = list[tuple[str, str]]
_SOURCE = re.compile(r"# Source: [^/\n]+/(.+)")


def print_text(
    done: RenderedChart, given: Mapping[str, Any], helm_version: HelmVersion
) -> str | None:
    """Print what the flags ask for; return the first `--show-only` that nothing matches."""
    manifests, hooks = ([], []) if given.get("output-dir") else _listed(done, given)
    text = listing(manifests, hooks)
    if any(not path for path, _ in manifests):
        # Helm 3 prints what its post-renderer said as it is.
        text = f"{done.manifest.strip()}\n{''.join(map(document_text, hooks))}"
    wanted = given.get("show-only", [])
    if not wanted:
        sys.stdout.write(text)
        return None
    documents = split_documents(text, helm_version)
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
    manifests, hooks = _listed(done, given)
    for path, text in manifests + hooks:
        place = f"{folder}/{path}"
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        with Path(place).open("a" if path in written else "w", encoding="utf-8") as file:
            file.write(document_text((path, text)))
        written.add(path)
        sys.stdout.write(f"wrote {place}\n")


def _listed(done: RenderedChart, given: Mapping[str, Any]) -> tuple[Documents, Documents]:
    return listed(
        done,
        crds=given.get("include-crds", False),
        hooks=not given.get("no-hooks", False),
        tests=not given.get("skip-tests", False),
    )
