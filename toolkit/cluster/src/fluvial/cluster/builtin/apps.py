"""Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision, ReplicationController."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import is_empty, label_selector_errors, matches
from fluvial.cluster.builtin.numbers import (
    amount_errors,
    at_most_all_errors,
    nonnegative_errors,
    percent_of,
)
from fluvial.cluster.builtin.podspec import default_template
from fluvial.cluster.builtin.podvalidation import template_errors
from fluvial.cluster.builtin.podwarnings import name_warnings, pod_warnings
from fluvial.cluster.builtin.storage import default_claim
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.workloads import count_errors, mismatch_errors, selector_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

ALWAYS = ("Always",)
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class WorkloadStrategy(Strategy):
    """Rules that all of them share; `initial` is the status of a new object."""

    label = "deployment"
    owner = "ReplicaSet"
    initial: dict[str, Any] = {}  # noqa: RUF012 - a constant of each subclass, never changed
    counts: tuple[str, ...] = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    pods_named = ""

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = dict(self.initial)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check replicas, selector and template."""
        spec = obj["spec"]
        errors = nonnegative_errors(spec, "spec", "replicas", "minReadySeconds")
        errors += selector_errors(spec, self.label)
        return errors + self._template_errors(spec)

    def _template_errors(self, spec: Object) -> list[Cause]:
        template = spec.get("template") or {}
        errors = mismatch_errors(spec)
        return errors + template_errors(template, "spec.template", restart=ALWAYS, owner=self.owner)

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another selector."""
        selector = obj["spec"].get("selector")
        if selector != old["spec"].get("selector"):
            return [fielderrors.immutable("spec.selector", selector)]
        return []

    def validate_status(self, obj: Object, old: Object) -> list[Cause]:
        """Hold the counts to the number of replicas."""
        return count_errors(obj.get("status") or {}, self.counts)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the name (pods are named so) and of what the template says."""
        warnings: list[str] = []
        if old is None and self.pods_named:
            warnings += name_warnings(obj["metadata"].get("name", ""), self.pods_named)
        if old is None or obj["spec"] != old["spec"]:
            template = obj["spec"].get("template") or {}
            meta, spec = template.get("metadata") or {}, template.get("spec") or {}
            warnings += pod_warnings(meta, spec, "spec.template")
        return warnings


class DeploymentStrategy(WorkloadStrategy):
    """Rules of Deployment."""

    counts = ("updatedReplicas", "readyReplicas", "availableReplicas")
    pods_named = "Pod names and hostnames"
    status_keeps = ("labels",)

    def default(self, obj: Object) -> None:
        """Default replicas, strategy, history and deadline."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec.setdefault("template", {}))
        strategy = spec.setdefault("strategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        obj.setdefault("status", {})

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the strategy, history and deadline besides."""
        spec = obj["spec"]
        errors = nonnegative_errors(spec, "spec", "replicas")
        errors += selector_errors(spec, self.label)
        errors += self._template_errors(spec)
        errors += _strategy_errors(spec.get("strategy") or {}, "spec.strategy")
        errors += nonnegative_errors(
            spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
        )
        deadline = spec.get("progressDeadlineSeconds")
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            text = "must be greater than minReadySeconds"
            errors.append(fielderrors.invalid("spec.progressDeadlineSeconds", deadline, text))
        return errors

    def validate_status(self, obj: Object, old: Object) -> list[Cause]:
        """Hold available pods to the ready ones besides."""
        status = obj.get("status") or {}
        errors = count_errors(status, self.counts, "unavailableReplicas", "collisionCount")
        available = status.get("availableReplicas", 0)
        if available > status.get("readyReplicas", 0):
            text = "cannot be greater than readyReplicas"
            errors.append(fielderrors.invalid("status.availableReplicas", available, text))
        return errors


def _strategy_errors(strategy: Object, path: str) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is None:
            return []
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [fielderrors.forbidden(f"{path}.rollingUpdate", text)]
    if kind != "RollingUpdate":
        kinds = ("Recreate", "RollingUpdate")
        return [fielderrors.not_supported(f"{path}.type", kind, kinds)]
    rolling = rolling or {}
    gone, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = amount_errors(gone, f"{path}.rollingUpdate.maxUnavailable")
    errors += amount_errors(more, f"{path}.rollingUpdate.maxSurge")
    if _is_zero(gone) and _is_zero(more):
        text = "may not be 0 when `maxSurge` is 0"
        errors.append(fielderrors.invalid(f"{path}.rollingUpdate.maxUnavailable", gone, text))
    return errors + at_most_all_errors(gone, f"{path}.rollingUpdate.maxUnavailable")


