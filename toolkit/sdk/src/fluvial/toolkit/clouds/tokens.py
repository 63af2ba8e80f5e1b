"""Access tokens: what a provider gives for an account of this cluster, or to the controller."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from fluvial.toolkit.client import Client
from fluvial.toolkit.clouds.accounts import Account, request_token
from fluvial.toolkit.clouds.cache import Bearer, Expiring, Involved, TokenCache

__all__ = ["Need", "Provider", "Tokens", "digest"]

T = TypeVar("T", bound=Expiring)
P_co = TypeVar("P_co", bound=Expiring, covariant=True)


@dataclass(frozen=True, slots=True)
class Need:
    """What a token is to be good for. Providers look at what is theirs."""

    audiences: tuple[str, ...] = ()
    """Whom the account's own token is for; empty: whom the provider says."""
    scope: str = ""
    """The service (azure)."""
    region: str = ""
    """Where tokens are asked for (aws)."""
    proxy: str = field(default="", repr=False)
    """URL of the proxy through which they are asked for, empty for that of the environment (aws,
    azure)."""

    @property
    def how(self) -> tuple[str, str, str]:
        """What is part of a key, besides for whom."""
        return self.scope, self.region, self.proxy


class Provider(Protocol[P_co]):
    """Whoever knows the accounts of this cluster, and gives tokens for what they may do there."""

    @property
    def name(self) -> str:
        """What specs call it."""

    async def audiences(self, account: Account) -> tuple[str, ...]:
        """Whom an account's own token must be for. Raises ConfigError."""

    def identity(self, account: Account) -> str:
        """Who an account is there, by its annotations. Raises ConfigError."""

    async def own(self, need: Need) -> P_co:
        """Get a token for the controller, by what its environment says. Raises ConfigError."""

    async def exchange(self, token: Bearer, account: Account, need: Need) -> P_co:
        """Get a token in exchange for that of an account. Raises ConfigError."""


class Tokens:
    """Gets access tokens, by way of the cache."""

    def __init__(self, local: Client, cache: TokenCache) -> None:
        self.local = local
        """The cluster whose accounts they are."""
        self.cache = cache
        """Where they are held."""

    async def access(
        self,
        provider: Provider[T],
        account: Account | None,
        need: Need,
        involved: Involved | None = None,
        *,
        fresh: bool = False,
    ) -> T:
        """Return a token for an account, None for the controller itself.

        `fresh` passes over one that is held, after it was refused. Raises ConfigError, whose
        message says who refused and never holds a token.
        """
        works = (lambda _: False) if fresh else None
        if account is None:
            key = digest("own", provider.name, *need.how, *need.audiences)
            return await self.cache.get(key, lambda: provider.own(need), involved, works=works)
        audiences = need.audiences or await provider.audiences(account)

        async def fetch() -> T:
            token = await request_token(self.local, account, audiences)
            return await provider.exchange(token, account, need)

        key = digest(
            "account",
            provider.name,
            account.namespace,
            account.name,
            provider.identity(account),
            *need.how,
            *audiences,
        )
        return await self.cache.get(key, fetch, involved, works=works)


def digest(*parts: str) -> str:
    """Return one word for some, different wherever one of them is."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
