"""ReplicaSets: as many pods as the spec asks for, and their counts."""

from __future__ import annotations

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of, is_deleting, labels_of, matches
from fluvial.cluster.standins.pods import (
    available_in,
    deletion_rank,
    from_template,
    is_active,
    is_finished,
    is_ready,
)
from fluvial.cluster.standins.resources import PODS, REPLICA_SETS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["ReplicaSets"]

_BURST = 500


class ReplicaSets:
    """The ReplicaSet controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("replicaset", self._reconcile, timer)
        view.follow(REPLICA_SETS, self.controller.add_object)
        view.follow(PODS, self.controller.add_controller_of("ReplicaSet"))

    async def _reconcile(self, key: Key) -> float | None:
        replica_set = self._view.get(REPLICA_SETS, *key)
        if replica_set is None:
            return None
        spec = replica_set["spec"]
        failure: StatusError | None = None
        if is_deleting(replica_set):
            pods = self._view.owned(PODS, replica_set)
        else:
            pods = await self._view.claim(
                PODS,
                replica_set,
                lambda pod: not is_finished(pod) and matches(spec["selector"], labels_of(pod)),
            )
            try:
                pods = await self._balance(replica_set, [pod for pod in pods if is_active(pod)])
            except StatusError as error:
                failure = error
                pods = self._view.owned(PODS, replica_set)
        again = await self._report(replica_set, [pod for pod in pods if is_active(pod)], failure)
        if failure is not None:
            raise failure
        return again

    async def _balance(self, replica_set: Object, pods: list[Object]) -> list[Object]:
        """Create or delete pods; return those that remain."""
        wanted = int(replica_set["spec"].get("replicas", 1))
        if len(pods) < wanted:
            for _ in range(min(wanted - len(pods), _BURST)):
                pod = from_template(replica_set, replica_set["spec"]["template"])
                pods.append(await self._view.create(PODS, pod))
        elif len(pods) > wanted:
            ranked = sorted(pods, key=deletion_rank)
            excess = len(pods) - wanted
            for pod in ranked[:excess]:
                await self._view.delete(PODS, pod)
            pods = ranked[excess:]
        return pods

    async def _report(
        self, replica_set: Object, pods: list[Object], failure: StatusError | None
    ) -> float | None:
        now = self._timer.now()
        spec = replica_set["spec"]
        labels = labels_of(spec["template"])
        waits = [available_in(pod, int(spec.get("minReadySeconds", 0)), now) for pod in pods]
        found = list((replica_set.get("status") or {}).get("conditions") or [])
        if failure is not None:
            found = conditions.put(
                found, "ReplicaFailure", "True", "FailedCreate", failure.message, now=now
            )
        else:
            found = [each for each in found if each["type"] != "ReplicaFailure"]
        labelled = [pod for pod in pods if labels.items() <= labels_of(pod).items()]
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(labelled) or None,
            "readyReplicas": sum(is_ready(pod) for pod in pods) or None,
            "availableReplicas": sum(wait == 0 for wait in waits) or None,
            "observedGeneration": generation_of(replica_set),
            "conditions": found or None,
        }
        await self._view.set_status(REPLICA_SETS, replica_set, status)
        return min((wait for wait in waits if wait), default=None)
