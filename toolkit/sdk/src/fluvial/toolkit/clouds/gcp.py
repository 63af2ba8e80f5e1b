"""Identities of Google Cloud: workload identity federation, or what the controller runs as."""

import asyncio
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds.accounts import Account
from fluvial.toolkit.clouds.cache import Bearer
from fluvial.toolkit.clouds.services import Services
from fluvial.toolkit.clouds.tokens import Need

__all__ = ["Gcp"]

_PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"
_SCOPES: Final = (_PLATFORM, "https://www.googleapis.com/auth/userinfo.email")
_EMAIL: Final = "iam.gke.io/gcp-service-account"
_EMAILS: Final = r"^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$"
_POOL: Final = "gcp.auth.fluxcd.io/workload-identity-provider"
_POOLS: Final = (
    "^projects/[0-9]{1,30}/locations/global"
    "/workloadIdentityPools/[^/]{1,100}/providers/[^/]{1,100}$"
)
_OAUTH: Final = "urn:ietf:params:oauth"
_JWT: Final = f"{_OAUTH}:token-type:jwt"
_OVERRIDE: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
_FLAVOR: Final = {"Metadata-Flavor": "Google"}


class _Issued(msgspec.Struct):
    access_token: str
    expires_in: int


class _Generated(msgspec.Struct, rename="camel"):
    access_token: str
    expire_time: datetime


class _Format(msgspec.Struct):
    type: str = "text"
    subject_token_field_name: str = ""


class _Source(msgspec.Struct):
    file: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    format: _Format = msgspec.field(default_factory=_Format)


class _Credentials(msgspec.Struct):
    """The file that `GOOGLE_APPLICATION_CREDENTIALS` names."""

    type: str = ""
    audience: str = ""
    subject_token_type: str = _JWT
    token_url: str = ""
    service_account_impersonation_url: str = ""
    credential_source: _Source = msgspec.field(default_factory=_Source)


