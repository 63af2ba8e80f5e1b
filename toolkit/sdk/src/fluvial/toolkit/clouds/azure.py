"""Identities of Azure: Microsoft Entra Workload ID, or what the environment of the pod says."""

import asyncio
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds.accounts import Account
from fluvial.toolkit.clouds.cache import Bearer
from fluvial.toolkit.clouds.services import Services
from fluvial.toolkit.clouds.tokens import Need

__all__ = ["Azure", "Management"]

_TENANT: Final = "azure.workload.identity/tenant-id"
_CLIENT: Final = "azure.workload.identity/client-id"
_TENANT_ID = re.compile(r"[A-Za-z0-9.-]+")
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_AUTHORITY: Final = "https://login.microsoftonline.com/"
_MACHINE: Final = "http://169.254.169.254"
_MACHINE_TOKEN: Final = "/metadata/identity/oauth2/token"  # noqa: S105  (a path)


class Management(NamedTuple):
    """The resource manager of one of Azure's clouds."""

    endpoint: str
    """Its URL, without a slash at the end."""
    audience: str
    """Whom tokens for it are for."""

    @property
    def scope(self) -> str:
        """What tokens are asked with; two slashes are meant, for the audience ends in one."""
        return f"{self.audience}/.default"


_PUBLIC: Final = Management("https://management.azure.com", "https://management.core.windows.net/")
_CHINA: Final = Management(
    "https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/"
)
_GOVERNMENT: Final = Management(
    "https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/"
)


class _Issued(msgspec.Struct):
    access_token: str
    expires_in: int | str
    """Seconds; a machine writes them as text."""


class _Environment(msgspec.Struct, rename="camel"):
    resource_manager_endpoint: str = ""
    token_audience: str = ""


class Azure:
    """Gets tokens of Microsoft Entra ID.

    An account names its application in the annotations `azure.workload.identity/tenant-id` and
    `client-id`. The controller's own is, as upstream: a client secret (`AZURE_TENANT_ID`,
    `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`), else a federated token (`AZURE_FEDERATED_TOKEN_FILE`
    and `AZURE_AUTHORITY_HOST` in place of the secret), else the managed identity of the machine,
    which `AZURE_CLIENT_ID` chooses. `AZURE_AUTHORITY_HOST` is where tokens are issued.
    """

    name = "azure"
    """What specs call it."""

    def __init__(self, services: Services, environ: Mapping[str, str] = os.environ) -> None:
        self._services = services
        self._environ = environ

    async def audiences(self, account: Account) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """Return the audience that is the same in all of Azure's clouds."""
        return ("api://AzureADTokenExchange",)

    def identity(self, account: Account) -> str:
        """Return tenant and client of an account's application. Raises ConfigError."""
        tenant, client = _application(account)
        return f"{tenant}/{client}"

    async def exchange(self, token: Bearer, account: Account, need: Need) -> Bearer:
        """Exchange an account's token for one of its application. Raises ConfigError."""
        tenant, client = _application(account)
        return await self._assert(tenant, client, token.token, need)

    async def own(self, need: Need) -> Bearer:
        """Get a token for the controller. Raises ConfigError."""
        of = self._environ.get
        tenant, client = of("AZURE_TENANT_ID", ""), of("AZURE_CLIENT_ID", "")
        if tenant and client and (secret := of("AZURE_CLIENT_SECRET", "")):
            return await self._issue(tenant, client, {"client_secret": secret}, need)
        if tenant and client and of("AZURE_CLIENT_CERTIFICATE_PATH"):
            raise ConfigError(
                "AZURE_CLIENT_CERTIFICATE_PATH: certificates are not supported: use "
                "AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_SECRET or a managed identity"
            )
        file = of("AZURE_FEDERATED_TOKEN_FILE", "")
        if tenant and client and file and of("AZURE_AUTHORITY_HOST"):
            try:
                token = await asyncio.to_thread(Path(file).read_text)
            except OSError as error:
                raise ConfigError(f"AZURE_FEDERATED_TOKEN_FILE: {error}") from error
            return await self._assert(tenant, client, token.strip(), need)
        return await self._machine(client, need.scope)

    def management(self) -> Management:
        """Return the resource manager, by `AZURE_ENVIRONMENT_FILEPATH` or the authority.

        Blocks for a small file. Raises ConfigError.
        """
        if "AZURE_ENVIRONMENT_FILEPATH" in self._environ:
            return _management(Path(self._environ["AZURE_ENVIRONMENT_FILEPATH"]))
        authority = self._environ.get("AZURE_AUTHORITY_HOST", "")
        if "chinacloudapi.cn" in authority:
            return _CHINA
        if "microsoftonline.us" in authority:
            return _GOVERNMENT
        return _PUBLIC

    async def _assert(self, tenant: str, client: str, token: str, need: Need) -> Bearer:
        proof = {"client_assertion_type": _ASSERTION, "client_assertion": token}
        return await self._issue(tenant, client, proof, need)

    async def _issue(
        self, tenant: str, client: str, proof: Mapping[str, str], need: Need
    ) -> Bearer:
        authority = self._environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITY
        if urlsplit(authority).scheme != "https":
            raise ConfigError("AZURE_AUTHORITY_HOST must be an https URL")
        if not _TENANT_ID.fullmatch(tenant):
            raise ConfigError(f"{tenant!r} is no tenant: only letters, digits, dots and hyphens")
        issued = await self._services.form(
            f"{authority.rstrip('/')}/{tenant}/oauth2/v2.0/token",
            {
                "grant_type": "client_credentials",
                "client_id": client,
                "scope": need.scope,
                **proof,
            },
            _Issued,
            proxy=need.proxy or None,
        )
        return self._bearer(issued)

    async def _machine(self, client: str, scope: str) -> Bearer:
        query = {"api-version": "2018-02-01", "resource": scope.removesuffix("/.default")}
        if client:
            query["client_id"] = client
        place = self._environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _MACHINE
        url = f"{place.rstrip('/')}{_MACHINE_TOKEN}?{urlencode(query)}"
        try:
            issued = await self._services.machine(url, _Issued, {"Metadata": "true"})
        except ConfigError as error:
            raise ConfigError(
                "the controller has no identity of Azure: neither AZURE_CLIENT_SECRET nor "
                "AZURE_FEDERATED_TOKEN_FILE is set with AZURE_TENANT_ID and AZURE_CLIENT_ID, and "
                f"the machine gives none: {error}"
            ) from error
        return self._bearer(issued)

    def _bearer(self, issued: _Issued) -> Bearer:
        life = timedelta(seconds=int(issued.expires_in))
        return Bearer(issued.access_token, self._services.clock.now() + life)


def _application(account: Account) -> tuple[str, str]:
    values = []
    for key in (_TENANT, _CLIENT):
        value = account.annotations.get(key, "")
        if not value:
            raise ConfigError(f"{account.title} has no annotation {key}")
        values.append(value)
    return values[0], values[1]


def _management(file: Path) -> Management:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_Environment)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"AZURE_ENVIRONMENT_FILEPATH: {error}") from error
    if not found.resource_manager_endpoint or not found.token_audience:
        raise ConfigError(
            "AZURE_ENVIRONMENT_FILEPATH: resourceManagerEndpoint and tokenAudience must be set"
        )
    return Management(found.resource_manager_endpoint.rstrip("/"), found.token_audience)
