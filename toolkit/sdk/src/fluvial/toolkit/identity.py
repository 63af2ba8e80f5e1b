"""As whom, and in which cluster, an object's work is done: `serviceAccountName`, `kubeConfig`.

```python
identities = await enter_identities(manager, reason="ReconciliationFailed")
async with identities.acting(ctx, obj.spec.service_account_name, obj.spec.kube_config) as identity:
    await identity.client.get(...)
```
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from fluvial.apis.meta import KubeConfigReference
from fluvial.toolkit.client import (
    ApiError,
    Client,
    ConfigError,
    Forbidden,
    NotFound,
    Resource,
    TransportError,
)
from fluvial.toolkit.clouds import Involved, TokenCache
from fluvial.toolkit.context import Context
from fluvial.toolkit.failure import Stalled, Transient
from fluvial.toolkit.flags import FlagError, IntervalFlags, TokenFlags, flag
from fluvial.toolkit.manager import Manager
from fluvial.toolkit.remote import Access, FeatureGateDisabled, RemoteClusters
from fluvial.toolkit.runtime import Runtime

__all__ = ["Identities", "Identity", "IdentityFlags", "enter_identities"]

F = TypeVar("F", bound="IdentityFlags")

_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
_GATE: Final = "ObjectLevelWorkloadIdentity"


@dataclass(kw_only=True)
class IdentityFlags(IntervalFlags, TokenFlags):
    """What controllers have as well that act for tenants, with upstream's names and defaults.

    A subclass adds `IdentityFlags.gates` to its own.
    """

    gates: ClassVar[Mapping[str, bool]] = {_GATE: False}
    """The gate for accounts of an object's own, which ConfigMaps of clusters may name."""

    default_service_account: str = flag("", "Account to act as where the spec names none.")
    default_kubeconfig_service_account: str = flag(
        "", "Account whose tokens are for remote clusters where the ConfigMap names none."
    )
    insecure_kubeconfig_exec: bool = flag(False, "Run the exec plugins of kubeconfigs.")
    insecure_kubeconfig_tls: bool = flag(False, "Let kubeconfigs switch off the check of TLS.")

    def validate(self) -> None:
        """Check values against each other. Raises FlagError."""
        super().validate()
        if self.default_kubeconfig_service_account and not self.enabled(_GATE):
            raise FlagError(
                f"--default-kubeconfig-service-account needs --feature-gates={_GATE}=true"
            )

    @property
    def access(self) -> Access:
        """What kubeconfigs may do."""
        return Access(
            allow_exec=self.insecure_kubeconfig_exec,
            allow_insecure=self.insecure_kubeconfig_tls,
            object_identity=self.enabled(_GATE),
            default_account=self.default_kubeconfig_service_account,
        )


async def enter_identities(manager: Manager[F], reason: str) -> "Identities":
    """Give a manager what objects act with; remote clients end with it.

    `reason` is what Ready says where a cluster of `spec.kubeConfig` cannot be used.
    """
    flags = manager.flags
    clusters = await manager.enter(
        RemoteClusters(
            manager.client,
            flags.access,
            clock=manager.clock,
            metrics=manager.metrics,
            agent=manager.agent,
            qps=flags.kube_api_qps,
            burst=flags.kube_api_burst,
            tokens=TokenCache(
                flags.token_cache_max_size,
                longest=flags.token_cache_max_duration,
                clock=manager.clock,
                metrics=manager.metrics,
            ),
        )
    )

    async def sweep(_: Runtime) -> None:
        await clusters.sweep()

    manager.add_task("remote-clusters", sweep)
    return Identities(clusters, flags.default_service_account, reason)


class Identities:
    """Hands out clients with the identity and for the cluster that a spec names."""

    def __init__(self, clusters: RemoteClusters, default_account: str, reason: str) -> None:
        self._clusters = clusters
        self._default = default_account
        self._reason = reason

    def local(self, ctx: Context[Any], named: str) -> "Identity":
        """Return the identity of the account in this cluster."""
        return self._identity(ctx.client, ctx, named)

    @asynccontextmanager
    async def acting(
        self,
        ctx: Context[Any],
        named: str,
        remote: KubeConfigReference | None,
        *,
        retry: float | None = None,
    ) -> AsyncIterator["Identity"]:
        """Provide what an object's work is done with: there, and as the account `named`.

        The account is impersonated in a remote cluster too, if there is one, by the name that it
        has here. Raises Stalled where a feature gate is off, Transient (tried again after `retry`
        seconds, None: with backoff) where the kubeconfig is missing or cannot be used: the cause
        is then the ConfigError.
        """
        if remote is None:
            yield self.local(ctx, named)
            return
        involved = Involved(ctx.kind.kind, *ctx.key, operation="fetch_kubeconfig")
        opened = self._clusters.client(remote, ctx.key.namespace, involved)
        try:
            client = await opened.__aenter__()
        except FeatureGateDisabled as error:
            raise Stalled("FeatureGateDisabled", str(error)) from error
        except (ConfigError, ApiError, TransportError) as error:
            raise Transient(self._reason, str(error), retry_after=retry) from error
        try:
            yield self._identity(client, ctx, named)
        finally:
            await opened.__aexit__(None, None, None)

    def _identity(self, client: Client, ctx: Context[Any], named: str) -> "Identity":
        namespace, account = ctx.key.namespace, named or self._default
        if not account:
            return Identity(client, client, "", namespace)
        user = f"system:serviceaccount:{namespace}:{account}"
        return Identity(client.impersonate(user), client, account, namespace)


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity in one cluster.

    Nothing of a tenant is read or written with `own`, unless there is no account.
    """

    client: Client
    """Acts as the account."""
    own: Client
    """Acts as the controller, or as whom the kubeconfig stands for."""
    account: str
    """Name of the ServiceAccount, empty for none."""
    namespace: str
    """The namespace of the object, and so of its account."""

    async def is_gone(self) -> bool:
        """Whether the account no longer exists in its cluster; False where nobody may say.

        What it may do is then for the server to decide.
        """
        if not self.account:
            return False
        try:
            await self.own.get(_ACCOUNTS, self.account, self.namespace, metadata_only=True)
        except NotFound:
            return True
        except Forbidden:
            pass
        return False
