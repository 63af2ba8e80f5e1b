"""What `kubectl describe` tells of objects: events, read off the changes that the view sees.

The controllers need not know of it. What was there before the stand-ins started is not told of.
"""

from __future__ import annotations

import datetime as dt

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.metadata import (
    controller_of,
    created_at,
    is_deleting,
    uid_of,
)
from fluvial.cluster.standins.recorder import Happening, Recorder
from fluvial.cluster.standins.resources import (
    AUTOSCALERS,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from fluvial.cluster.standins.timer import Timer, parse_time
from fluvial.cluster.standins.view import View

__all__ = ["Reporter"]

_OWNERS = {
    "ReplicaSet": (REPLICA_SETS, "replicaset-controller"),
    "StatefulSet": (STATEFUL_SETS, "statefulset-controller"),
    "DaemonSet": (DAEMON_SETS, "daemonset-controller"),
    "Job": (JOBS, "job-controller"),
}
_SCHEDULED = "PodScheduled"
_PULL_FAILURES = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


class Reporter:
    """Follows pods and their owners, and tells the recorder what happens to them."""

    def __init__(self, view: View, timer: Timer, recorder: Recorder) -> None:
        self._view = view
        self._recorder = recorder
        self._start = timer.now().replace(microsecond=0)
        self._seen: dict[str, Object] = {}
        for resource, _ in _OWNERS.values():
            view.follow(resource)
        for resource in (CRON_JOBS, DEPLOYMENTS):
            view.follow(resource)
        view.follow(PODS, self._pod)
        view.follow(REPLICA_SETS, self._replica_set)
        view.follow(JOBS, self._job)
        view.follow(AUTOSCALERS, self._autoscaler)

    def _change(self, resource: str, obj: Object) -> tuple[Object | None, bool]:
        """Return the object as it was before, and whether there is something to tell."""
        uid = uid_of(obj)
        old = self._seen.get(uid)
        if self._view.get(resource, namespace_of(obj), name_of(obj)) is None:
            self._seen.pop(uid, None)
            return old, False
        self._seen[uid] = obj
        return old, old is not None or self._is_new(obj)

    def _is_new(self, obj: Object) -> bool:
        made = created_at(obj)
        return not made or parse_time(made).astimezone(dt.UTC) >= self._start

    def _tell(
        self,
        obj: Object,
        reason: str,
        message: str,
        component: str,
        *,
        warning: bool = False,
        field: str = "",
    ) -> None:
        self._recorder.tell(Happening(obj, reason, message, component, warning, field))

    def _pod(self, pod: Object) -> None:
        old, tells = self._change(PODS, pod)
        if not tells:
            return
        before = old or {}
        self._pod_of_owner(pod, old)
        node = pod["spec"].get("nodeName")
        if node and not (before.get("spec") or {}).get("nodeName"):
            text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
            self._tell(pod, "Scheduled", text, "default-scheduler")
        self._unscheduled(pod, before)
        for key in ("initContainerStatuses", "containerStatuses"):
            past = {each["name"]: each for each in (before.get("status") or {}).get(key) or []}
            for status in (pod.get("status") or {}).get(key) or []:
                part = "spec.initContainers" if key.startswith("init") else "spec.containers"
                self._container(pod, status, past.get(status["name"]) or {}, part)
        if is_deleting(pod) and not is_deleting(before):
            for status in (pod.get("status") or {}).get("containerStatuses") or []:
                if "running" in status["state"]:
                    field = f"spec.containers{{{status['name']}}}"
                    text = f"Stopping container {status['name']}"
                    self._tell(pod, "Killing", text, "kubelet", field=field)

    def _pod_of_owner(self, pod: Object, old: Object | None) -> None:
        reference = controller_of(pod)
        resource, component = _OWNERS.get((reference or {}).get("kind", ""), ("", ""))
        if reference is None or not resource:
            return
        owner = self._view.get(resource, namespace_of(pod), reference["name"])
        if owner is None or uid_of(owner) != reference["uid"]:
            return
        if old is None:
            self._tell(owner, "SuccessfulCreate", f"Created pod: {name_of(pod)}", component)
        elif is_deleting(pod) and not is_deleting(old):
            self._tell(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", component)

    def _unscheduled(self, pod: Object, before: Object) -> None:
        def complaint(obj: Object) -> str:
            found = conditions.find((obj.get("status") or {}).get("conditions") or [], _SCHEDULED)
            refused = found is not None and found.get("status") == "False"
            return str(found.get("message") or "") if found is not None and refused else ""

        text = complaint(pod)
        if text and text != complaint(before):
            self._tell(pod, "FailedScheduling", text, "default-scheduler", warning=True)

    def _container(self, pod: Object, status: Object, past: Object, part: str) -> None:
        """Tell of one container: pulled, created, started, or why it is not."""
        name, image = status["name"], status["image"]
        field = f"{part}{{{name}}}"

        def tell(reason: str, message: str, *, warning: bool = False) -> None:
            self._tell(pod, reason, message, "kubelet", warning=warning, field=field)

        identity = status.get("containerID")
        if identity and identity != past.get("containerID"):
            tell("Pulled", f'Container image "{image}" already present on machine')
            tell("Created", f"Created container: {name}")
            tell("Started", f"Started container {name}")
        waiting = status["state"].get("waiting") or {}
        why, text = waiting.get("reason", ""), waiting.get("message", "")
        if not why or why == ((past.get("state") or {}).get("waiting") or {}).get("reason"):
            return
        if why in _PULL_FAILURES:
            if why == "ErrImagePull":
                tell("Failed", f'Failed to pull image "{image}": {text}', warning=True)
            elif why == "ImagePullBackOff":
                tell("BackOff", text)
            tell("Failed", f"Error: {why}", warning=True)
        elif why == "CrashLoopBackOff":
            owner = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
            text = f"Back-off restarting failed container {name} in pod {owner}"
            tell("BackOff", text, warning=True)
        elif why == "CreateContainerConfigError":
            tell("Failed", f"Error: {text}", warning=True)

    def _replica_set(self, replica_set: Object) -> None:
        """Tell a Deployment which of its ReplicaSets it made larger or smaller."""
        old, tells = self._change(REPLICA_SETS, replica_set)
        reference = controller_of(replica_set)
        if not tells or reference is None or reference["kind"] != "Deployment":
            return
        owner = self._view.get(DEPLOYMENTS, namespace_of(replica_set), reference["name"])
        size = int(replica_set["spec"].get("replicas", 1))
        was = 0 if old is None else int(old["spec"].get("replicas", 1))
        if owner is None or size == was:
            return
        way = "up" if size > was else "down"
        text = f"Scaled {way} replica set {name_of(replica_set)} from {was} to {size}"
        self._tell(owner, "ScalingReplicaSet", text, "deployment-controller")

    def _job(self, job: Object) -> None:
        old, tells = self._change(JOBS, job)
        if not tells:
            return
        for type_, reason, text in (
            ("Complete", "Completed", "Job completed"),
            ("Failed", "", ""),
        ):
            if conditions.is_true(job, type_) and not conditions.is_true(old or {}, type_):
                found = conditions.find(job["status"]["conditions"], type_) or {}
                self._tell(
                    job,
                    reason or found.get("reason", "Failed"),
                    text or found.get("message", ""),
                    "job-controller",
                    warning=type_ == "Failed",
                )
        reference = controller_of(job)
        if reference is not None and reference["kind"] == "CronJob" and old is None:
            owner = self._view.get(CRON_JOBS, namespace_of(job), reference["name"])
            if owner is not None:
                text = f"Created job {name_of(job)}"
                self._tell(owner, "SuccessfulCreate", text, "cronjob-controller")

    def _autoscaler(self, autoscaler: Object) -> None:
        """Tell of new sizes, and of what keeps an autoscaler from its work."""
        old, tells = self._change(AUTOSCALERS, autoscaler)
        if not tells:
            return
        status, past = autoscaler.get("status") or {}, (old or {}).get("status") or {}
        component = "horizontal-pod-autoscaler"
        if status.get("lastScaleTime") and (
            status["lastScaleTime"], status.get("desiredReplicas"),
        ) != (past.get("lastScaleTime"), past.get("desiredReplicas")):  # fmt: skip
            text = f"New size: {status.get('desiredReplicas')}; reason: {_why(autoscaler)}"
            self._tell(autoscaler, "SuccessfulRescale", text, component)
        for found in status.get("conditions") or []:
            before = conditions.find(past.get("conditions") or [], found["type"]) or {}
            reason = found.get("reason", "")
            failing = found.get("status") == "False" and reason.startswith("Failed")
            if failing and before.get("reason") != reason:
                text = found.get("message", "").partition(": ")[2]
                self._tell(autoscaler, reason, text, component, warning=True)


def _why(autoscaler: Object) -> str:
    """Return why a size was changed, as upstream says it."""
    status, spec = autoscaler["status"], autoscaler["spec"]
    current, desired = status.get("currentReplicas", 0), status.get("desiredReplicas", 0)
    if current > spec["maxReplicas"]:
        return "Current number of replicas above Spec.MaxReplicas"
    if current < spec.get("minReplicas", 1):
        return "Current number of replicas below Spec.MinReplicas"
    if desired < current:
        return "All metrics below target"
    active = conditions.find(status.get("conditions") or [], "ScalingActive") or {}
    metric = str(active.get("message", "")).partition("a replica count from ")[2]
    return f"{metric} above target"
