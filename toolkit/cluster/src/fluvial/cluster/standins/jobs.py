"""Jobs: pods that are to run to their end, a number of times."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting
from fluvial.cluster.standins.pods import from_template, is_active, is_ready, phase_of
from fluvial.cluster.standins.resources import JOBS, PODS
from fluvial.cluster.standins.timer import Timer, parse_time, seconds_since
from fluvial.cluster.standins.view import View

__all__ = ["Jobs", "Tally", "decide"]

_FIRST_BACKOFF = 10.0
_LAST_BACKOFF = 600.0
_REACHED = "Reached expected number of succeeded pods"


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """The pods of a Job: how many are active, succeeded, failed; restarts of active ones.

    `since_failure` is how long ago the last one failed, `running_for` how long the Job is active,
    both in seconds.
    """

    active: int = 0
    succeeded: int = 0
    failed: int = 0
    restarts: int = 0
    since_failure: float = 0.0
    running_for: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What to do: create so many pods, stop the active ones, end as Complete or Failed.

    `again` is after how many seconds to look again.
    """

    create: int = 0
    stop: bool = False
    ended: str = ""
    reason: str = ""
    message: str = ""
    again: float | None = None


def decide(spec: Object, tally: Tally) -> Decision:
    """Decide a Job's next step, by the rules of upstream for non-indexed Jobs."""
    completions = spec.get("completions")
    parallelism = int(spec.get("parallelism", 1))
    deadline = spec.get("activeDeadlineSeconds")
    if spec.get("suspend"):
        return Decision(stop=True)
    if tally.failed + tally.restarts > int(spec.get("backoffLimit", 6)):
        text = "Job has reached the specified backoff limit"
        return Decision(stop=True, ended="Failed", reason="BackoffLimitExceeded", message=text)
    if deadline is not None and tally.running_for >= deadline:
        text = "Job was active longer than specified deadline"
        return Decision(stop=True, ended="Failed", reason="DeadlineExceeded", message=text)
    if completions is None:
        done = tally.succeeded > 0 and tally.active == 0
    else:
        done = tally.succeeded >= completions
    if done:
        return Decision(stop=True, ended="Complete", reason="CompletionsReached", message=_REACHED)
    again = None if deadline is None else deadline - tally.running_for
    if completions is None:
        wanted = tally.active if tally.succeeded else parallelism
    else:
        wanted = min(parallelism, completions - tally.succeeded)
    missing = max(0, wanted - tally.active)
    if missing and tally.failed:
        pause = min(_FIRST_BACKOFF * 2.0 ** min(tally.failed - 1, 20), _LAST_BACKOFF)
        left = pause - tally.since_failure
        if left > 0:
            return Decision(again=left if again is None else min(left, again))
    return Decision(create=missing, again=again)


class Jobs:
    """The Job controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("job", self._reconcile, timer)
        view.follow(JOBS, self.controller.add_object)
        view.follow(PODS, self.controller.add_controller_of("Job"))

    async def _reconcile(self, key: Key) -> float | None:
        job = self._view.get(JOBS, *key)
        if job is None or is_deleting(job):
            return None
        status, now = job.get("status") or {}, self._timer.now()
        found = list(status.get("conditions") or [])
        if conditions.is_true(job, "Complete") or conditions.is_true(job, "Failed"):
            return await self._expire(job, found)
        pods = self._view.owned(PODS, job)
        start = None if job["spec"].get("suspend") else status.get("startTime") or rfc3339(now)
        tally = _count(pods, status, start, now)
        decision = decide(job["spec"], tally)
        active = [pod for pod in pods if is_active(pod)]
        if decision.stop:
            for pod in active:
                await self._view.delete(PODS, pod)
            active = []
        for _ in range(decision.create):
            pod = from_template(job, job["spec"]["template"])
            active.append(await self._view.create(PODS, pod))
        found = _conditions(found, job["spec"], decision, now)
        changed: Object = {
            "active": len(active) or None,
            "ready": sum(is_ready(pod) for pod in active),
            "terminating": sum(is_deleting(pod) for pod in pods),
            "succeeded": tally.succeeded or None,
            "failed": tally.failed or None,
            "startTime": start,
            "uncountedTerminatedPods": {},
            "conditions": found or None,
        }
        if decision.ended == "Complete":
            changed["completionTime"] = rfc3339(now)
        await self._view.set_status(JOBS, job, changed)
        return decision.again

    async def _expire(self, job: Object, found: Sequence[Object]) -> float | None:
        """Delete a finished Job after its `ttlSecondsAfterFinished`."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return None
        ends = [each for each in found if each["type"] in {"Complete", "Failed"}]
        left = float(ttl) - seconds_since(ends[0]["lastTransitionTime"], self._timer.now())
        if left > 0:
            return left
        await self._view.delete(JOBS, job, "Foreground")
        return None


def _count(pods: Sequence[Object], status: Object, start: str | None, now: dt.datetime) -> Tally:
    failed = [pod for pod in pods if phase_of(pod) == "Failed"]
    ends = [
        (state.get("state") or {}).get("terminated", {}).get("finishedAt")
        for pod in failed
        for state in (pod.get("status") or {}).get("containerStatuses") or []
    ]
    last = max((parse_time(end) for end in ends if end), default=now)
    active = [pod for pod in pods if is_active(pod)]
    restarts = sum(
        int(state.get("restartCount", 0))
        for pod in active
        for state in (pod.get("status") or {}).get("containerStatuses") or []
    )
    succeeded = sum(phase_of(pod) == "Succeeded" for pod in pods)
    return Tally(
        active=len(active),
        # A pod that somebody deleted stays counted.
        succeeded=max(succeeded, int(status.get("succeeded") or 0)),
        failed=max(len(failed), int(status.get("failed") or 0)),
        restarts=restarts,
        since_failure=(now - last).total_seconds(),
        running_for=seconds_since(start, now) if start else 0.0,
    )


def _conditions(
    found: list[Object], spec: Object, decision: Decision, now: dt.datetime
) -> list[Object]:
    stamp = {"lastProbeTime": rfc3339(now)}
    if spec.get("suspend"):
        return conditions.put(found, "Suspended", "True", "JobSuspended", "Job suspended", now=now)
    if conditions.find(found, "Suspended"):
        found = conditions.put(found, "Suspended", "False", "JobResumed", "Job resumed", now=now)
    if decision.ended:
        first = "SuccessCriteriaMet" if decision.ended == "Complete" else "FailureTarget"
        for type_ in (first, decision.ended):
            found = conditions.put(
                found, type_, "True", decision.reason, decision.message, now=now, **stamp
            )
    return found
