"""Who is told, and how it reaches them. What cannot be delivered is logged and stops no release."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from fluvial.apis.flagger import AlertProvider, AlertReference, Canary
from fluvial.apis.kinds import ALERT_PROVIDER
from fluvial.canary.alerts.payloads import body_of
from fluvial.canary.errors import CanaryError
from fluvial.toolkit import Logger
from fluvial.toolkit.client import Client, ClientError, Resource
from fluvial.toolkit.extensions import Alert

__all__ = ["Alerts"]

_SECRETS: Final = Resource("", "v1", "secrets", "Secret")
_TIMEOUT: Final = 5.0
_SHOWN: Final = 300
_DEADLINE: Final = 600
_RANKS: Final = {"info": 0, "warn": 1, "error": 2}


class _Undelivered(CanaryError):  # noqa: N818 -- named by what it says
    """One provider was not told; the text says why and holds no address, which is a credential."""


class Alerts:
    """Sends the alerts of Canaries to the AlertProviders that they name.

    A reference without severity gets everything, as upstream documents (its code sends nothing
    then). `cluster` is a field of every alert when it is not empty.
    """

    def __init__(
        self, client: Client, session: aiohttp.ClientSession, log: Logger, *, cluster: str = ""
    ) -> None:
        self._client = client
        self._session = session
        self._log = log
        self._cluster = cluster

    async def send(
        self, canary: Canary, message: str, severity: str, *, metadata: bool = False
    ) -> None:
        """Tell every provider whose severity is at most this one, one after the other.

        `metadata` adds target, threshold, deadline and routing of the release.
        """
        fields = [("Cluster", self._cluster)] if self._cluster else []
        if metadata:
            fields += _facts(canary)
        for reference in canary.spec.analysis.alerts:
            if _RANKS[severity] < _RANKS[reference.severity or "info"]:
                continue
            try:
                await self._tell(canary, reference, message, severity, fields)
            except (_Undelivered, ClientError) as error:
                self._log.error(
                    "alert not sent",
                    error,
                    canary=str(canary),
                    alert=reference.name,
                    provider=_place(canary, reference),
                )

    async def _tell(
        self,
        canary: Canary,
        reference: AlertReference,
        message: str,
        severity: str,
        fields: list[tuple[str, str]],
    ) -> None:
        namespace = reference.provider_ref.namespace or canary.metadata.namespace
        try:
            provider = await self._client.typed(ALERT_PROVIDER).get(
                reference.provider_ref.name, namespace
            )
        except ValueError as error:
            raise _Undelivered(f"AlertProvider {_place(canary, reference)}: {error}") from error
        spec = provider.spec
        address, token = await self._credentials(provider)
        alert = Alert(
            f"{canary.metadata.name}.{canary.metadata.namespace}",
            message,
            severity,
            tuple(fields),
            spec.username or "flagger",
            spec.channel or "general",
        )
        try:
            body = body_of(spec.type, alert)
        except KeyError as error:
            raise _Undelivered(f"spec.type {spec.type!r} is not supported") from error
        except Exception as error:
            # Of an extension: whatever is wrong with it stops no release.
            raise _Undelivered(f"spec.type {spec.type!r}: {error}") from error
        headers = {"Content-Type": "application/json"}
        if token and spec.type == "slack":
            headers["Authorization"] = f"Bearer {token}"
        await self._post(_endpoint(spec.type, address), body, headers, spec.proxy)

    async def _credentials(self, provider: AlertProvider) -> tuple[str, str]:
        """Return address and token, from the Secret where there is one."""
        reference = provider.spec.secret_ref
        if reference is None:
            return provider.spec.address, ""
        secret = await self._client.get(_SECRETS, reference.name, provider.metadata.namespace)
        try:
            data = {
                key: base64.b64decode(value).decode()
                for key, value in (secret.get("data") or {}).items()
                if key in {"address", "token"}
            }
        except ValueError as error:
            raise _Undelivered(f"secret {reference.name} is not text") from error
        if "address" not in data:
            raise _Undelivered(f"secret {reference.name} does not contain an address")
        return data["address"].strip(), data.get("token", "").strip()

    async def _post(self, url: URL, body: object, headers: Mapping[str, str], proxy: str) -> None:
        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                self._session.post(
                    url,
                    data=msgspec.json.encode(body),
                    headers=headers,
                    proxy=proxy or None,
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as response,
            ):
                if not 200 <= response.status < 300:
                    text = (await response.content.read(_SHOWN)).decode("utf-8", "replace")
                    raise _Undelivered(f"answer {response.status}: {text}")
        except TimeoutError as error:
            raise _Undelivered(f"no answer within {_TIMEOUT:g} seconds") from error
        except aiohttp.ClientConnectorError as error:
            raise _Undelivered(f"no connection to {error.host}:{error.port}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their texts may have the whole address in them.
            raise _Undelivered(f"the request failed: {type(error).__name__}") from error


def _endpoint(type: str, address: str) -> URL:
    try:
        url = URL(address)
    except ValueError as error:
        raise _Undelivered("the address is no URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise _Undelivered("the address is no http or https URL")
    if type == "discord" and not url.path.endswith("/slack"):
        # Discord takes Slack's form at a path of its own.
        return url.with_path(url.path.rstrip("/") + "/slack", keep_query=True)
    return url


def _facts(canary: Canary) -> list[tuple[str, str]]:
    spec, analysis = canary.spec, canary.spec.analysis
    target = f"{spec.target_ref.kind}/{spec.target_ref.name}.{canary.metadata.namespace}"
    deadline = spec.progress_deadline_seconds
    facts = [
        ("Target", target),
        ("Failed checks threshold", str(max(1, analysis.threshold))),
        ("Progress deadline", f"{_DEADLINE if deadline is None else deadline}s"),
    ]
    routing = _routing(canary)
    return [*facts, ("Traffic routing", routing)] if routing else facts


def _routing(canary: Canary) -> str:
    analysis = canary.spec.analysis
    if analysis.match:
        return "A/B Testing"
    if analysis.iterations > 0:
        return "Blue/Green"
    top = analysis.max_weight
    if analysis.step_weight > 0:
        return f"Weight step: {analysis.step_weight} max: {top}"
    if analysis.step_weights:
        return f"Weight steps: {','.join(map(str, analysis.step_weights))} max: {top}"
    return ""


def _place(canary: Canary, reference: AlertReference) -> str:
    namespace = reference.provider_ref.namespace or canary.metadata.namespace
    return f"{reference.provider_ref.name}.{namespace}"
