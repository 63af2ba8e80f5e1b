"""Webhooks: calls that gate, accompany or report a release, in Flagger's form.

A POST of `{name, namespace, phase, checksum, metadata}`; an answer of 200, 201 or 202 approves,
everything else does not. What an approval is worth is for the caller to know.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp
import msgspec

from fluvial.apis.duration import parse_duration
from fluvial.apis.flagger import Canary, Webhook
from fluvial.toolkit.clock import Clock

__all__ = ["HookOutcome", "Webhooks"]

_log: Final = logging.getLogger(__name__)

_TIMEOUT: Final = "10s"
_APPROVED: Final = 202
_FIRST_WAIT: Final = 1.0
_LAST_WAIT: Final = 30.0
_SHOWN: Final = 4096
"""How much of an answer goes into the message, in bytes; the rest is not read."""


@dataclass(frozen=True, slots=True)
class HookOutcome:
    """How a webhook answered: `message` is the body of a refusal, or what went wrong."""

    ok: bool
    message: str = ""


class _Answer(NamedTuple):
    """One attempt: the status, 0 when nothing came back, and the body or the error."""

    status: int
    text: str
    retry_after: float | None = None

    @property
    def worth_another_try(self) -> bool:
        return self.status in {0, 429} or (self.status >= 500 and self.status != 501)


class Webhooks:
    """Calls webhooks through one session; waits between attempts by the clock.

    An attempt ends after the webhook's timeout. After a connection error, 429 or 5xx but 501 up to
    `retries` more follow, one second apart, then two, four, at most thirty; `Retry-After` of a 429
    or 503 outranks that, up to the same thirty seconds.
    """

    def __init__(self, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def call(
        self, canary: Canary, webhook: Webhook, phase: str, checksum: str
    ) -> HookOutcome:
        """Call one webhook; `phase` and `checksum` go with it as they are."""
        return await self._post(webhook, _payload(canary, phase, checksum, webhook.metadata))

    async def event(
        self, canary: Canary, message: str, type: str, *, url: str = "", checksum: str = ""
    ) -> None:
        """Post an event (`type` Normal or Warning) to the Canary's event webhooks.

        Where it has none, to `url`, the controller's own; empty means nobody. What cannot be
        delivered is logged: reporting never stops a release.
        """
        hooks = [hook for hook in canary.spec.analysis.webhooks if hook.type == "event"]
        if not hooks and url:
            hooks = [Webhook(name="events", url=url)]
        fixed = {
            "eventMessage": message,
            "eventType": type,
            "timestamp": str(int(self._clock.now().timestamp() * 1000)),
        }
        for webhook in hooks:
            metadata = {**webhook.metadata, **fixed}
            payload = _payload(canary, canary.status.phase, checksum, metadata)
            outcome = await self._post(webhook, payload)
            if not outcome.ok:
                _log.warning("%s: event webhook %s: %s", canary, webhook.name, outcome.message)

    async def _post(self, webhook: Webhook, payload: bytes) -> HookOutcome:
        try:
            # As upstream: one character is no duration.
            limit = parse_duration(webhook.timeout if len(webhook.timeout) > 1 else _TIMEOUT)
        except ValueError as error:
            return HookOutcome(ok=False, message=f"webhook {webhook.name}: timeout: {error}")
        attempts = max(0, webhook.retries) + 1
        wait = _FIRST_WAIT
        for attempt in range(1, attempts + 1):
            answer = await self._attempt(webhook, payload, limit)
            if not answer.worth_another_try:
                break
            if attempt == attempts:
                reason = answer.text if not answer.status else f"{answer.status} {answer.text}"
                return HookOutcome(
                    ok=False,
                    message=f"POST {webhook.url} giving up after {attempt} attempt(s): {reason}",
                )
            due = wait if answer.retry_after is None else min(answer.retry_after, _LAST_WAIT)
            await self._clock.sleep(due)
            wait = min(wait * 2, _LAST_WAIT)
        if answer.status <= _APPROVED:
            return HookOutcome(ok=True, message=answer.text)
        return HookOutcome(ok=False, message=answer.text or f"status {answer.status}")

    async def _attempt(self, webhook: Webhook, payload: bytes, limit: float) -> _Answer:
        try:
            async with (
                asyncio.timeout(limit),
                self._session.post(
                    webhook.url,
                    data=payload,
                    headers={"Content-Type": "application/json"},
                    timeout=aiohttp.ClientTimeout(total=None),
                    ssl=not webhook.disable_tls,
                ) as response,
            ):
                body = await response.content.read(_SHOWN)
                after = response.headers.get("Retry-After", "")
                honoured = response.status in {429, 503} and after.isdigit()
                return _Answer(
                    response.status,
                    body.decode("utf-8", "replace"),
                    float(after) if honoured else None,
                )
        except TimeoutError:
            return _Answer(0, f"no answer within {limit:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: an address that aiohttp cannot make sense of.
            return _Answer(0, str(error) or type(error).__name__)


def _payload(canary: Canary, phase: str, checksum: str, metadata: Mapping[str, str]) -> bytes:
    body: dict[str, object] = {
        "name": canary.metadata.name,
        "namespace": canary.metadata.namespace,
        "phase": phase,
        "checksum": checksum,
    }
    if metadata:
        body["metadata"] = metadata
    return msgspec.json.encode(body)
