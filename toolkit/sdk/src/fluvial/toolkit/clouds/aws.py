"""Identities of AWS: IAM roles of ServiceAccounts, or what the environment of the pod says.

Needs the extra `aws` of this distribution (aiobotocore), which finds the controller's own
credentials, signs, and knows where the services of every region are.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds.accounts import Account
from fluvial.toolkit.clouds.cache import Bearer
from fluvial.toolkit.clouds.tokens import Need

__all__ = ["Aws", "Keys"]

_ROLE: Final = "eks.amazonaws.com/role-arn"
_ROLES: Final = r"^arn:aws[\w-]*:iam::[0-9]{1,30}:role/.{1,200}$"
_SERVICES: Final = ("sts", "eks", "ecr")
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_SECONDS: Final = 10.0
_TRIES: Final = 3
_DEADLINE: Final = 30.0
"""Seconds for all tries together."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of AWS; never printed."""

    access: str = field(repr=False)
    """The access key's id."""
    secret: str = field(repr=False)
    """The secret access key."""
    session: str = field(repr=False)
    """The session token, empty for keys that live on."""
    expires: datetime
    """When they stop to be good; long ago for keys that do not say, which are not to be held."""


class Aws:
    """Gets temporary credentials of AWS.

    An account names its role in the annotation `eks.amazonaws.com/role-arn`. The controller's own
    credentials are found as by every program: environment, web identity (IRSA), EKS Pod Identity,
    the machine. Addresses follow `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_STS`, `_EKS`, `_ECR`.
    """

    name = "aws"
    """What specs call it."""

    def __init__(self) -> None:
        self._opening = asyncio.Lock()

    async def audiences(self, account: Account) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """Return the audience of AWS."""
        return ("sts.amazonaws.com",)

    def identity(self, account: Account) -> str:
        """Return the role of an account. Raises ConfigError."""
        role = account.annotations.get(_ROLE, "")
        if not re.fullmatch(_ROLES, role, re.ASCII):
            raise ConfigError(f"{account.title}: annotation {_ROLE}: {role!r} must match {_ROLES}")
        return role

    async def exchange(self, token: Bearer, account: Account, need: Need) -> Keys:
        """Take on the role of an account. Raises ConfigError."""
        from botocore import UNSIGNED  # noqa: PLC0415 - where AWS is used

        proxies = _proxies(need.proxy)
        async with self.client("sts", need.region, signature_version=UNSIGNED, **proxies) as sts:
            answer = await sts.assume_role_with_web_identity(
                RoleArn=self.identity(account),
                RoleSessionName=f"{account.name}.{account.namespace}.{need.region}.fluxcd.io",
                WebIdentityToken=token.token,
            )
        found = answer["Credentials"]
        return Keys(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["SessionToken"],
            found["Expiration"],
        )

    async def own(self, need: Need) -> Keys:
        """Find the credentials of the controller. Raises ConfigError."""
        session = await self.session()
        from aiobotocore.config import AioConfig  # noqa: PLC0415 - where AWS is used
        from aiobotocore.credentials import create_credential_resolver  # noqa: PLC0415
        from aiobotocore.session import get_session  # noqa: PLC0415

        if need.proxy:
            # The clients of the chain take it from a session; what is known of services is shared.
            known, session = session.get_component("data_loader"), get_session()
            session.register_component("data_loader", known)
            session.set_default_client_config(AioConfig(**_proxies(need.proxy)))

        async with _told("the controller's own credentials of AWS"):
            # Not the session's: it would keep them beyond the time for which the cache may.
            chain = create_credential_resolver(session, region_name=need.region)
            found = await chain.load_credentials()
            if found is None:
                raise ConfigError(
                    "the controller has no credentials of AWS: neither the environment, a web "
                    "identity, EKS Pod Identity nor the machine gives any"
                )
            keys = await found.get_frozen_credentials()
        expires = getattr(found, "_expiry_time", None) or _NEVER
        return Keys(keys.access_key, keys.secret_key, keys.token or "", expires)

    @contextlib.asynccontextmanager
    async def client(
        self, service: str, region: str, keys: Keys | None = None, **options: Any
    ) -> AsyncIterator[Any]:
        """Provide a client of one of AWS's services. Raises ConfigError for whatever it raises."""
        session = await self.session()
        from aiobotocore.config import AioConfig  # noqa: PLC0415 - where AWS is used

        config = AioConfig(
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            retries={"mode": "standard", "max_attempts": _TRIES},
            **options,
        )
        named: dict[str, str | None] = {}
        if keys is not None:
            named = {
                "aws_access_key_id": keys.access,
                "aws_secret_access_key": keys.secret,
                "aws_session_token": keys.session or None,
            }
        async with (
            _told(f"{service} in {region}"),
            session.create_client(service, region_name=region, config=config, **named) as made,
        ):
            yield made

    async def session(self) -> Any:
        """Return what knows the services. Raises ConfigError where the extra is missing."""
        async with self._opening:
            try:
                return await asyncio.to_thread(_open)
            except ImportError as error:
                raise ConfigError(
                    "provider aws needs aiobotocore: install fluvial-toolkit[aws]"
                ) from error


def _proxies(proxy: str) -> dict[str, Any]:
    return {"proxies": {"http": proxy, "https": proxy}} if proxy else {}


@cache
def _open() -> Any:
    """Import the library and read what it knows of services, once: a second of work."""
    from aiobotocore.session import get_session  # noqa: PLC0415

    session = get_session()
    loader = session.get_component("data_loader")
    loader.load_data("endpoints")
    loader.load_data("partitions")
    for service in _SERVICES:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
    return session


@contextlib.asynccontextmanager
async def _told(what: str) -> AsyncIterator[None]:
    """Turn what the library raises into ConfigError, also what takes too long."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        async with asyncio.timeout(_DEADLINE):
            yield
    # RuntimeError: what was refreshed has expired already.
    except (BotoCoreError, ClientError, RuntimeError) as error:
        raise ConfigError(f"{what}: {error}") from error
    except TimeoutError:
        raise ConfigError(f"{what}: no answer within {_DEADLINE:g} s") from None
