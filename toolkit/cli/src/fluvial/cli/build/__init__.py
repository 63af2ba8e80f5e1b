"""`fluvial build`: render on this machine, without a cluster; a module per engine."""

import argparse
from typing import TYPE_CHECKING

from fluvial.cli.build import helm, helmrelease, kustomization, kustomize
from fluvial.cli.build.flags import VerbatimParser

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]


def add(commands: "Commands") -> None:
    """Add the command."""
    text = "Render on this machine, without a cluster."
    parser: argparse.ArgumentParser = commands.add_parser("build", help=text, description=text)
    engines = parser.add_subparsers(
        dest="engine", required=True, metavar="ENGINE", parser_class=VerbatimParser
    )
    for module in (kustomize, kustomization, helm, helmrelease):
        module.add(engines)
