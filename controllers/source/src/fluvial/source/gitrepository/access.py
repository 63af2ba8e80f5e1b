"""What the spec and its Secrets say about reaching the remote."""

import base64
from collections.abc import Mapping

import msgspec

from fluvial.apis.source import GitRepository
from fluvial.source.git.credentials import Access, Credentials, Proxy
from fluvial.source.git.errors import CredentialsInvalid, ReferenceInvalid, UrlInvalid
from fluvial.source.git.identities import PROVIDERS, GitIdentities, Requester
from fluvial.source.git.reference import Reference
from fluvial.toolkit import Client, Context, NotFound, Resource, Stalled, Transient
from fluvial.toolkit.client import ConfigError

__all__ = ["access_of", "reference_of"]

_SECRETS = Resource("", "v1", "secrets", "Secret")
_FAILED = "AuthenticationFailed"
_GATE = "ObjectLevelWorkloadIdentity"


def reference_of(obj: GitRepository) -> Reference:
    """Read spec.ref. Raises Stalled where it can never name anything."""
    ref = obj.spec.ref
    if ref is None:
        return Reference()
    reference = Reference(ref.branch, ref.tag, ref.semver, ref.name, ref.commit)
    try:
        reference.validate()
    except ReferenceInvalid as error:
        raise Stalled("GitOperationFailed", str(error)) from error
    return reference


async def access_of(ctx: Context[GitRepository], identities: GitIdentities) -> Access:
    """Read the Secrets, or ask the cloud, and join what they give with spec.url.

    Raises Stalled for what only another spec can mend (the URL, a provider that this controller
    does not have, an account without its feature gate), Transient for what another Secret or
    account can.
    """
    client, obj = ctx.client, ctx.obj
    spec = obj.spec
    if spec.provider not in {"", "generic", *PROVIDERS}:
        raise Stalled(
            "InvalidProviderConfiguration",
            f"spec.provider '{spec.provider}' is not supported: use a secretRef with credentials",
        )
    if spec.service_account_name and not ctx.flags.enabled(_GATE):
        raise Stalled(
            "FeatureGateDisabled", f"spec.serviceAccountName needs the feature gate {_GATE}"
        )
    try:
        # Credentials do not matter yet: a bad URL must not hide behind a missing Secret.
        Access.check(spec.url)
    except UrlInvalid as error:
        raise Stalled("URLInvalid", f"failed to parse spec.url: {error}") from error
    namespace = obj.metadata.namespace
    credentials = proxy = None
    try:
        if spec.secret_ref is not None:
            name = spec.secret_ref.name
            data = await _secret(client, namespace, name)
            credentials = Credentials.from_secret(data, f"{namespace}/{name}")
        if spec.proxy_secret_ref is not None:
            name = spec.proxy_secret_ref.name
            data = await _secret(client, namespace, name)
            proxy = Proxy.from_secret(data, f"{namespace}/{name}")
        if spec.provider in PROVIDERS:
            requester = Requester(
                namespace,
                obj.metadata.name,
                spec.service_account_name,
                proxy.address if proxy is not None else "",
            )
            found = await identities.credentials(spec.provider, spec.url, requester)
            # Authorities and certificates stay those of the Secret.
            credentials = msgspec.structs.replace(
                credentials or Credentials(),
                username=found.username,
                password=found.password,
                bearer_token=found.bearer_token,
            )
        return Access.to(spec.url, credentials, proxy)
    except (CredentialsInvalid, ConfigError) as error:
        raise Transient(_FAILED, f"failed to configure authentication options: {error}") from error


async def _secret(client: Client, namespace: str, name: str) -> Mapping[str, bytes]:
    try:
        found = await client.get(_SECRETS, name, namespace)
    except NotFound as error:
        raise Transient(_FAILED, f"failed to get secret '{namespace}/{name}': {error}") from error
    try:
        return {
            key: base64.b64decode(value, validate=True)
            for key, value in (found.get("data") or {}).items()
        }
    except ValueError as error:
        raise Transient(_FAILED, f"secret '{namespace}/{name}' is not base64") from error
