"""`fluvial new controller NAME` creates a distribution: a controller, its test, its manifests."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fluvial.cli.new.controller import NewController, NotPossible

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]


def add(commands: "Commands") -> None:
    """Add the command."""
    text = "Begin something of your own."
    parser = commands.add_parser("new", help=text, description=text)
    things = parser.add_subparsers(dest="thing", required=True, metavar="THING")
    text = "Create a distribution with a controller that works, a test and manifests."
    controller = things.add_parser("controller", help=text, description=text)
    controller.add_argument("name", metavar="NAME", help="e.g. greeting-controller")
    controller.add_argument(
        "--group", default="example.com", help="API group of its kind (default: %(default)s)"
    )
    controller.add_argument(
        "--kind", default="", help="its kind (default: NAME without -controller, as Go writes it)"
    )
    controller.add_argument(
        "--plural", default="", help="plural of the kind (default: in lower case, with an s)"
    )
    controller.add_argument(
        "--directory",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where its folder NAME is created (default: here)",
    )
    controller.set_defaults(run=_controller)


def _controller(parsed: argparse.Namespace) -> int:
    try:
        new = NewController(parsed.name, parsed.group, parsed.kind, parsed.plural)
        folder = new.write(parsed.directory)
    except NotPossible as error:
        sys.stderr.write(f"fluvial new controller: {error}\n")
        return 1
    sys.stdout.write(
        f"{folder} holds the controller of {new.kind}.{new.group}; its README goes on\n"
    )
    return 0
