"""The objects of a release in the cluster: applied in order, deleted in order, waited for."""

import copy
from collections.abc import Iterable, Sequence
from typing import Final

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import ObjectId, Unstructured, split_api_version
from fluvial.helm.engine.ordering import uninstall_order
from fluvial.helm.errors import ActionFailed
from fluvial.toolkit import (
    ApiError,
    Client,
    ClientError,
    Clock,
    NotFound,
    Resource,
    TransportError,
    UnknownKind,
)
from fluvial.toolkit.apply import (
    Entry,
    HealthExpressions,
    Inventory,
    normalize,
    readable,
    verdict,
    wait,
    wait_gone,
)
from fluvial.toolkit.client import Propagation

__all__ = ["MANAGED_BY", "MANAGER", "Objects"]

MANAGER: Final = "helm-controller"
"""The field manager of everything that is applied; equal to the Go controller's."""

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_NAME: Final = "meta.helm.sh/release-name"
_NAMESPACE: Final = "meta.helm.sh/release-namespace"
_POLICY: Final = "helm.sh/resource-policy"
_DEFINITION: Final = "CustomResourceDefinition"
_ESTABLISHED: Final = 60.0


class Objects:
    """The cluster as one release sees it: `client` has the tenant's identity."""

    def __init__(
        self, client: Client, name: str, namespace: str, clock: Clock, obj: HelmRelease
    ) -> None:
        self.client = client
        self.namespace = namespace
        self.clock = clock
        self._name = name
        self._exprs = HealthExpressions(obj.spec.health_check_exprs)

    async def placed(self, obj: Unstructured) -> tuple[Resource, Unstructured]:
        """Find the endpoint of an object, and give it a namespace where it needs one."""
        group, version = split_api_version(obj["apiVersion"])
        resource = await self.client.mapper.resource(group, obj["kind"], version)
        placed = copy.deepcopy(obj)
        if resource.namespaced:
            placed["metadata"].setdefault("namespace", self.namespace)
        else:
            placed["metadata"].pop("namespace", None)
        return resource, placed

    async def identify(self, objects: Iterable[Unstructured]) -> list[ObjectId]:
        """Return identities with namespaces filled in; a kind that is gone keeps what it says."""
        return [entry.id for entry in await self._entries(objects)]

    async def inventory(self, objects: Iterable[Unstructured]) -> Inventory:
        """List objects for the status."""
        return Inventory(await self._entries(objects))

    async def apply(
        self,
        objects: Sequence[Unstructured],
        *,
        adopt: bool = True,
        stop: bool = True,
        known: Iterable[ObjectId] = (),
    ) -> list[ObjectId]:
        """Apply in the given order; returns the identities of what was created.

        With `adopt` objects that belong to nobody or to another release are taken over, else they
        are refused unless they are in `known`. With `stop` the first failure ends it; otherwise the
        others are applied, too, and all failures told together. Raises ActionFailed.
        """
        created: list[ObjectId] = []
        failures: list[str] = []
        ours = set(known)
        for obj in objects:
            try:
                resource, placed = await self.placed(obj)
                identity = ObjectId.from_object(placed)
                live = await self._live(resource, identity)
                if live is not None and not adopt and identity not in ours:
                    self._refuse_foreign(identity, live)
                await self._send(resource, identity, placed)
                if live is None:
                    created.append(identity)
            except (ActionFailed, ApiError, TransportError, UnknownKind, ValueError) as error:
                failures.append(_readable(obj, error))
                if stop:
                    break
        if failures:
            raise ActionFailed(" && ".join(failures))
        return created

    async def create(self, obj: Unstructured) -> ObjectId:
        """Create an object that belongs to no release, a hook. Raises ActionFailed."""
        try:
            resource, placed = await self.placed(obj)
            placed = normalize(placed)
            if not placed["metadata"].get("name"):
                placed = await self.client.create(resource, placed, field_manager=MANAGER)
            else:
                placed = await self.client.patch(
                    resource,
                    placed["metadata"]["name"],
                    placed,
                    placed["metadata"].get("namespace"),
                    type="apply",
                    field_manager=MANAGER,
                    force=True,
                )
        except (ApiError, TransportError, UnknownKind) as error:
            raise ActionFailed(_readable(obj, error)) from error
        return ObjectId.from_object(placed)

    async def delete(
        self, objects: Iterable[Unstructured], *, propagation: Propagation = "Background"
    ) -> list[ObjectId]:
        """Delete in Helm's uninstall order what does not ask to be kept; returns what went.

        An object keeps itself by the annotation `helm.sh/resource-policy: keep` in the manifest;
        any other value of it, too, leaves it where it is. Raises ActionFailed with all failures.
        """
        doomed = [obj for obj in objects if _POLICY not in _annotations(obj)]
        return await self._remove(uninstall_order(doomed), propagation)

    async def remove_stale(
        self, before: Sequence[Unstructured], after: Sequence[Unstructured]
    ) -> list[ObjectId]:
        """Delete what the release no longer has, unless the live object asks to be kept."""
        wanted = set(await self.identify(after))
        identities = await self.identify(before)
        stale = []
        for obj, identity in zip(before, identities, strict=True):
            if identity in wanted:
                continue
            try:
                resource, _ = await self.placed(obj)
                live = await self._live(resource, identity)
            except UnknownKind:
                continue
            if live is not None and _annotations(live).get(_POLICY) != "keep":
                stale.append(obj)
        return await self._remove(stale, "Background")

    async def discard(self, identities: Iterable[ObjectId]) -> None:
        """Delete objects by identity, e.g. those that a failed action has created."""
        for identity in identities:
            try:
                resource = await self.client.mapper.resource(identity.group, identity.kind)
                await self.client.delete(resource, identity.name, identity.namespace or None)
            except (NotFound, UnknownKind):
                continue

    async def wait_ready(
        self, objects: Iterable[Unstructured], limit: float, *, jobs: bool = True
    ) -> None:
        """Wait until objects are current, at most `limit` seconds.

        Paused Deployments are not waited for, and Jobs that remove themselves may be gone. Raises
        ActionFailed.
        """
        watched = [
            obj
            for obj in objects
            if (jobs or obj["kind"] != "Job")
            and not (obj["kind"] == "Deployment" and (obj.get("spec") or {}).get("paused"))
        ]
        ids = await self.identify(watched)
        vanishing = await self.identify(obj for obj in watched if _vanishes(obj))
        healths = await wait(
            self.client, ids, limit, self._exprs, vanishing=vanishing, clock=self.clock
        )
        if trouble := verdict(healths):
            raise ActionFailed(trouble)

    async def wait_gone(self, identities: Iterable[ObjectId], limit: float) -> None:
        """Wait `limit` seconds until objects are gone. Raises ActionFailed naming what is left."""
        late = await wait_gone(self.client, identities, limit, self.clock)
        if late:
            raise ActionFailed(f"timeout waiting for deletion of: {', '.join(map(str, late))}")

    async def _entries(self, objects: Iterable[Unstructured]) -> list[Entry]:
        entries = []
        for obj in objects:
            placed = obj
            try:
                _, placed = await self.placed(obj)
            except UnknownKind:
                metadata = {"namespace": self.namespace, **obj["metadata"]}
                placed = {**obj, "metadata": metadata}
            if placed["metadata"].get("name"):
                version = split_api_version(placed["apiVersion"])[1]
                entries.append(Entry(ObjectId.from_object(placed), version))
        return entries

    async def _live(self, resource: Resource, identity: ObjectId) -> Unstructured | None:
        try:
            return await self.client.get(
                resource, identity.name, identity.namespace or None, metadata_only=True
            )
        except NotFound:
            return None

    async def _send(self, resource: Resource, identity: ObjectId, placed: Unstructured) -> None:
        owned = normalize(
            placed,
            labels={MANAGED_BY: "Helm"},
            annotations={_NAME: self._name, _NAMESPACE: self.namespace},
        )
        await self.client.patch(
            resource,
            identity.name,
            owned,
            identity.namespace or None,
            type="apply",
            field_manager=MANAGER,
            force=True,
        )
        if identity.kind == _DEFINITION:
            healths = await wait(self.client, [identity], _ESTABLISHED, clock=self.clock)
            if trouble := verdict(healths):
                raise ActionFailed(trouble)
            await self.client.mapper.refresh()

    async def _remove(
        self, objects: Iterable[Unstructured], propagation: Propagation
    ) -> list[ObjectId]:
        removed: list[ObjectId] = []
        failures: list[str] = []
        for obj in objects:
            try:
                resource, placed = await self.placed(obj)
                identity = ObjectId.from_object(placed)
                await self.client.delete(
                    resource, identity.name, identity.namespace or None, propagation=propagation
                )
                removed.append(identity)
            except (NotFound, UnknownKind):
                continue
            except (ApiError, TransportError) as error:
                failures.append(_readable(obj, error))
        if failures:
            raise ActionFailed(" && ".join(failures))
        return removed

    def _refuse_foreign(self, identity: ObjectId, live: Unstructured) -> None:
        labels = live["metadata"].get("labels") or {}
        annotations = _annotations(live)
        found = (labels.get(MANAGED_BY), annotations.get(_NAME), annotations.get(_NAMESPACE))
        if found != ("Helm", self._name, self.namespace):
            raise ActionFailed(
                f"{identity} exists and cannot be imported into the current release: invalid "
                "ownership metadata; delete it, or leave disableTakeOwnership unset"
            )


def _annotations(obj: Unstructured) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def _vanishes(obj: Unstructured) -> bool:
    return (
        obj["kind"] == "Job" and (obj.get("spec") or {}).get("ttlSecondsAfterFinished") is not None
    )


def _readable(obj: Unstructured, error: Exception) -> str:
    """Name the object, and never a value of a Secret: the text ends up in a status."""
    if isinstance(error, ActionFailed):
        return str(error)
    metadata = obj.get("metadata") or {}
    name = f"{obj.get('kind')}/{metadata.get('name') or metadata.get('generateName')}"
    text = readable(error, obj) if isinstance(error, ClientError) else str(error)
    return f"{name}: {text}"
