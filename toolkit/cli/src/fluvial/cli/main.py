"""The `fluvial` command."""

import argparse
import sys
from collections.abc import Sequence

from fluvial.cli import build, cluster, demo_command, get, new

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status: 0 done, 1 failed, 2 not understood."""
    parser = argparse.ArgumentParser(prog="fluvial", description="GitOps in composable parts.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (demo_command, cluster, get, build, new):
        module.add(commands)
    parsed = parser.parse_args(arguments)
    status: int = parsed.run(parsed)
    return status


if __name__ == "__main__":
    sys.exit(main())
