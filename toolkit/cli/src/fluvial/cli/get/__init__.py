"""`fluvial get`: tables of Fluvial's objects, with the columns that the server gives."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Final

from fluvial.apis.kinds import ALL, AnyKind

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add", "kind_named"]

_NAMES: Final = ", ".join(kind.plural for kind in ALL)


def add(commands: "Commands") -> None:
    """Add the command."""
    text = "List objects and how they are."
    parser = commands.add_parser("get", help=text, description=f"{text} Kinds: {_NAMES}.")
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help="plural, singular or short name (default: all)"
    )
    parser.add_argument("-n", "--namespace", help="namespace (default: the context's)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces")
    parser.add_argument("--kubeconfig", default="", help="file (default: as kubectl finds it)")
    parser.set_defaults(run=_run)


def kind_named(name: str) -> AnyKind | None:
    """Find a kind by its plural, singular or short name, or by its kind, in any case."""
    wanted = name.lower()
    for kind in ALL:
        if wanted in {kind.plural, kind.singular, kind.kind.lower(), *kind.short_names}:
            return kind
    return None


def _run(parsed: argparse.Namespace) -> int:
    from fluvial.cli.get.listing import list_tables  # noqa: PLC0415 - the client is slow to load
    from fluvial.toolkit.client import ClientError  # noqa: PLC0415

    kinds = []
    for name in parsed.kinds:
        kind = kind_named(name)
        if kind is None:
            sys.stderr.write(f"fluvial get: unknown kind {name!r}; known are: {_NAMES}\n")
            return 2
        kinds.append(kind)
    namespace = None if parsed.all_namespaces else parsed.namespace
    everywhere = bool(parsed.all_namespaces)
    work = list_tables(kinds or ALL, parsed.kubeconfig, namespace, everywhere=everywhere)
    try:
        text = asyncio.run(work)
    except (ClientError, OSError) as error:
        sys.stderr.write(f"fluvial get: {error}\n")
        return 1
    print(text)
    return 0
