"""The reconciler of Kustomizations: may it go on, then deploy; and the way back."""

from typing import Final

from fluvial.apis.duration import parse_duration
from fluvial.apis.kustomize import GROUP, Kustomization
from fluvial.kustomize.attempt import Attempt, is_settled
from fluvial.kustomize.building import Builder
from fluvial.kustomize.deploying import deploy
from fluvial.kustomize.finalizing import finalize
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.observe import observe
from fluvial.kustomize.state import Refuse, decide, retry_interval
from fluvial.kustomize.variables import load_variables
from fluvial.toolkit import Client, Context, ReconcileError, Result
from fluvial.toolkit.apply import Applier, Owner

__all__ = ["MANAGER", "KustomizationReconciler"]

MANAGER: Final = "kustomize-controller"
"""The field manager of everything that is applied; equal to the Go controller's."""


class KustomizationReconciler:
    """Builds and applies, with the identity that the spec names."""

    def __init__(self, builder: Builder, flags: KustomizeFlags) -> None:
        self._builder = builder
        self._flags = flags

    async def reconcile(self, ctx: Context[Kustomization], obj: Kustomization) -> Result:
        """Deploy the artifact of the source; each step is a module of this package."""
        action = decide(await observe(ctx.client, obj, ctx.raw), self._flags)
        if isinstance(action, Refuse):
            raise action.error
        attempt = Attempt(
            ctx=ctx,
            client=self._identity(ctx.client, obj),
            flags=self._flags,
            artifact=action.artifact,
            started=ctx.clock.monotonic(),
            new=bool(ctx.requested) or not is_settled(obj, action.artifact),
        )
        try:
            await self._deploy(attempt)
        except ReconcileError as error:
            error.metadata = attempt.metadata
            raise
        return Result(interval=parse_duration(obj.spec.interval))

    async def finalize(self, ctx: Context[Kustomization], obj: Kustomization) -> None:
        """Delete what was applied, as far as the deletion policy says."""
        client = self._identity(ctx.client, obj)
        account = _account(obj, self._flags)
        await finalize(ctx, self._applier(client, ctx), client, account)

    async def _deploy(self, it: Attempt) -> None:
        obj = it.obj
        if it.new:
            await it.announce("Fetching manifests")
        async with self._builder.fetch(obj, it.artifact) as root:
            obj.status.last_attempted_revision = it.artifact.revision
            if it.new:
                await it.announce("Building manifests")
            variables = await load_variables(it.client, obj, retry_interval(obj))
            built = await self._builder.build(obj, root, variables)
        await deploy(it, self._applier(it.client, it.ctx), built)

    def _identity(self, client: Client, obj: Kustomization) -> Client:
        account = _account(obj, self._flags)
        if not account:
            return client
        return client.impersonate(f"system:serviceaccount:{obj.metadata.namespace}:{account}")

    def _applier(self, client: Client, ctx: Context[Kustomization]) -> Applier:
        owner = Owner(GROUP, ctx.obj.metadata.name, ctx.obj.metadata.namespace)
        return Applier(client, MANAGER, owner, self._flags.concurrent_ssa, clock=ctx.clock)


def _account(obj: Kustomization, flags: KustomizeFlags) -> str:
    return obj.spec.service_account_name or flags.default_service_account
