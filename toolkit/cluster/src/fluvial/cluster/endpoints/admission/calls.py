"""The calls of webhooks over HTTPS: where to, whom to trust, and what went wrong in Go's words."""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import os
import ssl
from functools import lru_cache
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from fluvial.cluster.endpoints.admission.services import ServiceError, Services
from fluvial.cluster.objects import Object

__all__ = ["CallError", "Caller"]

LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that are read."""


class CallError(Exception):
    """A webhook could not be asked; the message is what follows `failed to call webhook: `."""


class Caller:
    """Calls webhooks; each call has a connection of its own and ends in `seconds`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def call(self, config: Object, body: bytes, seconds: int) -> bytes:
        """Return the body of a webhook's answer; raises `CallError`.

        `config` is a `clientConfig`. The time limit is also told to the webhook, as `timeout`.
        """
        service = config.get("service")
        if service is not None:
            port = service.get("port", 443)
            host = f"{service['name']}.{service['namespace']}.svc"
            url = f"https://{host}:{port}/{(service.get('path') or '').lstrip('/')}"
        else:
            url = str(config["url"])
        asked = f"{url}?timeout={seconds}s"
        try:
            async with asyncio.timeout(seconds):
                return await self._post(config, asked, body)
        except TimeoutError:
            raise CallError(f'Post "{asked}": context deadline exceeded') from None
        except ServiceError as error:
            raise CallError(f'Post "{asked}": {error}') from None
        except aiohttp.ClientError as error:
            raise CallError(f'Post "{asked}": {_reason(error)}') from None

    async def _post(self, config: Object, url: str, body: bytes) -> bytes:
        parts = urlsplit(url)
        target, name = URL(url, encoded=True), parts.hostname
        if config.get("service") is not None:
            host, port = self._services.resolve(config["service"])
            target = target.with_host(host).with_port(port)
        connector = aiohttp.TCPConnector(
            ssl=_trust(config.get("caBundle")),
            force_close=True,
            resolver=aiohttp.ThreadedResolver(),
        )
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, */*",
            "User-Agent": "kube-apiserver-admission",
            "Host": parts.netloc,
        }
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(
                target, data=body, headers=headers, server_hostname=name, allow_redirects=False
            ) as response,
        ):
            content = await _content(response)
            if not 200 <= response.status < 300:
                raise CallError(_refused(response.status, content))
            return content


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer, which may arrive in pieces. Raises `CallError` if too long."""
    found = bytearray()
    async for piece in response.content.iter_any():
        found += piece
        if len(found) > LIMIT:
            raise CallError(f"the answer is longer than {LIMIT} bytes")
    return bytes(found)


@lru_cache(maxsize=64)
def _trust(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts a bundle of PEM certificates; without one, the system's."""
    if not bundle:
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(
            cadata=base64.b64decode(bundle, validate=True).decode()
        )
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError):
        raise CallError(
            "unable to load root certificates: unable to parse bytes as PEM block"
        ) from None
    # A webhook's own self-signed certificate is its usual root; Go does not ask more of it.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _refused(status: int, content: bytes) -> str:
    """Return what a client of Go says of an answer that is no success."""
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError:
        found = None
    if isinstance(found, dict) and found.get("kind") == "Status" and found.get("message"):
        return str(found["message"])
    known = {
        400: "the server rejected our request for an unknown reason",
        401: "the server has asked for the client to provide credentials",
        404: "the server could not find the requested resource",
        405: "the server does not allow this method on the requested resource",
        429: "the server has received too many requests and has asked us to try again later",
        503: "the server is currently unable to handle the request",
        504: "the server was unable to return a response in the time allotted, but may still be "
        "processing the request",
    }
    if status in known:
        return known[status]
    text = content.decode(errors="replace").strip()
    if status == 403:
        return text or "unknown"
    shown = msgspec.json.encode(text or "unknown").decode()
    if status >= 500:
        return f"an error on the server ({shown}) has prevented the request from succeeding"
    return f"the server responded with the status code {status} but did not return more information"


def _reason(error: aiohttp.ClientError) -> str:
    """Return why a connection failed, in the words of Go's dialer where it has any."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorError):
        where = f"dial tcp {error.host}:{error.port}"
        inner: BaseException | None = error.os_error
        if isinstance(inner, ssl.SSLCertVerificationError):
            return _certificate(inner)
        if isinstance(inner, ssl.SSLError):
            return "http: server gave HTTP response to HTTPS client"
        number = error.os_error.errno
        if number == errno.ECONNREFUSED or number is None:
            return f"{where}: connect: connection refused"
        return f"{where}: connect: {os.strerror(number).lower()}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__


def _certificate(error: BaseException) -> str:
    """Return why a certificate was not accepted."""
    text = getattr(error, "verify_message", "") or str(error)
    if "Hostname mismatch" in text or "IP address mismatch" in text:
        return f"tls: failed to verify certificate: x509: certificate is not valid: {text}"
    if "expired" in text:
        return (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
        )
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
