"""`python -m fluvial.cluster.gateway crds`: print the Gateway API definitions as YAML."""

from __future__ import annotations

import argparse
import sys

from fluvial.cluster.gateway.definitions import definitions_yaml

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m fluvial.cluster.gateway", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("crds", help="print the definitions of GatewayClass, Gateway, HTTPRoute")
    parser.parse_args(arguments)
    sys.stdout.write(definitions_yaml())


if __name__ == "__main__":
    main()
