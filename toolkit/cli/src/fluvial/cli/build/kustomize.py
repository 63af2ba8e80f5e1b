"""`fluvial build kustomize DIR` prints what `kubectl kustomize DIR` does."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fluvial.cli.build.origins import FORMS, listed
from fluvial.render.kustomize import DiskTree, KustomizeError, Options, build, to_yaml

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add", "repository"]


def add(engines: "Commands") -> None:
    """Add the command."""
    text = "Print the objects of a kustomization as YAML, in kubectl's order."
    kustomize = engines.add_parser("kustomize", help=text, description=text)
    kustomize.add_argument("directory", type=Path, metavar="DIR")
    kustomize.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="folder that references may not leave (default: that of the repository, or DIR)",
    )
    kustomize.add_argument(
        "--enable-helm",
        action="store_true",
        help="inflate the charts of helmCharts, which must be in the folder",
    )
    kustomize.add_argument(
        "--provenance",
        nargs="?",
        const="text",
        choices=FORMS,
        help="after DIR: where each field was written and what set it last; =json for programs",
    )
    kustomize.set_defaults(run=_kustomize)


def _kustomize(parsed: argparse.Namespace) -> int:
    directory = parsed.directory.resolve()
    root = (parsed.root or repository(directory)).resolve()
    if not directory.is_dir():
        return _fail(f"{parsed.directory} is not a folder")
    if not directory.is_relative_to(root):
        return _fail(f"{parsed.directory} is not below --root {parsed.root}")
    path = directory.relative_to(root).as_posix()
    try:
        options = Options(
            order="legacy",
            confined=True,
            provenance=parsed.provenance is not None,
            helm=parsed.enable_helm,
            deep=True,
        )
        rendered = build(DiskTree(root), path, options=options)
    except KustomizeError as error:
        return _fail(str(error))
    shown = listed(rendered, parsed.provenance) if parsed.provenance else to_yaml(rendered)
    sys.stdout.write(shown)
    return 0


def repository(directory: Path) -> Path:
    """Return the nearest folder above with a `.git`, or the folder itself."""
    found = (each for each in (directory, *directory.parents) if (each / ".git").exists())
    return next(found, directory)


def _fail(message: str) -> int:
    sys.stderr.write(f"fluvial build kustomize: {message}\n")
    return 1
