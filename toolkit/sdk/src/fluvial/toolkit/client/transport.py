"""One session to one API server: connections, deadlines, retries, throttling, fencing, counting."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from prometheus_client import Counter

from fluvial.toolkit.client.config import ClusterConfig
from fluvial.toolkit.client.errors import (
    ApiError,
    ConfigError,
    LeaseLost,
    ServerUnavailable,
    Timeout,
    TooManyRequests,
    TransportError,
    error_from_response,
)
from fluvial.toolkit.client.limiter import Limiter
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.metrics import Metrics

__all__ = ["Guard", "Request", "Transport"]

Guard: TypeAlias = Callable[[float], float]
"""Asked before each mutating request with its timeout in seconds.

Returns the timeout that the request may have, which is the same or shorter, or raises LeaseLost.
"""

_TRIES = 5
"""How often a call is sent at most."""

_BACKOFF, _BACKOFF_CAP = 0.2, 5.0
"""Seconds before the second try, doubled each time and jittered; and the most."""

_PROBE_TIMEOUT = 5.0
_PIECE = 64 << 10
_READS = frozenset({"GET", "HEAD"})
_FAIR_HEADER = "X-Kubernetes-PF-FlowSchema-UID"
"""Sent by servers that have API Priority and Fairness: they need no throttled clients."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it goes over the wire; `fenced` ones ask the guard first."""

    method: str
    """The HTTP method."""
    path: str
    """The path below the server's URL."""
    query: Mapping[str, str]
    """Query parameters, not yet escaped."""
    headers: Mapping[str, str]
    """Headers besides those of the identity."""
    body: bytes | None = None
    """The body, None for none."""
    content_type: str = "application/json"
    """The body's media type: it tells patches apart."""
    fenced: bool = False

    def __str__(self) -> str:
        """Print as errors quote it: method and path, never a body."""
        return f"{self.method} {self.path}"