class Gcp:
    """Gets tokens of Google Cloud.

    An account names the provider of its pool in the annotation
    `gcp.auth.fluxcd.io/workload-identity-provider`, where it is not that of the GKE cluster that
    this runs in, and in `iam.gke.io/gcp-service-account` whom to act as, where its tokens are not
    used directly. The controller's own identity is an external account of the file
    `GOOGLE_APPLICATION_CREDENTIALS`, else that of the metadata server. Addresses follow
    `GCE_METADATA_HOST` and gcloud's `CLOUDSDK_API_ENDPOINT_OVERRIDES_*`.
    """

    name = "gcp"
    """What specs call it."""

    def __init__(self, services: Services, environ: Mapping[str, str] = os.environ) -> None:
        self._services = services
        self._environ = environ
        self._cluster: tuple[str, str, str] | None = None

    async def audiences(self, account: Account) -> tuple[str, ...]:
        """Return the account's pool, or that of this cluster. Raises ConfigError."""
        if pool := _pool(account):
            return (pool,)
        project, _, _ = await self._here()
        return (f"{project}.svc.id.goog",)

    def identity(self, account: Account) -> str:
        """Return the Google service account of an account, empty for none. Raises ConfigError."""
        return _checked(account, _EMAIL, _EMAILS)

    async def exchange(self, token: Bearer, account: Account, need: Need) -> Bearer:  # noqa: ARG002
        """Exchange an account's token, and act as its Google service account if it has one.

        Raises ConfigError.
        """
        audience = _pool(account) or await self._audience()
        url = f"{self.endpoint('sts')}/v1/token"
        email = self.identity(account)
        if not email:
            return await self._exchange(url, audience, _JWT, token.token, _SCOPES)
        federated = await self._exchange(url, audience, _JWT, token.token, (_PLATFORM,))
        base = f"{self.endpoint('iamcredentials')}/v1/projects/-/serviceAccounts"
        return await self._act_as(f"{base}/{email}:generateAccessToken", federated)

    async def own(self, need: Need) -> Bearer:  # noqa: ARG002 - protocol
        """Get a token for the controller. Raises ConfigError."""
        if file := self._environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            return await self._external(Path(file))
        scopes = ",".join(_SCOPES)
        url = self._metadata(f"instance/service-accounts/default/token?scopes={scopes}")
        try:
            issued = await self._services.machine(url, _Issued, _FLAVOR)
        except ConfigError as error:
            raise ConfigError(
                "the controller has no identity of Google Cloud: GOOGLE_APPLICATION_CREDENTIALS "
                f"is not set, and there is no metadata server: {error}"
            ) from error
        return self._bearer(issued)

    def endpoint(self, service: str) -> str:
        """Return the URL of one of Google's services, without a slash at the end."""
        chosen = self._environ.get(f"{_OVERRIDE}{service.upper()}")
        return (chosen or f"https://{service}.googleapis.com").rstrip("/")

    async def _external(self, file: Path) -> Bearer:
        try:
            found = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=_Credentials)
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"GOOGLE_APPLICATION_CREDENTIALS: {error}") from error
        source = found.credential_source
        if found.type != "external_account" or not (source.file or source.url):
            raise ConfigError(
                f"GOOGLE_APPLICATION_CREDENTIALS: the type {found.type!r} is not supported: use an "
                "external_account with a credential_source that has a file or a url"
            )
        subject = await self._subject(source)
        url = found.service_account_impersonation_url
        scopes = (_PLATFORM,) if url else _SCOPES
        token = await self._exchange(
            found.token_url, found.audience, found.subject_token_type, subject, scopes
        )
        return await self._act_as(url, token) if url else token

    async def _subject(self, source: _Source) -> str:
        if source.url:
            text = await self._services.text(source.url, source.headers)
        else:
            try:
                text = await asyncio.to_thread(Path(source.file).read_text)
            except OSError as error:
                raise ConfigError(f"GOOGLE_APPLICATION_CREDENTIALS: {error}") from error
        if source.format.type != "json":
            return text.strip()
        field = source.format.subject_token_field_name
        try:
            return str(msgspec.json.decode(text, type=dict[str, Any])[field])
        except (msgspec.DecodeError, KeyError):
            raise ConfigError(
                f"GOOGLE_APPLICATION_CREDENTIALS: the credential source has no field {field!r}"
            ) from None

    async def _exchange(
        self, url: str, audience: str, kind: str, subject: str, scopes: tuple[str, ...]
    ) -> Bearer:
        issued = await self._services.form(
            url,
            {
                "audience": audience,
                "grant_type": f"{_OAUTH}:grant-type:token-exchange",
                "requested_token_type": f"{_OAUTH}:token-type:access_token",
                "subject_token_type": kind,
                "subject_token": subject,
                "scope": " ".join(scopes),
            },
            _Issued,
        )
        return self._bearer(issued)

    async def _act_as(self, url: str, token: Bearer) -> Bearer:
        body = {"lifetime": "3600s", "scope": _SCOPES}
        got = await self._services.post(url, body, _Generated, bearer=token.token)
        return Bearer(got.access_token, got.expire_time)

    async def _audience(self) -> str:
        project, location, name = await self._here()
        place = f"projects/{project}/locations/{location}/clusters/{name}"
        issuer = f"https://container.googleapis.com/v1/{place}"
        return f"identitynamespace:{project}.svc.id.goog:{issuer}"

    async def _here(self) -> tuple[str, str, str]:
        """Return project, location and name of the GKE cluster that this runs in."""
        if self._cluster is None:
            found = []
            for key in (
                "project/project-id",
                "instance/attributes/cluster-location",
                "instance/attributes/cluster-name",
            ):
                value = await self._services.text(self._metadata(key), _FLAVOR, direct=True)
                if not value:
                    raise ConfigError(f"the metadata server says nothing about {key}")
                found.append(value)
            self._cluster = (found[0], found[1], found[2])
        return self._cluster

    def _metadata(self, path: str) -> str:
        host = self._environ.get("GCE_METADATA_HOST") or "169.254.169.254"
        return f"http://{host}/computeMetadata/v1/{path}"

    def _bearer(self, issued: _Issued) -> Bearer:
        life = timedelta(seconds=issued.expires_in)
        return Bearer(issued.access_token, self._services.clock.now() + life)


def _pool(account: Account) -> str:
    pool = _checked(account, _POOL, _POOLS)
    return f"//iam.googleapis.com/{pool}" if pool else ""


def _checked(account: Account, key: str, pattern: str) -> str:
    value = account.annotations.get(key, "")
    if value and not re.fullmatch(pattern, value):
        raise ConfigError(f"{account.title}: annotation {key}: {value!r} must match {pattern}")
    return value
