"""Job and CronJob."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.podspec import default_template
from fluvial.cluster.builtin.podvalidation import template_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES", "default_job_spec"]

RESTART = ("OnFailure", "Never")


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
            "job-name": meta["name"],
            "batch.kubernetes.io/controller-uid": meta["uid"],
            "batch.kubernetes.io/job-name": meta["name"],
        }
        template = spec["template"].setdefault("metadata", {})
        template["labels"] = {**(template.get("labels") or {}), **labels}
        meta["labels"] = {**(meta.get("labels") or {}), **template["labels"]}
        selector = spec.setdefault("selector", {})
        selector.setdefault("matchLabels", {})["batch.kubernetes.io/controller-uid"] = meta["uid"]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check numbers and template."""
        spec = obj["spec"]
        errors: list[Cause] = []
        for key in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds",
                    "ttlSecondsAfterFinished"):  # fmt: skip
            value = spec.get(key)
            if isinstance(value, int) and value < 0:
                text = "must be greater than or equal to 0"
                errors.append(fielderrors.invalid(f"spec.{key}", value, text))
        policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
        errors += template_errors(spec["template"], "spec.template", restart=("Always", *RESTART))
        if policy == "Always":
            text = 'Required value: valid values: "OnFailure", "Never"'
            errors.append(
                {
                    "reason": "FieldValueRequired",
                    "message": text,
                    "field": "spec.template.spec.restartPolicy",
                }
            )
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """completions, selector, template and mode cannot change."""
        errors = []
        for key in ("completions", "selector", "template", "completionMode"):
            value = obj["spec"].get(key)
            if value != old["spec"].get(key):
                errors.append(fielderrors.immutable(f"spec.{key}", value))
        return errors

    def field_value(self, obj: Object, label: str) -> str:
        """`status.successful` is the number of succeeded pods."""
        if label == "status.successful":
            return str((obj.get("status") or {}).get("succeeded", 0))
        return super().field_value(obj, label)


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
        inner = template.setdefault("spec", {})
        default_template(inner.setdefault("template", {}))
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the schedule's presence and the template."""
        spec = obj["spec"]
        errors: list[Cause] = []
        if not spec.get("schedule"):
            errors.append(fielderrors.required("spec.schedule"))
        template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
        path = "spec.jobTemplate.spec.template"
        errors += template_errors(template, path, restart=("Always", *RESTART))
        if (template.get("spec") or {}).get("restartPolicy") == "Always":
            errors.append(
                fielderrors.required(
                    f"{path}.spec.restartPolicy", 'valid values: "OnFailure", "Never"'
                )
            )
        return errors


STRATEGIES: dict[str, Strategy] = {"batch/jobs": JobStrategy(), "batch/cronjobs": CronJobStrategy()}