class _FencedBody(Payload):
    """A request body that asks the guard again when the connection is ready to take it.

    Between the first question and this moment lie name resolution, TLS and perhaps a process that
    was stopped: a body that is withheld makes a request that the server never acts on.
    """

    _autoclose = True

    def __init__(self, body: bytes, content_type: str, recheck: Callable[[], object]) -> None:
        super().__init__(body, content_type=content_type)
        self._size = len(body)
        self._recheck = recheck
        self.refusal: LeaseLost | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return self._value.decode(encoding, errors)  # type: ignore[no-any-return]

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the body, unless the lease was lost meanwhile."""
        try:
            self._recheck()
        except LeaseLost as error:
            self.refusal = error
            raise
        for start in range(0, len(self._value), _PIECE):
            await writer.write(self._value[start : start + _PIECE])

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - always the whole body
    ) -> None:
        """Send the body, unless the lease was lost meanwhile."""
        await self.write(writer)


class Transport:
    """What all views of one client share.

    A bounded connector serves calls and an unbounded one watches, so that no number of watches can
    starve a call. `guard` is set by the lease holder.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        user_agent: str,
        timeout: float,
        qps: float,
        burst: int,
        connections: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.config = config
        """How to reach the server."""
        self.timeout = timeout
        """The default deadline of a call, in seconds."""
        self.clock = clock
        """Where time comes from."""
        self.guard: Guard | None = None
        self._user_agent = user_agent
        self._connections = connections
        self._metrics = metrics
        self._host = urlsplit(config.server).netloc
        self._counters: dict[tuple[str, str], Counter] = {}
        self._limiter = Limiter(qps, burst, clock) if qps > 0 else None
        self._probe: asyncio.Lock | None = asyncio.Lock() if qps > 0 else None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._closed = False

    def _session(self, *, watch: bool) -> aiohttp.ClientSession:
        # Sessions belong to a running loop, so they are made at the first call.
        self._check_open()
        session = self._sessions.get(watch)
        if session is None:
            connector = aiohttp.TCPConnector(
                limit=0 if watch else self._connections,
                ssl=self.config.tls if self.config.tls is not None else True,
                ttl_dns_cache=30,
                keepalive_timeout=60,
                socket_factory=_keepalive_socket,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self._user_agent, **self.config.headers},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self.config.proxy,
                # A line of a header; the bodies have no such limit.
                read_bufsize=256 << 10,
                auto_decompress=True,
            )
            self._sessions[watch] = session
        return session

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError(f"the client for {self._host} is closed")

    async def close(self) -> None:
        """Close every connection; later calls raise TransportError."""
        self._closed = True
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        # Connections end in callbacks of the loop, which may be closed right after this.
        for _ in range(2):
            await asyncio.sleep(0)

    async def call(self, request: Request, deadline: float | None = None) -> bytes:
        """Send one request and return the body of its answer, trying again where that is safe.

        A refusal by load (429, or 503 and 500 with Retry-After) is tried again for every method, a
        GET also after other server failures and broken connections; waits follow Retry-After, else
        a jittered exponential backoff. Everything together ends at the deadline (seconds; default:
        the client's timeout): Timeout.
        """
        self._check_open()
        limit = self.timeout if deadline is None else deadline
        try:
            async with asyncio.timeout(limit):
                await self._throttle()
                for attempt in range(_TRIES):
                    try:
                        return await self._attempt(request, limit)
                    except (ApiError, TransportError) as error:
                        wait = _retry_after(request.method, error, attempt)
                        if wait is None:
                            raise
                    await self.clock.sleep(wait)
                raise AssertionError("the last attempt returns or raises")
        except TimeoutError as error:
            raise Timeout(
                f"{request}: no answer within {limit:g}s", code=504, reason="Timeout"
            ) from error

    async def _attempt(self, request: Request, limit: float) -> bytes:
        guard = self.guard if request.fenced else None
        if guard is not None:
            limit = guard(limit)
        for refresh in (False, True):
            headers = {**request.headers, **await self._authorization(refresh=refresh)}
            body = _body(request, guard)
            try:
                async with (
                    # Without a guard the deadline of the call is the one that counts.
                    asyncio.timeout(limit) if guard is not None else nullcontext(),
                    self._session(watch=False).request(
                        request.method,
                        self.config.server + request.path,
                        params=request.query,
                        headers=headers,
                        data=body,
                        server_hostname=self.config.tls_server_name,
                        allow_redirects=False,
                    ) as response,
                ):
                    content = await response.read()
                    code, wait = response.status, response.headers.get("Retry-After")
            except (aiohttp.ClientError, OSError) as error:
                if isinstance(error, TimeoutError):
                    self._count("<timeout>", request.method)
                    raise
                self._count("<error>", request.method)
                if body is not None and body.refusal is not None:
                    raise body.refusal from error
                raise TransportError(f"{request}: {error or type(error).__name__}") from error
            self._count(str(code), request.method)
            if code == 401 and not refresh:
                continue
            if code >= 300:
                raise error_from_response(code, content, wait)
            return content
        raise AssertionError("the second pass returns or raises")

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        idle: float,
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """Open a GET without end and yield its chunks as they come.

        The answer must begin within the call timeout, and then no pause may be longer than `idle`
        seconds: a connection whose other end is gone without a word looks just like a quiet one.
        """
        await self._throttle()
        sent = {**headers, **await self._authorization()}
        # The headers' deadline must not count the time that the stream is read.
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._session(watch=True).get(
                    self.config.server + path,
                    params=query,
                    headers=sent,
                    server_hostname=self.config.tls_server_name,
                    allow_redirects=False,
                )
        except TimeoutError as error:
            self._count("<timeout>", "GET")
            raise Timeout(f"watch {path}: no answer", code=504, reason="Timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            self._count("<error>", "GET")
            raise TransportError(f"watch {path}: {error or type(error).__name__}") from error
        try:
            self._count(str(response.status), "GET")
            if response.status == 401:
                # The caller tries again after a while; by then there are new credentials.
                await self._authorization(refresh=True)
            if response.status >= 300:
                async with asyncio.timeout(self.timeout):
                    content = await response.read()
                raise error_from_response(
                    response.status, content, response.headers.get("Retry-After")
                )
            yield self._chunks(response, path, idle)
        finally:
            # Not release(): an endless answer cannot be drained for reuse. And at once: an orderly
            # end of TLS would wait for the server, beyond the life of the loop perhaps.
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()
            response.close()

    async def _chunks(
        self, response: aiohttp.ClientResponse, path: str, idle: float
    ) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(idle):
                    chunk = await response.content.readany()
            except TimeoutError as error:
                raise TransportError(f"watch {path}: silent for {idle:g}s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise TransportError(f"watch {path}: {error or type(error).__name__}") from error
            if not chunk:
                return
            yield chunk

    async def _throttle(self) -> None:
        if self._probe is not None:
            async with self._probe:
                if self._probe is not None:
                    await self._ask_for_fairness()
                    self._probe = None
        if self._limiter is not None:
            await self._limiter.acquire()

    async def _ask_for_fairness(self) -> None:
        """Switch our own throttle off for a server that shares its capacity by itself."""
        try:
            headers = await self._authorization()
            async with (
                asyncio.timeout(_PROBE_TIMEOUT),
                self._session(watch=False).head(
                    f"{self.config.server}/livez/ping",
                    headers=headers,
                    server_hostname=self.config.tls_server_name,
                ) as response,
            ):
                self._count(str(response.status), "HEAD")
                if _FAIR_HEADER in response.headers:
                    self._limiter = None
        except (aiohttp.ClientError, OSError, TransportError):
            self._count("<error>", "HEAD")

    async def _authorization(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Ask the credentials; where they fail, nothing can reach the server: TransportError."""
        try:
            return await self.config.credentials.headers(refresh=refresh)
        except ConfigError as error:
            raise TransportError(f"{self._host}: {error}") from error

    def _count(self, code: str, method: str) -> None:
        counter = self._counters.get((code, method))
        if counter is None:
            counter = self._metrics.requests.labels(code, method, self._host)
            self._counters[code, method] = counter
        counter.inc()


def _body(request: Request, guard: Guard | None) -> _FencedBody | None:
    if request.body is None:
        return None
    recheck = (lambda: guard(0.0)) if guard is not None else (lambda: None)
    return _FencedBody(request.body, request.content_type, recheck)


def _retry_after(method: str, error: ApiError | TransportError, attempt: int) -> float | None:
    """Seconds until the next try, or None when the error is final."""
    if attempt + 1 >= _TRIES:
        return None
    backoff = min(_BACKOFF * float(2**attempt), _BACKOFF_CAP) * random.uniform(0.5, 1.5)  # noqa: S311
    if isinstance(error, TransportError):
        return backoff if method in _READS else None
    if isinstance(error, (TooManyRequests, ServerUnavailable)):
        if error.retry_after is not None:
            return error.retry_after + backoff
        # An eviction that would break a disruption budget is a 429 too, but not about load.
        if method in _READS and error.reason != "DisruptionBudget":
            return backoff
    return None


def _keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make sockets that notice a vanished peer within about a minute, also when idle."""
    family, kind, protocol, *_ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock
