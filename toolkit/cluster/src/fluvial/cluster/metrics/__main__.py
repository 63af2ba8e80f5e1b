"""`python -m fluvial.cluster.metrics`: a small store of metrics with Prometheus' query API."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import signal
import time
from pathlib import Path

from aiohttp import web

from fluvial.cluster.metrics.scraper import Scraper
from fluvial.cluster.metrics.series import Store
from fluvial.cluster.standins.timer import parse_duration

__all__ = ["main"]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT")
    return host, int(port)


def _interval(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds <= 0:
        raise argparse.ArgumentTypeError("the interval must be longer than nothing")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fluvial.cluster.metrics", description=__doc__)
    parser.add_argument("--targets", type=Path, required=True, help="JSON of file_sd_configs")
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 0), help="HOST:PORT")
    parser.add_argument("--address-file", type=Path, help="gets HOST:PORT once it serves")
    parser.add_argument("--scrape-interval", type=_interval, default=0.5, help="such as 500ms")
    return parser


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _serve(arguments: argparse.Namespace) -> None:
    # Imported late: without the extra there is still a command line that says what is missing.
    from fluvial.cluster.metrics.server import application  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = Store()
    scraper = Scraper(store, arguments.targets, arguments.scrape_interval, _now)
    runner = web.AppRunner(application(store, scraper.ready, _now), access_log=None)
    await runner.setup()
    try:
        host, port = arguments.listen
        await web.TCPSite(runner, host, port).start()
        if arguments.address_file:
            bound = runner.addresses[0]
            temporary = arguments.address_file.with_suffix(".new")
            temporary.write_text(f"{bound[0]}:{bound[1]}\n")
            temporary.replace(arguments.address_file)
        async with asyncio.TaskGroup() as group:
            scraping = group.create_task(scraper.run())
            await stop.wait()
            scraping.cancel()
    finally:
        await runner.cleanup()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if importlib.util.find_spec("promql_parser") is None:
        parser.error("no grammar of PromQL: install fluvial-cluster[metrics] (promql-parser)")
    asyncio.run(_serve(parsed))


if __name__ == "__main__":
    main()
