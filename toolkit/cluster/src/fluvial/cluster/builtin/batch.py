"""Job and CronJob."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import zoneinfo

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.numbers import nonnegative_errors
from fluvial.cluster.builtin.podspec import default_template
from fluvial.cluster.builtin.podvalidation import template_errors
from fluvial.cluster.builtin.podwarnings import name_warnings, pod_warnings
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.workloads import mismatch_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object
from fluvial.cluster.schedules import parse_schedule

__all__ = ["STRATEGIES", "default_job_spec"]

RESTART = ("OnFailure", "Never")
_POLICIES = ("Allow", "Forbid", "Replace")
_NAME_LIMIT = 63 - 11
"""Eleven characters are kept for the time that a job's name ends with."""
_NUMBERS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
    "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip


def default_job_spec(spec: Object) -> None:
    """Fill in the defaults of a job spec."""
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
        spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    indexed = spec.get("backoffLimitPerIndex") is not None
    spec.setdefault("backoffLimit", 2**31 - 1 if indexed else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    failure_policy = spec.get("podFailurePolicy") is not None
    spec.setdefault("podReplacementPolicy", "Failed" if failure_policy else "TerminatingOrFailed")
    default_template(spec.setdefault("template", {}))


class JobStrategy(Strategy):
    """Rules of Job."""

    returns_deleted = False
    collection_policy = "orphan"
    field_labels = ("status.successful",)

    def default(self, obj: Object) -> None:
        """Default the spec."""
        default_job_spec(obj.setdefault("spec", {}))
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; generate selector and labels."""
        obj["status"] = {}
        spec, meta = obj["spec"], obj["metadata"]
        if spec.get("manualSelector"):
            return
        labels = {
            "controller-uid": meta["uid"],
            "job-name": meta.get("name", ""),
            "batch.kubernetes.io/controller-uid": meta["uid"],
            "batch.kubernetes.io/job-name": meta.get("name", ""),
        }
        template = spec["template"].setdefault("metadata", {})
        template["labels"] = {**(template.get("labels") or {}), **labels}
        meta["labels"] = {**(meta.get("labels") or {}), **template["labels"]}
        selector = spec.setdefault("selector", {})
        selector.setdefault("matchLabels", {})["batch.kubernetes.io/controller-uid"] = meta["uid"]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check numbers, mode, template and selector."""
        spec = obj["spec"]
        errors = job_errors(spec, "spec")
        selector = spec.get("selector")
        if selector is None:
            return [*errors, fielderrors.required("spec.selector")]
        errors += label_selector_errors(selector, "spec.selector")
        return errors + mismatch_errors(spec)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the name and of what the template says."""
        warnings: list[str] = []
        if old is None:
            warnings += name_warnings(obj["metadata"].get("name", ""), "Pod names and hostnames")
        if old is None or obj["spec"] != old["spec"]:
            warnings += _template_warnings(obj["spec"]["template"], "spec.template")
        return warnings

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """completions, selector, template and mode cannot change."""
        errors = []
        for key in (
            "completions", "selector", "template", "completionMode", "podFailurePolicy",
            "backoffLimitPerIndex",
        ):  # fmt: skip
            value = obj["spec"].get(key)
            if value != old["spec"].get(key):
                errors.append(fielderrors.immutable(f"spec.{key}", value))
        return errors

    def field_value(self, obj: Object, label: str) -> str:
        """`status.successful` is the number of succeeded pods."""
        if label == "status.successful":
            return str((obj.get("status") or {}).get("succeeded", 0))
        return super().field_value(obj, label)


def _template_warnings(template: Object, path: str) -> list[str]:
    return pod_warnings(template.get("metadata") or {}, template.get("spec") or {}, path)


def job_errors(spec: Object, path: str) -> list[Cause]:
    """Check a job spec, without its selector."""
    errors = nonnegative_errors(spec, path, *_NUMBERS)
    mode, modes = spec.get("completionMode"), ("Indexed", "NonIndexed")
    if mode is not None and mode not in modes:
        errors.append(fielderrors.not_supported(f"{path}.completionMode", mode, modes))
    elif mode == "Indexed" and spec.get("completions") is None:
        text = "when completion mode is Indexed"
        errors.append(fielderrors.required(f"{path}.completions", text))
    if spec.get("backoffLimitPerIndex") is not None and mode != "Indexed":
        text = "requires indexed completion mode"
        where = f"{path}.backoffLimitPerIndex"
        errors.append(fielderrors.invalid(where, spec["backoffLimitPerIndex"], text))
    template = spec.get("template") or {}
    errors += template_errors(template, f"{path}.template", restart=("Always", *RESTART))
    policy = (template.get("spec") or {}).get("restartPolicy")
    where = f"{path}.template.spec.restartPolicy"
    if policy not in RESTART:
        errors.append(fielderrors.required(where, 'valid values: "OnFailure", "Never"'))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        errors.append(fielderrors.invalid(where, policy, text))
    return errors


def _zone_errors(zone: str | None, path: str) -> list[Cause]:
    if zone is None:
        return []
    if not zone:
        text = "timeZone must be nil or non-empty string"
        return [fielderrors.invalid(path, zone, text)]
    if zone.lower() == "local":
        text = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        return [fielderrors.invalid(path, zone, text)]
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return [fielderrors.invalid(path, zone, f"unknown time zone {zone}")]
    return []


def _schedule_errors(schedule: str, zone: str | None, path: str) -> list[Cause]:
    if not schedule:
        return [fielderrors.required(path)]
    prefix, _, rest = schedule.partition(" ")
    errors: list[Cause] = []
    named = prefix.startswith(("TZ=", "CRON_TZ="))
    try:
        parse_schedule(rest.strip() if named else schedule)
    except ValueError as error:
        errors.append(fielderrors.invalid(path, schedule, str(error)))
    if named:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        if zone is not None:
            text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        errors.append(fielderrors.invalid(path, schedule, text))
    return errors


class CronJobStrategy(Strategy):
    """Rules of CronJob."""

    def default(self, obj: Object) -> None:
        """Default policy, limits and the job template."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        template = spec.setdefault("jobTemplate", {})
        template.setdefault("metadata", {})
        inner = template.setdefault("spec", {})
        default_template(inner.setdefault("template", {}))
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check schedule, zone, policy, limits and the job's template."""
        spec, name = obj["spec"], obj["metadata"].get("name", "")
        zone = spec.get("timeZone")
        errors = _schedule_errors(spec.get("schedule", ""), zone, "spec.schedule")
        errors += nonnegative_errors(spec, "spec", "startingDeadlineSeconds")
        errors += _zone_errors(zone, "spec.timeZone")
        policy = spec.get("concurrencyPolicy", "")
        if policy not in _POLICIES:
            where = "spec.concurrencyPolicy"
            errors.append(fielderrors.not_supported(where, policy, _POLICIES))
        job = (spec.get("jobTemplate") or {}).get("spec") or {}
        errors += job_errors(job, "spec.jobTemplate.spec")
        if job.get("manualSelector"):
            where = "spec.jobTemplate.spec.manualSelector"
            errors.append(fielderrors.not_supported(where, job["manualSelector"], ("nil", "false")))
        errors += nonnegative_errors(
            spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
        )
        if len(name) > _NAME_LIMIT:
            text = f"must be no more than {_NAME_LIMIT} characters"
            errors.append(fielderrors.invalid("metadata.name", name, text))
        return errors

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the name and of what the template says."""
        warnings: list[str] = []
        if old is None:
            warnings += name_warnings(obj["metadata"].get("name", ""), "Pod names and hostnames")
        if old is None or obj["spec"] != old["spec"]:
            job = (obj["spec"].get("jobTemplate") or {}).get("spec") or {}
            path = "spec.jobTemplate.spec.template"
            warnings += _template_warnings(job.get("template") or {}, path)
        return warnings


STRATEGIES: dict[str, Strategy] = {"batch/jobs": JobStrategy(), "batch/cronjobs": CronJobStrategy()}
