"""`python -m fluvial.cluster serve`: the control plane as a process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from pathlib import Path

from fluvial.cluster.database import DatabaseError
from fluvial.cluster.gateway.envoy import envoy_binary
from fluvial.cluster.gateway.errors import EnvoyError
from fluvial.cluster.plane import ControlPlane, Options

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fluvial.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the Kubernetes API until SIGTERM")
    serve.add_argument("--data-dir", type=Path, required=True, help="a folder of its own")
    serve.add_argument(
        "--database",
        type=Path,
        metavar="FILE",
        help="an SQLite file in which everything survives a restart (default: memory only)",
    )
    serve.add_argument("--kubeconfig", type=Path, required=True, help="written once it serves")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--port", type=int, default=0, help="0 picks a free one")
    serve.add_argument("--ready-file", type=Path, help="gets the URL once it serves")
    serve.add_argument("--audit-log", type=Path, help="gets one JSON line per request")
    serve.add_argument(
        "--no-standins",
        action="store_true",
        help="no stand-ins for the cluster's own controllers and the node",
    )
    serve.add_argument(
        "--gateway",
        action="store_true",
        help="serve Gateways of class controller fluvial.dev/gateway with an Envoy",
    )
    serve.add_argument(
        "--scrape-targets",
        type=Path,
        metavar="FILE",
        help="keep a file with the pods (and the Envoy) that a Prometheus is to scrape",
    )
    return parser


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    arguments.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = Options(
        data_dir=arguments.data_dir,
        database=arguments.database,
        host=arguments.host,
        port=arguments.port,
        audit_log=arguments.audit_log,
        standins=not arguments.no_standins,
        gateway=arguments.gateway,
        scrape_targets=arguments.scrape_targets,
    )
    async with ControlPlane(options) as plane:
        write_private(arguments.kubeconfig, plane.kubeconfig)
        if arguments.ready_file:
            write_private(arguments.ready_file, plane.url + "\n")
        await _first(stop, plane.broken)


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.no_standins and (parsed.gateway or parsed.scrape_targets):
        parser.error("--gateway and --scrape-targets are stand-ins: leave --no-standins out")
    if parsed.gateway:
        try:
            envoy_binary()
        except EnvoyError as error:
            parser.error(f"--gateway: {error}")
    try:
        asyncio.run(_serve(parsed))
    except DatabaseError as error:
        parser.error(f"--database: {error}")


if __name__ == "__main__":
    main()
