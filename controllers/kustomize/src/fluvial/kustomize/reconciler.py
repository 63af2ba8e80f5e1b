"""The reconciler of Kustomizations: may it go on, then deploy; and the way back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fluvial.apis.duration import parse_duration
from fluvial.apis.kustomize import GROUP, Kustomization
from fluvial.kustomize.attempt import Attempt, is_settled, settle
from fluvial.kustomize.building import Builder
from fluvial.kustomize.deploying import deploy
from fluvial.kustomize.finalizing import finalize, leaves_objects
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.handover import Handovers
from fluvial.kustomize.observe import observe
from fluvial.kustomize.proofs import Proofs, Variables
from fluvial.kustomize.state import Refuse, decide, retry_interval
from fluvial.kustomize.variables import load_variables
from fluvial.toolkit import (
    ApiError,
    Client,
    Context,
    ReconcileError,
    Result,
    Transient,
    TransportError,
)
from fluvial.toolkit.apply import Applier, Claim, Fights, Owner
from fluvial.toolkit.identity import Identities, Identity

__all__ = ["MANAGER", "KustomizationReconciler"]

MANAGER: Final = "kustomize-controller"
"""The field manager of everything that is applied; equal to the Go controller's."""


class KustomizationReconciler:
    """Builds and applies, with the identity and in the cluster that the spec names.

    What `proofs` show to be as it should be is not touched.
    """

    def __init__(
        self, builder: Builder, identities: Identities, flags: KustomizeFlags, proofs: Proofs
    ) -> None:
        self._builder = builder
        self._identities = identities
        self._flags = flags
        self._proofs = proofs
        self._fights = Fights()
        self._handovers = Handovers(flags.watch_namespace)

    async def reconcile(self, ctx: Context[Kustomization], obj: Kustomization) -> Result:
        """Deploy the artifact of the source; each step is a module of this package."""
        held = await self._proofs.hold(ctx, lambda: self._variables(ctx))
        if held is not None:
            settle(ctx, held)
            return Result(interval=parse_duration(obj.spec.interval))
        action = decide(await observe(ctx.client, obj, ctx.raw), self._flags)
        if isinstance(action, Refuse):
            raise action.error
        async with self._acting(ctx, obj) as identity:
            attempt = Attempt(
                ctx=ctx,
                client=identity.client,
                flags=self._flags,
                artifact=action.artifact,
                started=ctx.clock.monotonic(),
                new=bool(ctx.requested) or not is_settled(obj, action.artifact),
                fights=self._fights,
            )
            try:
                later = await self._deploy(attempt)
            except ReconcileError as error:
                error.metadata = attempt.metadata
                raise
        return Result(interval=parse_duration(obj.spec.interval), requeue_after=later)

    async def finalize(self, ctx: Context[Kustomization], obj: Kustomization) -> None:
        """Delete what was applied, as far as the deletion policy says."""
        self._fights.forget(ctx.key)
        self._handovers.forget(ctx.key)
        self._proofs.forget(ctx)
        if not leaves_objects(obj):
            return
        async with self._acting(ctx, obj) as identity:
            await finalize(ctx, self._applier(identity.client, ctx), identity)

    @asynccontextmanager
    async def _acting(
        self, ctx: Context[Kustomization], obj: Kustomization
    ) -> AsyncIterator[Identity]:
        """Provide the identity; a cluster that does not answer is looked for after a while."""
        spec, retry = obj.spec, retry_interval(obj)
        async with self._identities.acting(
            ctx, spec.service_account_name, spec.kube_config, retry=retry
        ) as identity:
            try:
                yield identity
            except (ApiError, TransportError) as error:
                if spec.kube_config is None:
                    raise
                where = identity.client.config.server
                raise Transient(
                    "ReconciliationFailed", f"cluster {where}: {error}", retry_after=retry
                ) from error

    async def _deploy(self, it: Attempt) -> float | None:
        obj = it.obj
        it.ctx.revision = it.artifact.revision
        if it.new:
            await it.announce("Fetching manifests")
        async with self._builder.fetch(obj, it.artifact) as root:
            obj.status.last_attempted_revision = it.artifact.revision
            if it.new:
                await it.announce("Building manifests")
            references = await self._proofs.references(obj)
            variables = await self._variables(it.ctx)
            built = await self._builder.build(obj, root, variables)
        evidence = self._proofs.begin(it, variables, references)
        applier = self._applier(it.client, it.ctx, evidence.claim if evidence else None)
        return await deploy(it, applier, built, self._handovers, evidence)

    async def _variables(self, ctx: Context[Kustomization]) -> Variables:
        """Read the variables: they are of this cluster, also where the objects are not."""
        here = self._identities.local(ctx, ctx.obj.spec.service_account_name)
        return await load_variables(here.client, ctx.obj, retry_interval(ctx.obj))

    def _applier(
        self, client: Client, ctx: Context[Kustomization], claim: Claim | None = None
    ) -> Applier:
        owner = Owner(GROUP, ctx.obj.metadata.name, ctx.obj.metadata.namespace)
        return Applier(
            client, MANAGER, owner, self._flags.concurrent_ssa, clock=ctx.clock, claim=claim
        )
