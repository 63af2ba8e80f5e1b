"""Probes: one check, and the loop that turns checks into verdicts."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence

from fluvial.cluster.objects import Object
from fluvial.cluster.standins.timer import Timer

__all__ = ["check", "port_number", "run_probe", "settled"]

Verdict = Callable[[bool], None]
"""Told when a threshold is reached: True after enough successes, False after enough failures."""

_SETTLE_STEP = 0.02
_MOST_HEADER = 4096


def port_number(port: int | str, ports: Sequence[Object]) -> int:
    """Resolve a port by number or by name; raises `ValueError` for an unknown name."""
    if isinstance(port, int):
        return port
    for entry in ports:
        if entry.get("name") == port:
            return int(entry["containerPort"])
    if port.isdigit():
        return int(port)
    raise ValueError(f"no port of the container is named {port!r}")


async def check(probe: Object, address: str, ports: Sequence[Object]) -> bool:
    """Do one check within the probe's timeout.

    `httpGet` wants a status from 200 to 399, `tcpSocket` and `grpc` a connection. `exec` is true
    as long as the container runs: this node starts nothing but the image.
    """
    action = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc")
    if action is None:
        return True
    host = action.get("host") or address
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds") or 1):
            port = port_number(action["port"], ports)
            if "httpGet" in probe:
                return 200 <= await _get(action, host, port) < 400
            await _connect(host, port)
    except (OSError, ValueError, EOFError, ssl.SSLError):  # TimeoutError is an OSError
        return False
    return True


async def _connect(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _get(action: Object, host: str, port: int) -> int:
    context = None
    if action.get("scheme") == "HTTPS":
        # As the kubelet does: a probe asks whether it answers, not who it is.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_MOST_HEADER)
    try:
        given = {entry["name"].lower(): entry["value"] for entry in action.get("httpHeaders") or []}
        headers = {"host": f"{host}:{port}", "user-agent": "kube-probe/fluvial", **given}
        path = action.get("path") or "/"
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode())
        status_line = await reader.readline()
        return int(status_line.split(b" ", 2)[1]) if status_line.count(b" ") else 0
    finally:
        await _close(writer)


async def settled(probe: Object, address: str, ports: Sequence[Object], timer: Timer) -> None:
    """Wait until the probe's port is open, for one period at most.

    A process needs a moment to listen. Without this, the first check would always fail and the
    second be a whole period away.
    """
    action = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc")
    if action is None:
        return
    left = float(probe.get("periodSeconds") or 10)
    plain = {"tcpSocket": action, "timeoutSeconds": 1}
    while left > 0 and not await check(plain, address, ports):
        await timer.sleep(_SETTLE_STEP)
        left -= _SETTLE_STEP


async def run_probe(
    probe: Object, address: str, ports: Sequence[Object], timer: Timer, verdict: Verdict
) -> None:
    """Check periodically until cancelled; `verdict` hears of each threshold that is reached."""
    period = float(probe.get("periodSeconds") or 10)
    needed = {
        True: int(probe.get("successThreshold") or 1),
        False: int(probe.get("failureThreshold") or 3),
    }
    await timer.sleep(float(probe.get("initialDelaySeconds") or 0))
    await settled(probe, address, ports, timer)
    last: bool | None = None
    streak = 0
    while True:
        result = await check(probe, address, ports)
        streak = streak + 1 if result == last else 1
        last = result
        if streak == needed[result]:
            verdict(result)
        await timer.sleep(period)
