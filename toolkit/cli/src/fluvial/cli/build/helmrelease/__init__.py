"""`fluvial build helmrelease FILE…`: the objects that a HelmRelease applies, without a cluster."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]


def add(engines: "Commands") -> None:
    """Add the command."""
    text = "Print the objects that a HelmRelease applies, without a cluster."
    parser = engines.add_parser(
        "helmrelease", aliases=["hr"], help=text, description=text, verbatim=True
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from fluvial.cli.build.helmrelease.command import (  # noqa: PLC0415  (the others start sooner)
        run,
    )

    return run(parsed.arguments)
