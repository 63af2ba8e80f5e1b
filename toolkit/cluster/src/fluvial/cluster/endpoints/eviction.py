"""Evictions: deletions of pods that disruption budgets have a say in."""

from __future__ import annotations

from fluvial.cluster.builtin import labelselectors
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.deletion import Deleter
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import StatusError, bad_request, generic, success
from fluvial.cluster.objects import Object

__all__ = ["Evictions"]

_BUDGETS = "policy/poddisruptionbudgets"
_TOO_EARLY = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)
_RETRY = 10


class Evictions:
    """Evicts pods as far as their budget allows, which counts down by one."""

    def __init__(self, access: Access, deleter: Deleter) -> None:
        self._access = access
        self._deleter = deleter

    def evict(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Delete a pod on behalf of an Eviction; raises 429 when its budget forbids it.

        Returns a Status. Of several budgets it tells in the answer's body alone, as upstream does.
        """
        if body["metadata"].get("name", "") != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        wanted = body.get("deleteOptions") or {}
        options.dry_run = options.dry_run or bool(wanted.get("dryRun"))
        pod = self._access.find(target).object
        budgets = self._budgets_of(pod) if _counts(pod) else []
        if len(budgets) > 1:
            return generic(500, "", _SEVERAL).body()
        if budgets:
            self._use(budgets[0], pod, options)
        self._deleter.delete_unasked(target, wanted, options, missing_ok=False)
        return success(201)

    def _budgets_of(self, pod: Object) -> list[Object]:
        meta = pod["metadata"]
        labels = meta.get("labels") or {}
        return [
            entry.object
            for entry in self._access.store.entries(_BUDGETS, meta["namespace"])
            if entry.object["spec"].get("selector") is not None
            and labelselectors.matches(entry.object["spec"]["selector"], labels)
        ]

    def _use(self, budget: Object, pod: Object, options: WriteOptions) -> None:
        """Count down a budget. A pod that is not ready may go when the others suffice."""
        meta, status = budget["metadata"], budget.get("status") or {}
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        if not _is_ready(pod):
            always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
            if always or (healthy >= wanted > 0):
                return
        if status.get("observedGeneration", 0) < meta.get("generation", 0):
            text = f"The disruption budget {meta['name']} is still being processed by the server."
            raise _refusal(text, _RETRY)
        allowed = int(status.get("disruptionsAllowed", 0))
        if allowed <= 0:
            text = (
                f"The disruption budget {meta['name']} needs {wanted} healthy pods and has "
                f"{healthy} currently"
            )
            raise _refusal(text)
        if not options.dry_run:
            changed = self._access.copy(budget)
            changed["status"]["disruptionsAllowed"] = allowed - 1
            self._access.store.put(_BUDGETS, (meta["namespace"], meta["name"]), changed)


def _counts(pod: Object) -> bool:
    """Tell whether a budget cares for a pod: not before it runs, nor after."""
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return phase == "Running" and not pod["metadata"].get("deletionTimestamp")


def _is_ready(pod: Object) -> bool:
    found = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


def _refusal(text: str, retry: int = 0) -> StatusError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": text}]}
    if retry:
        details["retryAfterSeconds"] = retry
    return StatusError(429, "TooManyRequests", _TOO_EARLY, details)
