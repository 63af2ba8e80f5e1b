"""The sample image: a small web application whose behaviour is in its configuration.

Answers `/` and `/version` with JSON, `/healthz`, `/readyz`, and `/metrics` in Prometheus' text
format. Settings come from the environment, or from files of the same (lower-case) name in
`CONFIG_DIR` (default `/etc/webapp`, under `FLUVIAL_ROOT`), which are read again when they change.
The environment wins.

| setting | default | meaning |
|---|---|---|
| `VERSION` | tag of the image | what `/` reports |
| `COLOR`, `MESSAGE` | `blue`, `Hello` | what `/` reports |
| `FAULT_ERROR_RATE` | `0` | share of requests answered 500, evenly: `0.2` is each fifth |
| `FAULT_DELAY_MS` | `0` | added to each answer |
| `FAULT_NOT_READY` | | `true`: `/readyz` answers 503 |
| `METRICS` | `on` | `off`: `/metrics` answers 404 |
| `PORT` | first containerPort, 9898 | where to listen; the host is `FLUVIAL_POD_IP` |
| `DRAIN_MS` | `300` | how long it serves on after SIGTERM, closing connections |

Probes and metrics are exempt from faults. Standard library only, and little of it: it must start
in milliseconds. One thread per connection.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import select
import signal
import socket
import sys
import threading
import time

__all__ = ["Metrics", "Settings", "WebApp", "main"]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LIMIT = 65536
_IDLE = 75.0
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_NOT_WORD = re.compile(r"[^a-zA-Z0-9]+")


class Settings:
    """The settings, from the environment and from the files of a directory."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        root = environment.get("FLUVIAL_ROOT", "/")
        directory = environment.get("CONFIG_DIR", "/etc/webapp")
        self._directory = os.path.join(root, directory.lstrip("/"))  # noqa: PTH118  fast start
        self._stamp = -1
        self._files: dict[str, str] = {}

    def get(self, name: str, default: str) -> str:
        """Return a setting."""
        if name in self._environment:
            return self._environment[name]
        self._reload()
        return self._files.get(name.lower(), default)

    def number(self, name: str) -> float:
        """Return a setting as a number; 0 when it is none."""
        try:
            value = float(self.get(name, "0"))
        except ValueError:
            return 0.0
        return value if math.isfinite(value) else 0.0

    def _reload(self) -> None:
        """Read the files again when the directory has changed (files come by rename)."""
        try:
            stamp = os.stat(self._directory).st_mtime_ns  # noqa: PTH116  fast start
            if stamp == self._stamp:
                return
            names = [name for name in os.listdir(self._directory) if name[0] != "."]  # noqa: PTH208
            found = {}
            for name in names:
                path = os.path.join(self._directory, name)  # noqa: PTH118
                with open(path, encoding="utf-8") as file:  # noqa: PTH123
                    found[name.lower()] = file.read().strip()
            self._files, self._stamp = found, stamp
        except OSError:
            self._files, self._stamp = {}, -1


class Metrics:
    """The histogram `http_request_duration_seconds` and the counter `http_requests_total`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # There from the start, at zero: a rate counts only what comes after a series' first sample.
        self._series = {
            ("GET", "root", status): [0.0] * (len(_BUCKETS) + 2) for status in ("200", "500")
        }

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request. A path is shown as its words joined by `_`, `/` as `root`."""
        label = _NOT_WORD.sub("_", path).strip("_").lower() or "root"
        key = (method, label, str(status))
        with self._lock:
            series = self._series.setdefault(key, [0.0] * (len(_BUCKETS) + 2))
            for index, bound in enumerate(_BUCKETS):
                if seconds <= bound:
                    series[index] += 1
                    break
            series[-2] += 1
            series[-1] += seconds

    def text(self) -> str:
        """Return the exposition."""
        name = "http_request_duration_seconds"
        lines = [
            f"# HELP {name} Seconds spent serving HTTP requests.",
            f"# TYPE {name} histogram",
        ]
        with self._lock:
            series = {key: list(values) for key, values in sorted(self._series.items())}
        totals: dict[str, float] = {}
        for (method, path, status), values in series.items():
            labels = f'method="{method}",path="{path}",status="{status}"'
            below = 0.0
            for index, bound in enumerate(_BUCKETS):
                below += values[index]
                lines.append(f'{name}_bucket{{{labels},le="{bound:g}"}} {below:g}')
            lines.append(f'{name}_bucket{{{labels},le="+Inf"}} {values[-2]:g}')
            lines.append(f"{name}_sum{{{labels}}} {values[-1]!r}")
            lines.append(f"{name}_count{{{labels}}} {values[-2]:.0f}")
            totals[status] = totals.get(status, 0.0) + values[-2]
        lines.append("# HELP http_requests_total The total number of HTTP requests.")
        lines.append("# TYPE http_requests_total counter")
        lines += [
            f'http_requests_total{{status="{status}"}} {count:.0f}'
            for status, count in sorted(totals.items())
        ]
        return "\n".join(lines) + "\n"


