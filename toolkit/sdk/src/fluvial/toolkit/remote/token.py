"""Bearer tokens of a ServiceAccount of this cluster, for a server that trusts its issuer."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from fluvial.toolkit.client import Client, ClientError, ConfigError, NotFound, Resource
from fluvial.toolkit.clock import Clock

__all__ = ["RequestedToken"]

_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
_SELF: Final = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
)
_PREFIX: Final = "system:serviceaccount:"
_SHARE: Final = 0.8
"""The part of its life after which a token is replaced."""


class RequestedToken:
    """Credentials that ask for a token of `account`, and for the next one before it expires.

    An empty account is that of the controller itself, wherever that lives.
    """

    def __init__(
        self,
        local: Client,
        account: str,
        namespace: str,
        audiences: Sequence[str],
        *,
        clock: Clock,
    ) -> None:
        self._local = local
        self._account = account
        self._namespace = namespace
        self._audiences = list(audiences)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._headers: dict[str, str] = {}
        self._due = 0.0

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Return the header with a token that lives. Raises ConfigError naming the account."""
        async with self._lock:
            if refresh or not self._headers or self._clock.monotonic() >= self._due:
                await self._request()
        return self._headers

    async def _request(self) -> None:
        namespace, account = self._namespace, self._account
        try:
            if not account:
                namespace, account = await self._myself()
            answer = await self._local.create(
                _ACCOUNTS,
                {
                    "apiVersion": "authentication.k8s.io/v1",
                    "kind": "TokenRequest",
                    "spec": {"audiences": self._audiences},
                },
                namespace,
                name=account,
                subresource="token",
            )
        except NotFound as error:
            raise ConfigError(f"ServiceAccount '{namespace}/{account}' not found") from error
        except ConfigError:
            raise
        except ClientError as error:
            raise ConfigError(
                f"no token for ServiceAccount '{namespace}/{account or '(own)'}': {error}"
            ) from error
        status = answer["status"]
        expires = datetime.fromisoformat(status["expirationTimestamp"])
        life = (expires - self._clock.now()).total_seconds()
        self._headers = {"Authorization": f"Bearer {status['token']}"}
        self._due = self._clock.monotonic() + max(life * _SHARE, 0.0)

    async def _myself(self) -> tuple[str, str]:
        body = {"apiVersion": _SELF.api_version, "kind": _SELF.kind}
        review = await self._local.create(_SELF, body)
        name = str(((review.get("status") or {}).get("userInfo") or {}).get("username") or "")
        namespace, _, account = name.removeprefix(_PREFIX).partition(":")
        if not name.startswith(_PREFIX) or not account:
            raise ConfigError(
                f"the controller acts as {name or 'nobody'!r}, which is no ServiceAccount and has "
                "no tokens: name one in serviceAccountName"
            )
        return namespace, account
