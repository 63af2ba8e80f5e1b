"""StatefulSets: numbered pods with names and claims of their own, updated from the top."""

from __future__ import annotations

import copy
import re

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins import revisions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of, is_deleting, labels_of, matches
from fluvial.cluster.standins.ordinals import Plan, Unit, next_step
from fluvial.cluster.standins.pods import available_in, from_template, is_finished, is_ready
from fluvial.cluster.standins.resources import CLAIMS, PODS, REVISIONS, STATEFUL_SETS
from fluvial.cluster.standins.templates import REVISION_HASH, stamped
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["StatefulSets"]


class StatefulSets:
    """The StatefulSet controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("statefulset", self._reconcile, timer)
        view.follow(STATEFUL_SETS, self.controller.add_object)
        view.follow(PODS, self.controller.add_controller_of("StatefulSet"))
        view.follow(REVISIONS)
        view.follow(CLAIMS)

    async def _reconcile(self, key: Key) -> float | None:
        owner = self._view.get(STATEFUL_SETS, *key)
        if owner is None or is_deleting(owner):
            return None
        pods = await self._pods(owner)
        newest, every = await revisions.ensure(self._view, owner)
        status = owner.get("status") or {}
        names = {name_of(each): each for each in every}
        current = status.get("currentRevision")
        if current not in names:
            current = name_of(newest)
        plan = _plan(owner, current, name_of(newest))
        step = next_step(plan, {ordinal: _unit(pod) for ordinal, pod in pods.items()})
        for ordinal in step.delete:
            await self._view.delete(PODS, pods[ordinal])
        for ordinal, revision in step.create:
            pods[ordinal] = await self._create(owner, ordinal, names[revision])
        again = await self._report(owner, pods, plan)
        used = {current, name_of(newest), *(_revision_of(pod) for pod in pods.values())}
        await revisions.forget(self._view, owner, used)
        return again

    async def _pods(self, owner: Object) -> dict[int, Object]:
        pattern = re.compile(rf"{re.escape(name_of(owner))}-(\d+)")
        selector = owner["spec"]["selector"]
        pods = await self._view.claim(
            PODS,
            owner,
            lambda pod: (
                matches(selector, labels_of(pod)) and pattern.fullmatch(name_of(pod)) is not None
            ),
        )
        return {int(name_of(pod).rpartition("-")[2]): pod for pod in pods}

    async def _create(self, owner: Object, ordinal: int, revision: Object) -> Object:
        name = f"{name_of(owner)}-{ordinal}"
        spec = owner["spec"]
        labelled = stamped(
            revisions.template_of(revision),
            {
                REVISION_HASH: name_of(revision),
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": str(ordinal),
            },
        )
        pod = from_template(owner, labelled, name)
        pod["spec"]["hostname"] = name
        if spec.get("serviceName"):
            pod["spec"]["subdomain"] = spec["serviceName"]
        templates = spec.get("volumeClaimTemplates") or []
        claims = [await self._claim(owner, each, name) for each in templates]
        taken = {volume["name"] for volume in claims}
        others = [each for each in pod["spec"].get("volumes") or [] if each["name"] not in taken]
        if claims or others:
            pod["spec"]["volumes"] = [*others, *claims]
        return await self._view.create(PODS, pod)

    async def _claim(self, owner: Object, template: Object, pod: str) -> Object:
        """Make a pod's claim if it is missing; returns the volume that uses it."""
        name = f"{name_of(template)}-{pod}"
        if self._view.get(CLAIMS, namespace_of(owner), name) is None:
            meta = template.get("metadata") or {}
            labels = {
                **(meta.get("labels") or {}),
                **(owner["spec"]["selector"].get("matchLabels") or {}),
            }
            wanted = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    "name": name,
                    "namespace": namespace_of(owner),
                    "labels": labels,
                    "annotations": dict(meta.get("annotations") or {}),
                },
                "spec": copy.deepcopy(template.get("spec") or {}),
            }
            try:
                await self._view.create(CLAIMS, wanted)
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
        return {"name": name_of(template), "persistentVolumeClaim": {"claimName": name}}

    async def _report(self, owner: Object, pods: dict[int, Object], plan: Plan) -> float | None:
        now, spec = self._timer.now(), owner["spec"]
        live = [pod for pod in pods.values() if not is_finished(pod)]
        serving = [pod for pod in live if not is_deleting(pod)]
        waits = [available_in(pod, int(spec.get("minReadySeconds", 0)), now) for pod in serving]
        ready = sum(is_ready(pod) for pod in serving)
        updated = sum(_revision_of(pod) == plan.update for pod in serving)
        current_count = sum(_revision_of(pod) == plan.current for pod in serving)
        current = plan.current
        if not plan.on_delete and updated == len(live) == ready == plan.replicas:
            # The update is over: what was new is now current.
            current, current_count = plan.update, updated
        status = {
            "observedGeneration": generation_of(owner),
            "replicas": len(live),
            "readyReplicas": ready or None,
            "currentReplicas": current_count or None,
            "updatedReplicas": updated or None,
            "currentRevision": current,
            "updateRevision": plan.update,
            "collisionCount": 0,
            "availableReplicas": sum(wait == 0 for wait in waits),
        }
        await self._view.set_status(STATEFUL_SETS, owner, status)
        return min((wait for wait in waits if wait), default=None)


def _revision_of(pod: Object) -> str:
    return labels_of(pod).get(REVISION_HASH, "")


def _unit(pod: Object) -> Unit:
    terminating = is_deleting(pod)
    return Unit(
        revision=_revision_of(pod),
        healthy=is_ready(pod) and not terminating,
        terminating=terminating,
        finished=is_finished(pod),
    )


def _plan(owner: Object, current: str, update: str) -> Plan:
    spec = owner["spec"]
    strategy = spec.get("updateStrategy") or {}
    start = int((spec.get("ordinals") or {}).get("start", 0))
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    return Plan(
        replicas=int(spec.get("replicas", 1)),
        current=current,
        update=update,
        start=start,
        current_count=int((owner.get("status") or {}).get("currentReplicas") or 0),
        partition=partition,
        parallel=spec.get("podManagementPolicy") == "Parallel",
        on_delete=strategy.get("type") == "OnDelete",
    )
