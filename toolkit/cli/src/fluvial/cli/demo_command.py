"""`fluvial demo`: the command line of the demo."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from fluvial.cli.demo.options import FAULTS, METRICS, STEPS, Options

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]

_OFF = frozenset({"", "0", "false", "no"})


def add(commands: "Commands") -> None:
    """Add the command."""
    text = "From a commit to a promoted release, and from a bad one back, on this machine."
    parser = commands.add_parser("demo", help=text, description=text)
    parser.add_argument(
        "--keep",
        action="store_true",
        default=os.environ.get("KEEP", "").lower() not in _OFF,
        help="keep everything running until Ctrl-C (or KEEP=1)",
    )
    parser.add_argument(
        "--metrics",
        choices=METRICS,
        default=os.environ.get("METRICS") or "embedded",
        help="who answers queries; prometheus must be installed (or METRICS=…)",
    )
    parser.add_argument(
        "--until", choices=STEPS, default=STEPS[-1], help="the last step to do (default: all)"
    )
    parser.add_argument(
        "--within",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for whatever is expected (default: 30)",
    )
    parser.add_argument("--fault", choices=FAULTS, default="", help=argparse.SUPPRESS)
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    if parsed.metrics not in METRICS:  # argparse checks no default
        known = " or ".join(METRICS)
        sys.stderr.write(f"fluvial demo: METRICS={parsed.metrics} is not known; use {known}\n")
        return 2
    # The other commands must not load what the demo needs.
    from fluvial.cli.demo.run import run  # noqa: PLC0415

    return run(
        Options(
            keep=parsed.keep,
            metrics=parsed.metrics,
            until=parsed.until,
            within=parsed.within,
            fault=parsed.fault,
        )
    )