class WebApp:
    """The application, without its socket."""

    def __init__(self, settings: Settings, pod: str, tag: str) -> None:
        self._settings = settings
        self._pod = pod
        self._tag = tag
        self._lock = threading.Lock()
        self._requests = 0
        self.metrics = Metrics()

    def answer(self, method: str, target: str) -> tuple[int, str, bytes]:
        """Return status, content type and body for a request."""
        path = target.partition("?")[0]
        if path == "/healthz":
            return 200, "text/plain", b"OK\n"
        if path == "/readyz":
            bad = self._settings.get("FAULT_NOT_READY", "") == "true"
            return (503, "text/plain", b"not ready\n") if bad else (200, "text/plain", b"OK\n")
        if path == "/metrics":
            if self._settings.get("METRICS", "on") == "off":
                return 404, "text/plain", b"metrics are off\n"
            return 200, "text/plain; version=0.0.4; charset=utf-8", self.metrics.text().encode()
        start = time.perf_counter()
        status, body = self._page(path)
        self.metrics.observe(method, path, status, time.perf_counter() - start)
        return status, "application/json", json.dumps(body).encode() + b"\n"

    def _page(self, path: str) -> tuple[int, dict[str, str]]:
        delay = self._settings.number("FAULT_DELAY_MS")
        if delay > 0:
            time.sleep(delay / 1000)
        if self._fails():
            return 500, {"error": "fault injected", "pod": self._pod}
        if path not in {"/", "/version"}:
            return 404, {"error": "not found", "pod": self._pod}
        return 200, {
            "version": self._settings.get("VERSION", self._tag),
            "color": self._settings.get("COLOR", "blue"),
            "message": self._settings.get("MESSAGE", "Hello"),
            "pod": self._pod,
        }

    def _fails(self) -> bool:
        """Tell whether this request is one of those that fail: evenly spread, not random."""
        rate = self._settings.number("FAULT_ERROR_RATE")
        with self._lock:
            self._requests += 1
            number = self._requests
        # A little more than exact, so that 5 times 0.2 counts as 1 in binary too.
        return math.floor(number * rate + 1e-9) > math.floor((number - 1) * rate + 1e-9)


class _Server:
    """Accepts connections, one thread each; drains when asked to stop."""

    def __init__(self, app: WebApp, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._draining = False
        self._busy = 0
        self._idle = threading.Condition()
        # The signal comes as a byte in a pipe: an exception in a handler could strike between
        # the accept of a connection and the start of its thread, and lose it.
        self._heard, told = os.pipe()
        signal.signal(signal.SIGTERM, lambda _number, _frame: os.write(told, b"!"))

    def run(self, drain: float) -> None:
        """Serve until SIGTERM, then for `drain` seconds more."""
        heard = self._heard
        waiting = select.poll()
        waiting.register(heard, select.POLLIN)
        waiting.register(self._listener, select.POLLIN)
        while all(ready != heard for ready, _ in waiting.poll()):
            self._accept()
        # New connections may still be on their way: an endpoint is gone only a moment later.
        self._draining = True
        waiting.unregister(heard)
        deadline = time.monotonic() + drain
        while (left := deadline - time.monotonic()) > 0:
            if waiting.poll(left * 1000):
                self._accept()
        self._listener.close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=10)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the client changed its mind
            return
        connection.settimeout(_IDLE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            rest = b""
            while True:
                head, rest = _read_head(connection, rest)
                if not head:
                    return
                with self._idle:
                    self._busy += 1
                try:
                    alive, rest = self._respond(connection, head, rest)
                finally:
                    with self._idle:
                        self._busy -= 1
                        self._idle.notify_all()
                if not alive:
                    return

    def _respond(self, connection: socket.socket, head: bytes, rest: bytes) -> tuple[bool, bytes]:
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, _, text = line.partition(":")
            headers[name.strip().lower()] = text.strip().lower()
        length = headers.get("content-length", "0")
        if len(parts) != 3 or not length.isdigit() or "transfer-encoding" in headers:
            _send(connection, 400, "text/plain", b"bad request\n", close=True)
            return False, b""
        left = int(length) - len(rest)
        rest, body_rest = rest[int(length) :], left
        while body_rest > 0:
            chunk = connection.recv(min(body_rest, _LIMIT))
            if not chunk:
                return False, b""
            body_rest -= len(chunk)
        status, kind, body = self._app.answer(parts[0], parts[1])
        asked = headers.get("connection", "keep-alive" if parts[2] == "HTTP/1.1" else "close")
        close = self._draining or "close" in asked
        _send(connection, status, kind, body, close=close, head_only=parts[0] == "HEAD")
        return not close, rest


def _read_head(connection: socket.socket, data: bytes) -> tuple[bytes, bytes]:
    while b"\r\n\r\n" not in data:
        if len(data) > _LIMIT:
            return b"", b""
        chunk = connection.recv(_LIMIT)
        if not chunk:
            return b"", b""
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _send(
    connection: socket.socket,
    status: int,
    kind: str,
    body: bytes,
    *,
    close: bool,
    head_only: bool = False,
) -> None:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: {kind}\r\n"
        f"content-length: {len(body)}\r\nconnection: {'close' if close else 'keep-alive'}\r\n\r\n"
    )
    connection.sendall(head.encode() + (b"" if head_only else body))


def main() -> None:
    """Serve until SIGTERM."""
    environment = dict(os.environ)
    settings = Settings(environment)
    host = environment.get("FLUVIAL_POD_IP", "127.0.0.1")
    port = int(environment.get("PORT") or environment.get("FLUVIAL_PORT") or "9898")

    listener = socket.create_server((host, port), backlog=1024)
    listener.setblocking(False)
    pod = environment.get("POD_NAME") or environment.get("HOSTNAME", "")
    app = WebApp(settings, pod, environment.get("FLUVIAL_IMAGE_TAG", "dev"))
    server = _Server(app, listener)
    sys.stdout.write(f"listening on {host}:{port}\n")
    sys.stdout.flush()
    drain = float(settings.get("DRAIN_MS", "300")) / 1000
    server.run(drain)
    sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
