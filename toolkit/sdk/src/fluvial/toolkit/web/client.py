"""One client for downloads: deadlines, bounds, redirects, proxies and credentials."""

import asyncio
import base64
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http.client import responses
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import quote, unquote, urljoin
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from fluvial.toolkit.web._errors import AnswerTooLarge, Refused, Unreachable, UrlInvalid
from fluvial.toolkit.web.urls import same_origin, shown, split, without_userinfo

__all__ = ["Answer", "WebClient", "basic"]

_CHUNK: Final = 1 << 16
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_AS_THEY_ARE: Final = "%/:=&?~#+!$,;'@()*[]"
"""What stands in addresses for itself; blanks and letters of other scripts are written in bytes."""

_AGAIN: Final = frozenset({408, 429, 502, 503, 504})
_LONGEST_WAIT: Final = 30.0
_UNKNOWN_AUTHORITY: Final = frozenset({18, 19, 20, 21})  # codes of OpenSSL


class Answer(NamedTuple):
    """What a server said."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers; their names in any case."""
    body: bytes
    """The body, as it was sent."""
    url: str
    """Where it came from, after redirects."""


class _Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]
    largest: int
    body: bytes | None


class WebClient:
    """Asks servers of others.

    `authorization` is what the header of that name holds, for the origin of the URL that is asked;
    a user and password in the URL itself win over it. `tls` is the context for https (None: the
    system's authorities). `timeout` bounds a call in seconds, redirects and tries included.
    `tries` repeats what failed for a moment (408, 429, 502 to 504, connections that broke off),
    after the time that the server asks for, else one second and twice as long each time; `sleep`
    waits.
    `proxy` is the URL of an http or https proxy, empty for none, None for those of the environment.

    Use as an async context manager.
    """

    def __init__(
        self,
        *,
        authorization: str = "",
        tls: ssl.SSLContext | None = None,
        timeout: float = 120.0,
        tries: int = 1,
        proxy: str | None = None,
        user_agent: str = "fluvial",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._authorization = authorization
        self._tls = tls
        self._timeout = timeout
        self._tries = tries
        self._proxy = proxy
        self._agent = user_agent
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=True if self._tls is None else self._tls)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self, url: str, *, largest: int, accept: str = "", authorization: str | None = None
    ) -> Answer:
        """Download at most `largest` bytes; any answer but 200 is an error.

        `authorization` replaces the client's own. Raises WebError.
        """
        headers = {"Accept": accept} if accept else {}
        answer = await self.ask("GET", url, headers, largest, authorization=authorization)
        if answer.status != 200:
            said = f"{answer.status} {responses.get(answer.status, '')}".rstrip()
            raise Refused(f"failed to fetch {shown(url)} : {said}", answer.status)
        return answer

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        largest: int,
        *,
        authorization: str | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request and return any answer. Raises WebError, but never Refused."""
        credentials = self._authorization if authorization is None else authorization
        request = _Request(method, url, headers, largest, body)
        try:
            async with asyncio.timeout(self._timeout):
                for attempt in range(1, self._tries + 1):
                    last = attempt == self._tries
                    try:
                        answer = await self._follow(request, credentials)
                    except Unreachable as error:
                        if last or not error.passing:
                            raise
                        await self._sleep(2.0 ** (attempt - 1))
                        continue
                    if last or answer.status not in _AGAIN:
                        return answer
                    await self._sleep(_wait(answer, attempt))
        except TimeoutError:
            raise Unreachable(f"{shown(url)} gave no answer within {self._timeout:g} s") from None
        raise AssertionError("the last try returns or raises")

    async def _follow(self, request: _Request, authorization: str) -> Answer:
        """Send, and go where the server points to."""
        place, own = _split_userinfo(request.url)
        credentials = own or authorization
        current = request._replace(url=place)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self._send(current, credentials)
            target = answer.headers.get("Location", "")
            if answer.status not in _REDIRECTS or not target:
                return answer
            place, _ = _split_userinfo(urljoin(current.url, target))
            if not same_origin(current.url, place):
                credentials = ""  # and so it stays, wherever the next one points
            current = current._replace(url=place)
            if answer.status == 303:
                current = current._replace(method="GET", body=None)
        raise Unreachable(f"{shown(request.url)}: stopped after {_MOST_REDIRECTS} redirects")

    async def _send(self, request: _Request, authorization: str) -> Answer:
        assert self._session is not None, "use the WebClient as an async context manager"
        known = {"Authorization": authorization} if authorization else {}
        try:
            async with self._session.request(
                request.method,
                URL(quote(request.url, safe=_AS_THEY_ARE), encoded=True),
                data=request.body,
                # Never compressed on the way: digests are those of the bytes as they lie there.
                headers={
                    "Accept-Encoding": "identity",
                    "User-Agent": self._agent,
                    **request.headers,
                    **known,
                },
                proxy=_proxy(request.url) if self._proxy is None else self._proxy or None,
                allow_redirects=False,
            ) as response:
                body = await _body(response, request.url, request.largest)
                return Answer(response.status, response.headers, body, request.url)
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            place = f'{request.method.capitalize()} "{shown(request.url)}"'
            passing = isinstance(error, aiohttp.ClientError) and not isinstance(
                error, aiohttp.ClientConnectorError
            )
            raise Unreachable(f"{place}: {_problem(error)}", passing=passing) from error


async def _body(response: aiohttp.ClientResponse, url: str, largest: int) -> bytes:
    """Read a body of at most `largest` bytes; that of a redirect or error may be cut off."""
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > largest:
            if response.status != 200:
                break
            raise AnswerTooLarge(f"{shown(url)} is larger than {largest} bytes")
    return b"".join(chunks)


def _problem(error: Exception) -> str:
    """Say why there is no answer, in Go's words where they are known."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        reason = getattr(found, "verify_message", str(found))
        if getattr(found, "verify_code", 0) in _UNKNOWN_AUTHORITY:
            reason = "x509: certificate signed by unknown authority"
        return f"tls: failed to verify certificate: {reason}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        reason = os.strerror(error.os_error.errno).lower()
        return f"dial tcp {error.host}:{error.port}: connect: {reason}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__


def basic(username: str, password: str) -> str:
    """Return the header for a user and password; empty without both."""
    if not username and not password:
        return ""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _split_userinfo(url: str) -> tuple[str, str]:
    """Return a URL without its user and password, and the header for these. Raises UrlInvalid."""
    parts = split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UrlInvalid(f"{shown(url)} is no http or https URL")
    if "@" not in parts.netloc:
        return url, ""
    userinfo = unquote(parts.username or ""), unquote(parts.password or "")
    return without_userinfo(url), basic(*userinfo)


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for a URL."""
    parts = split(url)
    host = parts.hostname or ""
    # As in Go, this machine is never asked through a proxy.
    if host == "localhost" or host.startswith("127.") or proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


def _wait(answer: Answer, attempt: int) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else 2.0 ** (attempt - 1), _LONGEST_WAIT)