def _is_zero(value: object) -> bool:
    return value == 0 or percent_of(value) == 0


class ReplicaSetStrategy(WorkloadStrategy):
    """Rules of ReplicaSet."""

    pods_named = "Pod names and hostnames"

    label = "replicaset"
    initial = {"replicas": 0}  # noqa: RUF012 - a constant
    field_labels = ("status.replicas",)

    def default(self, obj: Object) -> None:
        """Default replicas and template."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec.setdefault("template", {}))
        obj.setdefault("status", {}).setdefault("replicas", 0)


class StatefulSetStrategy(WorkloadStrategy):
    """Rules of StatefulSet."""

    owner = "StatefulSet"
    counts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    name_errors = staticmethod(dns_label_errors)

    label = "statefulset"
    initial = {"replicas": 0, "availableReplicas": 0}  # noqa: RUF012 - a constant

    def default(self, obj: Object) -> None:
        """Default replicas, policies, update strategy and claims."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podManagementPolicy", "OrderedReady")
        update = spec.setdefault("updateStrategy", {})
        update.setdefault("type", "RollingUpdate")
        if update["type"] == "RollingUpdate":
            update.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        retention.setdefault("whenDeleted", "Retain")
        retention.setdefault("whenScaled", "Retain")
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        default_template(spec.setdefault("template", {}))
        for claim in spec.get("volumeClaimTemplates") or []:
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("apiVersion", "v1")
            default_claim(claim)
        status = obj.setdefault("status", {})
        status.setdefault("replicas", 0)
        status.setdefault("availableReplicas", 0)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check policies and ordinals besides."""
        spec = obj["spec"]
        errors: list[Cause] = []
        policy = spec.get("podManagementPolicy")
        if policy not in ("OrderedReady", "Parallel"):
            text = "must be 'OrderedReady' or 'Parallel'"
            errors.append(fielderrors.invalid("spec.podManagementPolicy", policy, text))
        errors += self._update_errors(spec.get("updateStrategy") or {})
        retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        for name in ("whenDeleted", "whenScaled"):
            if retention.get(name) not in ("Delete", "Retain"):
                where = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
                kinds = ("Retain", "Delete")
                errors.append(fielderrors.not_supported(where, retention.get(name), kinds))
        errors += nonnegative_errors(spec, "spec", "replicas", "minReadySeconds")
        errors += nonnegative_errors(spec.get("ordinals") or {}, "spec.ordinals", "start")
        errors += nonnegative_errors(spec, "spec", "revisionHistoryLimit")
        errors += selector_errors(spec, self.label)
        return errors + self._template_errors(spec)

    @staticmethod
    def _update_errors(update: Object) -> list[Cause]:
        path, kind, rolling = "spec.updateStrategy", update.get("type"), update.get("rollingUpdate")
        if kind == "OnDelete":
            if rolling is None:
                return []
            text = "only allowed for updateStrategy 'RollingUpdate'"
            shown = {"Partition": rolling.get("partition", 0), "MaxUnavailable": None}
            return [fielderrors.invalid(f"{path}.rollingUpdate", shown, text)]
        if kind != "RollingUpdate":
            text = "must be 'RollingUpdate' or 'OnDelete'"
            shown = {"Type": kind, "RollingUpdate": None}
            return [fielderrors.invalid(path, shown, text)]
        return nonnegative_errors(rolling or {}, f"{path}.rollingUpdate", "partition")

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Only some fields may change."""
        mutable = (
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
        )  # fmt: skip
        new_fixed = {k: v for k, v in obj["spec"].items() if k not in mutable}
        old_fixed = {k: v for k, v in old["spec"].items() if k not in mutable}
        if new_fixed == old_fixed:
            return []
        text = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
            "'template', 'updateStrategy', 'revisionHistoryLimit', "
            "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        return [fielderrors.forbidden("spec", text)]


