"""CronJobs: a Job at each time of a schedule."""

from __future__ import annotations

import copy
import datetime as dt
import zoneinfo
from collections.abc import Sequence

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of, rfc3339
from fluvial.cluster.schedules import Schedule, parse_schedule
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import created_at, is_deleting, owner_reference, uid_of
from fluvial.cluster.standins.resources import CRON_JOBS, JOBS
from fluvial.cluster.standins.timer import Timer, parse_time
from fluvial.cluster.standins.view import View

__all__ = ["CronJobs", "due"]

_MOST_MISSED = 100


def due(
    schedule: Schedule, since: dt.datetime, now: dt.datetime
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the last time that has come since `since`, if any, and the next one.

    After a hundred missed times the count starts anew at the present.
    """
    last = None
    upcoming = schedule.next_after(since)
    for _ in range(_MOST_MISSED):
        if upcoming is None or upcoming > now:
            return last, upcoming
        last, upcoming = upcoming, schedule.next_after(upcoming)
    return last, schedule.next_after(now)


class CronJobs:
    """The CronJob controller. A schedule that cannot be read makes no Jobs."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("cronjob", self._reconcile, timer)
        view.follow(CRON_JOBS, self.controller.add_object)
        view.follow(JOBS, self.controller.add_controller_of("CronJob"))

    async def _reconcile(self, key: Key) -> float | None:
        cron = self._view.get(CRON_JOBS, *key)
        if cron is None or is_deleting(cron):
            return None
        jobs = self._view.owned(JOBS, cron)
        active = [job for job in jobs if not _is_over(job)]
        status = cron.get("status") or {}
        now = self._timer.now()
        again, started = None, None
        try:
            zone = zoneinfo.ZoneInfo(cron["spec"].get("timeZone") or "UTC")
            schedule = parse_schedule(cron["spec"]["schedule"])
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            schedule = None
        if schedule is not None and not cron["spec"].get("suspend"):
            since = parse_time(status.get("lastScheduleTime") or created_at(cron)).astimezone(zone)
            last, upcoming = due(schedule, since, now.astimezone(zone))
            if upcoming is not None:
                again = (upcoming - now).total_seconds()
            if last is not None and self._may_start(cron["spec"], last, now, active):
                active = await self._start(cron, last, active)
                started = rfc3339(last)
        await self._forget(cron["spec"], jobs)
        changed: Object = {"active": [_reference(job) for job in active] or None}
        if started:
            changed["lastScheduleTime"] = started
        ends = [job["status"]["completionTime"] for job in jobs if _ended(job, "Complete")]
        if ends:
            changed["lastSuccessfulTime"] = max(ends)
        await self._view.set_status(CRON_JOBS, cron, changed)
        return again

    def _may_start(
        self, spec: Object, when: dt.datetime, now: dt.datetime, active: Sequence[Object]
    ) -> bool:
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and (now - when).total_seconds() > deadline:
            return False
        return not (active and spec.get("concurrencyPolicy") == "Forbid")

    async def _start(self, cron: Object, when: dt.datetime, active: list[Object]) -> list[Object]:
        """Create the Job of a scheduled time; returns the Jobs that are active then."""
        if cron["spec"].get("concurrencyPolicy") == "Replace":
            for job in active:
                await self._view.delete(JOBS, job, "Background")
            active = []
        template = copy.deepcopy(cron["spec"]["jobTemplate"])
        meta = metadata(template)
        stamp = {"batch.kubernetes.io/cronjob-scheduled-timestamp": when.isoformat()}
        wanted = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": f"{name_of(cron)}-{int(when.timestamp()) // 60}",
                "namespace": namespace_of(cron),
                "labels": dict(meta.get("labels") or {}),
                "annotations": {**(meta.get("annotations") or {}), **stamp},
                "ownerReferences": [owner_reference(cron)],
            },
            "spec": template["spec"],
        }
        try:
            return [*active, await self._view.create(JOBS, wanted)]
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            return active

    async def _forget(self, spec: Object, jobs: Sequence[Object]) -> None:
        """Delete the oldest finished Jobs beyond the history limits."""
        for type_, member, default in (
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        ):
            ended = sorted((job for job in jobs if _ended(job, type_)), key=created_at)
            excess = len(ended) - int(spec.get(member, default))
            for job in ended[: max(excess, 0)]:
                await self._view.delete(JOBS, job, "Background")


def _ended(job: Object, type_: str) -> bool:
    return conditions.is_true(job, type_)


def _is_over(job: Object) -> bool:
    return _ended(job, "Complete") or _ended(job, "Failed")


def _reference(job: Object) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "namespace": namespace_of(job),
        "name": name_of(job),
        "uid": uid_of(job),
    }
