"""Deployments: one ReplicaSet per version of the pod template, sized by the strategy."""

from __future__ import annotations

from collections.abc import Sequence

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of
from fluvial.cluster.standins import conditions, deployment_status, rollout
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import (
    annotations_of,
    created_at,
    is_deleting,
    labels_of,
    matches,
    owner_reference,
)
from fluvial.cluster.standins.pods import is_finished
from fluvial.cluster.standins.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from fluvial.cluster.standins.templates import POD_TEMPLATE_HASH, same, stamped, template_hash
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Deployments"]

REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
}


class Deployments:
    """The Deployment controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("deployment", self._reconcile, timer)
        view.follow(DEPLOYMENTS, self.controller.add_object)
        view.follow(REPLICA_SETS, self.controller.add_controller_of("Deployment"))
        view.follow(PODS, self._pod_changed)

    def _pod_changed(self, pod: Object) -> None:
        """Wake a Recreate rollout that waits for the last old pod to go."""
        owner = metadata(pod).get("ownerReferences") or []
        for reference in owner:
            if reference["kind"] != "ReplicaSet":
                continue
            parent = self._view.get(REPLICA_SETS, namespace_of(pod), reference["name"])
            if parent is not None:
                self.controller.add_controller_of("Deployment")(parent)

    async def _reconcile(self, key: Key) -> float | None:
        deployment = self._view.get(DEPLOYMENTS, *key)
        if deployment is None:
            return None
        spec, now = deployment["spec"], self._timer.now()
        sets = self._view.owned(REPLICA_SETS, deployment)
        found = list((deployment.get("status") or {}).get("conditions") or [])
        new = _newest_of(deployment, sets)
        olds = [each for each in sets if each is not new]
        if is_deleting(deployment):
            status = deployment_status.counts(deployment, new, sets, found, now)
            await self._view.set_status(DEPLOYMENTS, deployment, status)
            return None
        sets = await self._view.claim(
            REPLICA_SETS, deployment, lambda each: matches(spec["selector"], labels_of(each))
        )
        new = _newest_of(deployment, sets)
        olds = [each for each in sets if each is not new]
        found = deployment_status.report_pause(deployment, found, now)
        only_scale = spec.get("paused") or _was_scaled(spec, sets)
        waits = self._old_pods_run(olds) if _recreates(spec) else False
        if new is None and not only_scale and not waits:
            new, found = await self._create(deployment, olds, found)
            sets = [*olds, new]
        elif new is not None and conditions.find(found, "Progressing") is None:
            message = f'Found new replica set "{name_of(new)}"'
            found = deployment_status.note(found, "True", "FoundNewReplicaSet", message, now=now)
        deployment = await self._number(deployment, new, olds)
        sizes = _plan(spec, new, olds, only_scale=bool(only_scale), old_pods_run=waits)
        sets = [await self._size(deployment, each, sizes, new) for each in sets]
        new = _newest_of(deployment, sets)
        status = deployment_status.counts(deployment, new, sets, found, now)
        if not only_scale:
            status = deployment_status.progress(deployment, new, sets, status, now)
            if _is_over(deployment, status):
                await self._forget(spec, [each for each in sets if each is not new])
        await self._view.set_status(DEPLOYMENTS, deployment, status)
        if only_scale and not spec.get("paused"):
            return 0.0
        return deployment_status.overdue_in(deployment, status, now)

    def _old_pods_run(self, olds: Sequence[Object]) -> bool:
        pods = [pod for old in olds for pod in self._view.owned(PODS, old)]
        return any(not is_finished(pod) for pod in pods)

    async def _create(
        self, deployment: Object, olds: Sequence[Object], found: list[Object]
    ) -> tuple[Object, list[Object]]:
        """Create the ReplicaSet of the present template."""
        spec, now = deployment["spec"], self._timer.now()
        bounds = rollout.bounds_of(spec)
        total = sum(int(old["spec"].get("replicas", 1)) for old in olds)
        size = bounds.desired if _recreates(spec) else rollout.first_size(bounds, 0, total)
        collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
        hashed = template_hash(spec["template"], collisions)
        label = {POD_TEMPLATE_HASH: hashed}
        template = stamped(spec["template"], label)
        selector = dict(spec["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **label}
        annotations = {
            **_inherited(deployment),
            REVISION: str(_last_revision(olds) + 1),
            DESIRED: str(bounds.desired),
            MAXIMUM: str(bounds.desired + bounds.surge),
        }
        wanted = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name_of(deployment)}-{hashed}",
                "namespace": namespace_of(deployment),
                "labels": template["metadata"]["labels"],
                "annotations": annotations,
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": size,
                "minReadySeconds": spec.get("minReadySeconds", 0),
                "selector": selector,
                "template": template,
            },
        }
        try:
            made = await self._view.create(REPLICA_SETS, wanted)
        except StatusError as error:
            if error.reason == "AlreadyExists":
                # Another's ReplicaSet bears the name: the next hash is salted with the count.
                more = {"collisionCount": collisions + 1}
                await self._view.set_status(DEPLOYMENTS, deployment, more)
            else:
                found = deployment_status.note(
                    found, "False", "ReplicaSetCreateError", error.message, now=now
                )
                await self._view.set_status(DEPLOYMENTS, deployment, {"conditions": found})
            raise
        message = f'Created new replica set "{name_of(made)}"'
        found = deployment_status.note(found, "True", "NewReplicaSetCreated", message, now=now)
        return made, found

    async def _number(
        self, deployment: Object, new: Object | None, olds: Sequence[Object]
    ) -> Object:
        """Give the newest ReplicaSet the highest revision, and the Deployment that number."""
        if new is None:
            return deployment
        number = annotations_of(new).get(REVISION, "0")
        if int(number) <= _last_revision(olds):
            number = str(_last_revision(olds) + 1)
            patch = {"metadata": {"annotations": {REVISION: number}}}
            await self._view.patch(REPLICA_SETS, new, patch)
        if annotations_of(deployment).get(REVISION) == number:
            return deployment
        patch = {"metadata": {"annotations": {REVISION: number}}}
        return await self._view.patch(DEPLOYMENTS, deployment, patch)

    async def _size(
        self, deployment: Object, each: Object, sizes: dict[str, int], new: Object | None
    ) -> Object:
        """Write a ReplicaSet's size and the totals by which it was chosen, if they changed."""
        bounds = rollout.bounds_of(deployment["spec"])
        annotations = {DESIRED: str(bounds.desired), MAXIMUM: str(bounds.desired + bounds.surge)}
        is_new = new is not None and name_of(each) == name_of(new)
        if is_new:
            annotations.update(_inherited(deployment))
        live = self._view.get(REPLICA_SETS, namespace_of(each), name_of(each)) or each
        size = sizes.get(name_of(each), live["spec"].get("replicas", 1))
        patch: Object = {}
        if size != live["spec"].get("replicas", 1):
            patch["spec"] = {"replicas": size}
        seconds = deployment["spec"].get("minReadySeconds", 0)
        if is_new and live["spec"].get("minReadySeconds", 0) != seconds:
            patch.setdefault("spec", {})["minReadySeconds"] = seconds
        stale = any(annotations_of(live).get(key) != value for key, value in annotations.items())
        if stale and (size > 0 or is_new):
            patch["metadata"] = {"annotations": annotations}
        return await self._view.patch(REPLICA_SETS, live, patch) if patch else live

    async def _forget(self, spec: Object, olds: Sequence[Object]) -> None:
        """Delete the oldest empty ReplicaSets beyond `revisionHistoryLimit`."""
        excess = len(olds) - int(spec.get("revisionHistoryLimit", 10))
        if excess <= 0:
            return
        by_revision = sorted(olds, key=lambda each: int(annotations_of(each).get(REVISION, "0")))
        for each in by_revision[:excess]:
            status = each.get("status") or {}
            empty = not status.get("replicas") and each["spec"].get("replicas") == 0
            if empty and not is_deleting(each):
                await self._view.delete(REPLICA_SETS, each, "Background")


