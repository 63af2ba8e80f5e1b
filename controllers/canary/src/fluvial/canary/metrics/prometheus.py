"""Prometheus: instant queries over its HTTP API."""

import asyncio
import base64
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import aiohttp
import msgspec
from multidict import CIMultiDict
from yarl import URL

from fluvial.apis.flagger import MetricProvider
from fluvial.canary.metrics.model import NoValues, QueryError

__all__ = ["Prometheus"]

_TIMEOUT: Final = 5.0
_BODY: Final = 1 << 20
"""Most that is read of an answer, in bytes: a query that returns more selects too much."""
_SHOWN: Final = 300
_SPACE: Final = re.compile(r"[\t\n\f\r ]+")
_ONLINE: Final = "vector(1)"


class _Sample(msgspec.Struct):
    value: tuple[Any, str | float] | None = None
    values: list[Any] | None = None


class _Data(msgspec.Struct):
    result: list[Any] = []


class _Response(msgspec.Struct):
    data: Annotated[_Data | None, msgspec.Meta()] = None


_RESPONSE: Final = msgspec.json.Decoder(_Response)


class Prometheus:
    """One server, or what speaks like it.

    `secret` has the decoded entries of the provider's Secret: `token`, or else `username` and
    `password`; None without a Secret. Raises QueryError for an address that is no HTTP URL and for
    a Secret without these.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        provider: MetricProvider,
        secret: Mapping[str, bytes] | None = None,
    ) -> None:
        self._session = session
        self._url = _endpoint(provider)
        self._headers = CIMultiDict(
            (name, value) for name, values in provider.headers.items() for value in values
        )
        if secret is not None:
            self._headers["Authorization"] = _authorization(provider, secret)
            self._url = self._url.with_user(None)
        self._verify = not provider.insecure_skip_verify

    async def value(self, query: str) -> float:
        """Run a query and return the value of the last element of its vector.

        Raises NoValues for an empty result and for NaN, QueryError for everything else that is no
        number within five seconds. Infinity is a number.
        """
        body = await self._get(_SPACE.sub(" ", query))
        try:
            data = _RESPONSE.decode(body).data
            samples = msgspec.convert(data.result if data else [], list[_Sample])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise QueryError(f"the answer is no result of a query: {error}: {_shown(body)}") from (
                error
            )
        if any(sample.values is not None for sample in samples):
            raise QueryError("query returned multiple values")
        found = [sample.value[1] for sample in samples if sample.value is not None]
        if not found:
            raise NoValues("no values found")
        try:
            value = float(found[-1])
        except ValueError as error:
            raise QueryError(f"not a number: {found[-1]!r}") from error
        if math.isnan(value):
            raise NoValues("no values found")
        return value

    async def check_online(self) -> None:
        """Ask something every server knows; raises MetricError when the answer is not right."""
        value = await self.value(_ONLINE)
        if value != 1:
            raise QueryError(f"value is not 1 for query: {_ONLINE}")

    async def _get(self, query: str) -> bytes:
        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                self._session.get(
                    self._url.with_query({"query": query}),
                    headers=self._headers,
                    ssl=self._verify,
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as response,
            ):
                body = await _read(response.content)
                if response.status >= 400:
                    raise QueryError(
                        f"error response: Status {response.status} {response.reason}: "
                        f"{_shown(body)}"
                    )
                return body
        except TimeoutError as error:
            raise QueryError(f"request failed: no answer within {_TIMEOUT:g} seconds") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: a header that cannot be sent.
            raise QueryError(f"request failed: {error}") from error


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(64 << 10):
        body += chunk
        if len(body) > _BODY:
            raise QueryError(f"the answer is larger than {_BODY >> 20} MiB; select less")
    return bytes(body)


def _endpoint(provider: MetricProvider) -> URL:
    wrong = QueryError(f"{provider.type} address {provider.address} is not a valid URL")
    try:
        url = URL(provider.address)
    except ValueError as error:
        raise wrong from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise wrong
    return url.with_path(url.path.rstrip("/") + "/api/v1/query")


def _authorization(provider: MetricProvider, secret: Mapping[str, bytes]) -> str:
    if "token" in secret:
        return f"Bearer {secret['token'].decode('utf-8', 'replace')}"
    for key in ("username", "password"):
        if key not in secret:
            raise QueryError(f"{provider.type} credentials does not contain a {key}")
    pair = secret["username"] + b":" + secret["password"]
    return f"Basic {base64.b64encode(pair).decode()}"


def _shown(body: bytes) -> str:
    return body[:_SHOWN].decode("utf-8", "replace").strip()
