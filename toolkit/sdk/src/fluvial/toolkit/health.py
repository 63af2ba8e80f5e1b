"""The HTTP servers for probes and metrics."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from fluvial.toolkit.metrics import Metrics

__all__ = ["health_app", "measure_lag", "metrics_app", "serve", "split_address"]

_LAG_PERIOD = 0.25
_SHUTDOWN = 5.0


def health_app(checks: Mapping[str, asyncio.Event] | None = None) -> web.Application:
    """Answer `/healthz` and `/readyz`; the latter with 503 until all `checks` are set."""
    ready = dict(checks or {})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        waiting = sorted(name for name, event in ready.items() if not event.is_set())
        if waiting:
            return web.Response(status=503, text=f"waiting for: {', '.join(waiting)}\n")
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


def metrics_app(metrics: Metrics) -> web.Application:
    """Answer `/metrics`, and `/debug/tasks` with the stack of every task of the event loop."""

    async def expose(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.expose(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def tasks(_: web.Request) -> web.Response:
        lines = []
        for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
            lines.append(task.get_name())
            for frame in task.get_stack(limit=8):
                lines += traceback.format_stack(frame, limit=1)[0].rstrip().splitlines()
        return web.Response(text="\n".join(lines) + "\n")

    app = web.Application()
    app.add_routes([web.get("/metrics", expose), web.get("/debug/tasks", tasks)])
    return app


def split_address(address: str) -> tuple[str | None, int]:
    """Read `host:port` as Go does: an empty host is every address, brackets hold an IPv6 one.

    Raises ValueError for anything else.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"not an address: {address!r}; write host:port or :port")
    return host.strip("[]") or None, int(port)


@contextlib.asynccontextmanager
async def serve(app: web.Application, address: str) -> AsyncIterator[str]:
    """Serve an application and yield the address that was bound; stops within five seconds.

    Port 0 takes a free one.
    """
    host, port = split_address(address)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN, access_log=None)
    await runner.setup()
    try:
        # Every address means a socket per family, and port 0 would give each a port of its own.
        every = "0.0.0.0" if port == 0 else None  # noqa: S104 - what was asked for
        site = web.TCPSite(runner, host or every, port)
        await site.start()
        yield _bound(runner, host)
    finally:
        await runner.cleanup()


def _bound(runner: web.AppRunner, host: str | None) -> str:
    # With every address there are two sockets; IPv4 comes first for those who only know that.
    found = sorted(runner.addresses, key=len)
    port = found[0][1]
    shown = "127.0.0.1" if host in {None, "0.0.0.0"} else host or ""  # noqa: S104 - compared only
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


async def measure_lag(metrics: Metrics) -> None:
    """Record how late the event loop is, until cancelled; by the loop's own clock, always."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LAG_PERIOD
        await asyncio.sleep(_LAG_PERIOD)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))
