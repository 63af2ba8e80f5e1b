"""Proofs that nothing has changed, so that a pass has nothing to ask and nothing to do.

What a successful attempt has looked at is remembered by digests, and held against what watches
show: equal inputs, and every applied object known to be unmoved. The rule is positive: whatever is
not known, a watch that is silent for example, brings the look at what it concerns back.

An answer may be newer than what a watch has shown, never older. So what a read is to be held
against later is noted before it: if the watch still shows that, nothing has changed since.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fluvial.apis.duration import parse_duration
from fluvial.apis.ids import ObjectId
from fluvial.apis.kustomize import GROUP, Kustomization
from fluvial.apis.meta import Artifact
from fluvial.kustomize.attempt import Attempt, is_settled
from fluvial.kustomize.checking import checked
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.known import Known, Unknown
from fluvial.kustomize.observe import observe
from fluvial.kustomize.pruning import ALLOW_PRUNE_ALL
from fluvial.kustomize.state import Proceed, decide
from fluvial.toolkit import (
    CONFIG_MAP,
    SECRET,
    Client,
    ClientError,
    Context,
    Key,
    ReconcileError,
    Resource,
    Watch,
)
from fluvial.toolkit.apply import ChangeSet, Claim, Entry, Inventory, Tracker, Verdict
from fluvial.toolkit.runtime import Runtime

__all__ = ["Evidence", "Proofs", "Variables"]

Variables = Mapping[str, str] | None
"""What is substituted; None: nothing is."""

_CONTROLS: Final = tuple(f"{GROUP}/{control}" for control in ("ssa", "reconcile", "force"))
_SWEEP_INTERVALS: Final = 10
_SWEEP_LONGEST: Final = 3600.0
_DIGEST: Final = 16


@dataclass(frozen=True, slots=True)
class _Proof:
    """Digests of what was found; None: it cannot be known without asking."""

    inputs: bytes
    variables: bytes
    references: bytes | None
    inventory: bytes
    health: bytes | None
    due: float
    """When everything is verified again, by the clock."""


class Proofs:
    """The proofs of a process, by Kustomization; `watches` are those of its controller.

    Until `run` has begun there are none, nor for objects in other clusters: everything is looked
    at then.
    """

    def __init__(self, flags: KustomizeFlags, watches: Sequence[Watch], manager: str) -> None:
        self._flags = flags
        self._watches = watches
        self._manager = manager
        self._known = Known({})
        self._tracker: Tracker | None = None
        self._proofs: dict[Key, _Proof] = {}

    async def run(self, runtime: Runtime) -> None:
        """Follow what is applied until cancelled, with the controller's own identity."""
        async with asyncio.TaskGroup() as tasks:
            self._known = Known.of(runtime, self._watches)
            self._tracker = Tracker(
                runtime.client,
                runtime.clock,
                tasks,
                manager=self._manager,
                label=f"{GROUP}/name",
                controls=_CONTROLS,
                override=self._flags.override_managers,
                namespace=self._flags.watch_namespace,
            )

    async def hold(
        self,
        ctx: Context[Kustomization],
        variables: Callable[[], Awaitable[Variables]],
    ) -> Artifact | None:
        """Return the artifact that is known to be applied as it should be, None if it is not.

        Costs no request, but for what no watch shows of the ConfigMaps and Secrets that variables
        come from: they are read, by `variables`.
        """
        obj, proof, tracker = ctx.obj, self._proofs.get(ctx.key), self._tracker
        if tracker is None or proof is None or not self._is_fresh(ctx, proof):
            return None
        try:
            action = decide(await observe(self._known, obj, ctx.raw), self._flags)
            if not isinstance(action, Proceed) or not is_settled(obj, action.artifact):
                return None
            known = proof.variables
            if proof.references is None or proof.references != await self.references(obj):
                known = _digest(await variables())
            inputs = _inputs(obj, action.artifact, known)
            if (inputs, _inventory(obj)) != (proof.inputs, proof.inventory):
                return None
            applied = Inventory.from_status(obj.status.inventory)
            async for resource, key in _located(ctx.client, applied, applied.ids):
                if tracker.verdict(resource, key, inputs) is not Verdict.UNMOVED:
                    return None
            ids = checked(obj, applied.ids)
            if proof.health is None or proof.health != await self.health(ctx.client, applied, ids):
                return None
        except (Unknown, ReconcileError, ClientError):
            # Whatever it is, the attempt meets it as well, and says so.
            return None
        return action.artifact

    def begin(
        self, it: Attempt, variables: Variables, references: bytes | None
    ) -> "Evidence | None":
        """Begin to gather evidence in an attempt; None where it could not be relied upon.

        `references` is what `references` said before the variables were read.
        """
        if self._tracker is None or it.obj.spec.kube_config is not None:
            return None
        digest = _digest(variables)
        inputs = _inputs(it.obj, it.artifact, digest)
        proof = self._proofs.get(it.ctx.key)
        trusted = (
            not it.new
            and proof is not None
            and self._is_fresh(it.ctx, proof)
            and (inputs, _inventory(it.obj)) == (proof.inputs, proof.inventory)
        )
        if not trusted:
            self._proofs.pop(it.ctx.key, None)
        due = proof.due if proof is not None and trusted else _due(it)
        claim = Claim(self._tracker, inputs, trusted=trusted)
        return Evidence(
            claim=claim,
            proofs=self,
            ctx=it.ctx,
            variables=digest,
            references=references,
            due=due,
        )

    def forget(self, ctx: Context[Kustomization]) -> None:
        """Forget a Kustomization that is going."""
        self._proofs.pop(ctx.key, None)
        self.leave(Inventory.from_status(ctx.obj.status.inventory))

    async def references(self, obj: Kustomization) -> bytes | None:
        """Digest what watches show of the objects that variables come from, None if not all."""
        post_build = obj.spec.post_build
        versions = await self._known.versions(
            (
                SECRET if one.kind == "Secret" else CONFIG_MAP,
                one.name,
                obj.metadata.namespace,
            )
            for one in (post_build.substitute_from if post_build else ())
        )
        return _digest(versions) if versions is not None else None

    async def health(
        self, client: Client, applied: Inventory, ids: Iterable[ObjectId]
    ) -> bytes | None:
        """Digest in which versions watches show these objects, None if not all of them."""
        versions = []
        async for resource, key in _located(client, applied, ids):
            version = self._tracker.shown(resource, key) if self._tracker else 0
            if not version:
                return None
            versions.append((resource.api_version, resource.kind, *key, version))
        return _digest(sorted(versions))

    def leave(self, entries: Iterable[Entry]) -> None:
        """Follow objects no longer."""
        for entry in entries:
            if self._tracker is not None:
                self._tracker.forget(entry)

    def keep(self, key: Key, proof: _Proof) -> None:
        """Remember a proof."""
        self._proofs[key] = proof

    def _is_fresh(self, ctx: Context[Kustomization], proof: _Proof) -> bool:
        """Whether there is no need to verify everything in this pass, rather than be late."""
        interval = parse_duration(ctx.obj.spec.interval)
        return not ctx.requested and ctx.clock.monotonic() + interval <= proof.due


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What one attempt finds out that the next pass may rely on.

    `claim` is what an apply is given, to pass over what is unmoved and to note what it verifies.
    """

    claim: Claim
    proofs: Proofs
    ctx: Context[Kustomization]
    variables: bytes
    references: bytes | None
    due: float
    health: bytes | None = None

    async def before_check(self, obj: Kustomization, changes: ChangeSet) -> None:
        """Note what the health checks, which come next, will have seen at least."""
        ids = checked(obj, changes.checked)
        try:
            self.health = await self.proofs.health(self.ctx.client, changes.inventory, ids)
        except ClientError:
            self.health = None  # such an object is Unknown to the check, too

    def conclude(self, obj: Kustomization, previous: Inventory, changes: ChangeSet) -> None:
        """Remember the proof of an attempt that succeeded, unless there is something left."""
        applied = Inventory.from_status(obj.status.inventory)
        self.proofs.leave(one for one in previous if applied.version(one.id) != one.version)
        if set(applied.ids) != set(changes.inventory.ids):
            return
        proof = _Proof(
            inputs=self.claim.inputs,
            variables=self.variables,
            references=self.references,
            inventory=_inventory(obj),
            health=self.health,
            due=self.due,
        )
        self.proofs.keep(self.ctx.key, proof)


def _inputs(obj: Kustomization, artifact: Artifact, variables: bytes) -> bytes:
    """Digest everything that says whose the objects are, and how they are to be."""
    metadata = obj.metadata
    return _digest(
        [
            metadata.uid,
            metadata.namespace,
            metadata.name,
            metadata.annotations.get(ALLOW_PRUNE_ALL),
            obj.spec,
            artifact.digest,
            artifact.revision,
            artifact.metadata,
            variables.hex(),
        ]
    )


def _inventory(obj: Kustomization) -> bytes:
    return _digest(obj.status.inventory)


def _due(it: Attempt) -> float:
    """Return when everything is to be verified again; not for all at the same time."""
    interval = parse_duration(it.obj.spec.interval)
    longest = min(_SWEEP_INTERVALS * interval, _SWEEP_LONGEST)
    return it.started + longest * random.uniform(0.9, 1.0)  # noqa: S311 - spreads load


async def _located(
    client: Client, applied: Inventory, ids: Iterable[ObjectId]
) -> AsyncIterator[tuple[Resource, Key]]:
    """Find the endpoint of each object, at the version that it is applied at if it is."""
    for identity in ids:
        resource = await client.mapper.resource(
            identity.group, identity.kind, applied.version(identity)
        )
        yield resource, Key(identity.namespace, identity.name)


def _digest(content: Any) -> bytes:
    encoded = msgspec.json.encode(content, order="deterministic")
    return blake2b(encoded, digest_size=_DIGEST).digest()