class DaemonSetStrategy(WorkloadStrategy):
    """Rules of DaemonSet."""

    label = "daemonset"
    owner = "DaemonSet"
    initial = {  # noqa: RUF012 - a constant
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }

    def default(self, obj: Object) -> None:
        """Default the update strategy, history and template."""
        spec = obj.setdefault("spec", {})
        default_template(spec.setdefault("template", {}))
        update = spec.setdefault("updateStrategy", {})
        update.setdefault("type", "RollingUpdate")
        if update["type"] == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        spec.setdefault("revisionHistoryLimit", 10)
        status = obj.setdefault("status", {})
        for key, value in self.initial.items():
            status.setdefault(key, value)
        # A field of the server's own form, which v1 shows as an annotation: 1 unless counted.
        obj["metadata"].setdefault("annotations", {}).setdefault(TEMPLATE_GENERATION, "1")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the update strategy besides."""
        spec = obj["spec"]
        errors = label_selector_errors(spec.get("selector"), "spec.selector")
        errors += mismatch_errors(spec) if spec.get("selector") else []
        if is_empty(spec.get("selector") or {}):
            text = "empty selector is invalid for daemonset"
            errors.append(fielderrors.invalid("spec.selector", spec.get("selector"), text))
        template = spec.get("template") or {}
        errors += template_errors(template, "spec.template", restart=ALWAYS, owner=self.owner)
        errors += nonnegative_errors(spec, "spec", "minReadySeconds")
        errors += self._update_errors(spec.get("updateStrategy") or {})
        return errors + nonnegative_errors(spec, "spec", "revisionHistoryLimit")

    @staticmethod
    def _update_errors(update: Object) -> list[Cause]:
        path, kinds = "spec.updateStrategy", ("RollingUpdate", "OnDelete")
        if update.get("type") not in kinds:
            return [fielderrors.not_supported(f"{path}.type", update.get("type"), kinds)]
        if update["type"] == "OnDelete":
            return []
        rolling = update.get("rollingUpdate") or {}
        gone, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        errors = amount_errors(gone, f"{path}.rollingUpdate.maxUnavailable")
        errors += at_most_all_errors(gone, f"{path}.rollingUpdate.maxUnavailable")
        errors += amount_errors(more, f"{path}.rollingUpdate.maxSurge")
        errors += at_most_all_errors(more, f"{path}.rollingUpdate.maxSurge")
        if not _is_zero(gone) and not _is_zero(more):
            text = "may not be set when maxUnavailable is non-zero"
            errors.append(fielderrors.invalid(f"{path}.rollingUpdate.maxSurge", more, text))
        elif _is_zero(gone) and _is_zero(more):
            text = "cannot be 0 when maxSurge is 0"
            where = f"{path}.rollingUpdate.maxUnavailable"
            errors.append(fielderrors.required(where, text))
        return errors

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Give a changed template its next number."""
        before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        number = int(before) + (obj["spec"].get("template") != old["spec"].get("template"))
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(number)


class ReplicationControllerStrategy(Strategy):
    """Rules of ReplicationController."""

    collection_policy = "orphan"

    def default(self, obj: Object) -> None:
        """Default replicas, template and the selector from its labels."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        template = spec.get("template") or {}
        if template:
            default_template(template)
        labels = (template.get("metadata") or {}).get("labels") or {}
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)
        obj.setdefault("status", {}).setdefault("replicas", 0)

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {"replicas": 0}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the selector against the template."""
        spec = obj["spec"]
        errors = nonnegative_errors(spec, "spec", "minReadySeconds")
        selector = spec.get("selector") or {}
        if not selector:
            errors.append(fielderrors.required("spec.selector"))
        errors += nonnegative_errors(spec, "spec", "replicas")
        if not spec.get("template"):
            return [*errors, fielderrors.required("spec.template")]
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if selector and not matches({"matchLabels": selector}, labels or {}):
            text = "`selector` does not match template `labels`"
            where = "spec.template.metadata.labels"
            errors.append(fielderrors.invalid(where, labels, text))
        return errors + template_errors(
            spec["template"], "spec.template", restart=ALWAYS, owner="ReplicationController"
        )


class RevisionStrategy(Strategy):
    """Rules of ControllerRevision."""

    generation = False

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Demand data and a number."""
        missing = obj.get("data") is None
        errors = [fielderrors.required("data", "data is mandatory")] if missing else []
        return errors + nonnegative_errors(obj, "", "revision")

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse other data."""
        if obj.get("data") == old.get("data"):
            return []
        return [fielderrors.immutable("data", obj.get("data"))]


STRATEGIES: dict[str, Strategy] = {
    "apps/deployments": DeploymentStrategy(),
    "apps/replicasets": ReplicaSetStrategy(),
    "apps/statefulsets": StatefulSetStrategy(),
    "apps/daemonsets": DaemonSetStrategy(),
    "apps/controllerrevisions": RevisionStrategy(),
    "/replicationcontrollers": ReplicationControllerStrategy(),
}
