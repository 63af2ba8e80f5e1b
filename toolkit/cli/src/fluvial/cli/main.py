"""The `fluvial` command."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

__all__ = ["main"]

_MODULES: Final = {
    "demo": "fluvial.cli.demo_command",
    "cluster": "fluvial.cli.cluster",
    "get": "fluvial.cli.get",
    "build": "fluvial.cli.build",
    "new": "fluvial.cli.new",
}
"""Where each command is; its module has `add(commands)`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status: 0 done, 1 failed, 2 not understood."""
    line = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(prog="fluvial", description="GitOps in composable parts.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # A command waits for the imports of no other: some need half a second for theirs.
    named = [line[0]] if line and line[0] in _MODULES else list(_MODULES)
    for name in named:
        import_module(_MODULES[name]).add(commands)
    parsed = parser.parse_args(line)
    status: int = parsed.run(parsed)
    return status


if __name__ == "__main__":
    sys.exit(main())
