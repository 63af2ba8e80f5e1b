"""Services of clouds that are asked in forms or JSON, and answer in JSON."""

import ssl
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.redact import redact
from fluvial.toolkit.web import WebClient, WebError, shown

__all__ = ["Services"]

T = TypeVar("T")

_LARGEST: Final = 1 << 20
_SHOWN: Final = 500
"""How much of a refusal is quoted, in characters."""

_TRIES: Final = 3
_JSON: Final = {"Accept": "application/json"}


class Services:
    """Asks one service at a time, within `timeout` seconds each, as long as upstream waits.

    `tls` is the context for https, None for the authorities of the system.
    """

    def __init__(
        self, clock: Clock, *, tls: ssl.SSLContext | None = None, timeout: float = 10.0
    ) -> None:
        self.clock = clock
        """Where time comes from."""
        self._tls = tls
        self._timeout = timeout

    async def form(
        self, url: str, fields: Mapping[str, str], type: type[T], *, proxy: str | None = None
    ) -> T:
        """Send a form, as OAuth does, through a proxy (None: of the environment).

        Raises ConfigError.
        """
        headers = {**_JSON, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(fields).encode()
        return _decoded(url, await self._send("POST", url, headers, body, proxy=proxy), type)

    async def get(self, url: str, type: type[T], *, bearer: str) -> T:
        """Read an object. Raises ConfigError."""
        return _decoded(url, await self._send("GET", url, _JSON, None, bearer=bearer), type)

    async def machine(self, url: str, type: type[T], headers: Mapping[str, str]) -> T:
        """Read an object from the metadata server of this machine, never through a proxy.

        Raises ConfigError.
        """
        headers = {**_JSON, **headers}
        return _decoded(url, await self._send("GET", url, headers, None, proxy=""), type)

    async def post(self, url: str, body: Any, type: type[T], *, bearer: str) -> T:
        """Send JSON, None for nothing. Raises ConfigError."""
        headers, content = _JSON, b""
        if body is not None:
            headers = {**_JSON, "Content-Type": "application/json"}
            content = msgspec.json.encode(body)
        return _decoded(url, await self._send("POST", url, headers, content, bearer=bearer), type)

    async def text(self, url: str, headers: Mapping[str, str], *, direct: bool = False) -> str:
        """Read plain text, with `direct` never through a proxy. Raises ConfigError."""
        content = await self._send("GET", url, headers, None, proxy="" if direct else None)
        return content.decode("utf-8", "replace").strip()

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        bearer: str = "",
        proxy: str | None = None,
    ) -> bytes:
        web = WebClient(
            authorization=f"Bearer {bearer}" if bearer else "",
            tls=self._tls,
            timeout=self._timeout,
            tries=_TRIES,
            proxy=proxy,
            sleep=self.clock.sleep,
        )
        try:
            async with web:
                answer = await web.ask(method, url, headers, _LARGEST, body=body)
        except WebError as error:
            raise ConfigError(str(error)) from error
        if answer.status != 200:
            raise ConfigError(f"{shown(url)} answered {answer.status}: {_said(answer.body)}")
        return answer.body


def _decoded(url: str, answer: bytes, type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=type)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{shown(url)} answered something else: {error}") from None


def _said(body: bytes) -> str:
    """Find the sentence in an error of OAuth, of Azure's or of Google's services."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = None
    if isinstance(found, dict):
        inner = found.get("error")
        if isinstance(inner, dict):
            found, inner = inner, None
        said = found.get("error_description") or found.get("message") or inner
        if isinstance(said, str) and said:
            return redact(said)[:_SHOWN]
    return redact(body[:_SHOWN].decode("utf-8", "replace").strip()) or "nothing"