def _newest_of(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """Return the ReplicaSet of the present template, the oldest if there are several."""
    template = deployment["spec"]["template"]
    by_age = sorted(sets, key=lambda each: (created_at(each), name_of(each)))
    return next((each for each in by_age if same(each["spec"]["template"], template)), None)


def _recreates(spec: Object) -> bool:
    return (spec.get("strategy") or {}).get("type") == "Recreate"


def _was_scaled(spec: Object, sets: Sequence[Object]) -> bool:
    desired = str(spec.get("replicas", 1))
    return any(
        each["spec"].get("replicas", 1) > 0
        and DESIRED in annotations_of(each)
        and annotations_of(each)[DESIRED] != desired
        for each in sets
    )


def _inherited(deployment: Object) -> dict[str, str]:
    annotations = annotations_of(deployment)
    return {key: value for key, value in annotations.items() if key not in _NOT_COPIED}


def _last_revision(sets: Sequence[Object]) -> int:
    return max((int(annotations_of(each).get(REVISION, "0")) for each in sets), default=0)


def _plan(
    spec: Object,
    new: Object | None,
    olds: Sequence[Object],
    *,
    only_scale: bool,
    old_pods_run: bool,
) -> dict[str, int]:
    bounds = rollout.bounds_of(spec)
    newest = _sized(new) if new else None
    older = [_sized(old) for old in olds]
    if only_scale:
        if _recreates(spec) and sum(each.replicas > 0 for each in [*older, newest] if each) > 1:
            return {}
        return rollout.proportional(bounds, newest, older)
    if _recreates(spec):
        return rollout.recreate(bounds.desired, newest, older, old_pods_run=old_pods_run)
    return rollout.rolling(bounds, newest, older) if newest else {}


def _sized(each: Object) -> rollout.Sized:
    maximum = annotations_of(each).get(MAXIMUM)
    return rollout.Sized(
        name=name_of(each),
        replicas=int(each["spec"].get("replicas", 1)),
        available=int((each.get("status") or {}).get("availableReplicas") or 0),
        created=created_at(each),
        max_replicas=int(maximum) if maximum else None,
    )


def _is_over(deployment: Object, status: Object) -> bool:
    desired = int(deployment["spec"].get("replicas", 1))
    members = ("updatedReplicas", "replicas", "availableReplicas")
    return all((status[member] or 0) == desired for member in members)
