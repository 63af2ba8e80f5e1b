"""Credentials for Git services of clouds: those of an account of the cluster, or our own."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fluvial.source.git.credentials import Credentials
from fluvial.toolkit import Client, Clock
from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import (
    Account,
    Aws,
    Azure,
    Involved,
    Keys,
    Need,
    Services,
    TokenCache,
    Tokens,
    digest,
    find_account,
)

__all__ = ["PROVIDERS", "GitIdentities", "Requester"]

PROVIDERS: Final = frozenset({"aws", "azure"})
"""Clouds that have Git services: CodeCommit and Azure DevOps."""

_DEVOPS: Final = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""What Azure DevOps is called in Entra ID, in every organisation."""

_CODECOMMIT = re.compile(r"git-codecommit(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_SIGNED: Final = timedelta(minutes=15)
"""How long CodeCommit takes a signature."""

_MOMENT: Final = "%Y%m%dT%H%M%S"


class Requester(NamedTuple):
    """Who wants to read a repository."""

    namespace: str
    """Where the object and its account are."""
    name: str
    """Name of the GitRepository."""
    account: str
    """Name of its ServiceAccount, empty for the default one, or else the controller."""
    proxy: str = ""
    """URL of the proxy of its spec, empty for that of the environment."""


@dataclass(frozen=True, slots=True)
class _Signed:
    user: str = field(repr=False)
    password: str = field(repr=False)
    expires: datetime


class GitIdentities:
    """Gets credentials from clouds, by way of the cache.

    `default_account` is the ServiceAccount of objects that name none, empty for the controller's
    own identity; `azure` and `aws` are who gives the tokens (None: the clouds themselves).
    """

    def __init__(
        self,
        local: Client,
        cache: TokenCache,
        clock: Clock,
        *,
        default_account: str = "",
        azure: Azure | None = None,
        aws: Aws | None = None,
    ) -> None:
        self._tokens = Tokens(local, cache)
        self._clock = clock
        self._default = default_account
        self._azure = azure or Azure(Services(clock))
        self._aws = aws or Aws()

    async def credentials(self, provider: str, url: str, requester: Requester) -> Credentials:
        """Return what one of PROVIDERS gives for a remote.

        Raises ConfigError where it gives nothing, and what reading the account can raise.
        """
        namespace, name, named, proxy = requester
        if proxy and urlsplit(proxy).scheme not in {"http", "https"}:
            raise ConfigError(
                f"provider {provider} takes no socks5 proxy: give spec.proxySecretRef the address "
                "of an http or https proxy"
            )
        account = await find_account(self._tokens.local, namespace, named, self._default)
        involved = Involved("GitRepository", namespace, name, operation="reconcile")
        if provider == "aws":
            need = Need(region=_region(url), proxy=proxy)
            return await self._signed(url, account, need, involved)
        need = Need(scope=_DEVOPS, proxy=proxy)
        token = await self._tokens.access(self._azure, account, need, involved)
        return Credentials(bearer_token=token.token)

    async def _signed(
        self, url: str, account: Account | None, need: Need, involved: Involved
    ) -> Credentials:
        """Sign for CodeCommit; the signature is good for this repository only."""

        async def fetch() -> _Signed:
            keys = await self._tokens.access(self._aws, account, need, involved)
            now = self._clock.now()
            moment = now.strftime(_MOMENT)
            password = f"{moment}Z{_signature(url, need.region, keys, moment)}"
            user = f"{keys.access}%{keys.session}" if keys.session else keys.access
            return _Signed(user, password, min(now + _SIGNED, keys.expires))

        who = (account.namespace, account.name, self._aws.identity(account)) if account else ()
        key = digest("git", "aws", url, need.proxy, *who)
        signed = await self._tokens.cache.get(key, fetch, involved)
        return Credentials(username=signed.user, password=signed.password)


def _region(url: str) -> str:
    parts = urlsplit(url)
    match = _CODECOMMIT.fullmatch(parts.hostname or "")
    if parts.scheme != "https" or match is None:
        raise ConfigError(
            "provider aws is for CodeCommit: spec.url must be of the form "
            "https://git-codecommit.<region>.amazonaws.com/<path>"
        )
    return match[1]


def _signature(url: str, region: str, keys: Keys, moment: str) -> str:
    """Sign the made-up method GIT, for this host and path; nothing else is part of it."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - where AWS is used
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials as Signing  # noqa: PLC0415

    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    request = AWSRequest(method="GIT", url=url)
    request.context["timestamp"] = moment
    signer = SigV4Auth(Signing(keys.access, keys.secret), "codecommit", region)
    text = signer.string_to_sign(request, f"GIT\n{parts.path}\n\nhost:{host}\n\nhost\n")
    signature: str = signer.signature(text, request)
    return signature
