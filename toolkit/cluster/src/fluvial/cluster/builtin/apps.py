"""Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision, ReplicationController."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.podspec import default_template
from fluvial.cluster.builtin.podvalidation import template_errors
from fluvial.cluster.builtin.storage import default_claim
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.workloads import selector_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

ALWAYS = ("Always",)
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class WorkloadStrategy(Strategy):
    """Rules that all of them share; `initial` is the status of a new object."""

    label = "deployment"
    initial: dict[str, Any] = {}  # noqa: RUF012 - a constant of each subclass, never changed

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = dict(self.initial)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check replicas, selector and template."""
        spec = obj["spec"]
        errors: list[Cause] = []
        replicas = spec.get("replicas")
        if isinstance(replicas, int) and replicas < 0:
            text = "must be greater than or equal to 0"
            errors.append(fielderrors.invalid("spec.replicas", replicas, text))
        errors += selector_errors(spec, self.label)
        errors += template_errors(spec.get("template") or {}, "spec.template", restart=ALWAYS)
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another selector."""
        selector = obj["spec"].get("selector")
        if selector != old["spec"].get("selector"):
            return [fielderrors.immutable("spec.selector", selector)]
        return []


class DeploymentStrategy(WorkloadStrategy):
    """Rules of Deployment."""

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
        """Check the strategy besides."""
        errors = super().validate(obj, context)
        strategy = obj["spec"].get("strategy") or {}
        if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate") is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            errors.append(fielderrors.forbidden("spec.strategy.rollingUpdate", text))
        elif strategy.get("type") not in ("Recreate", "RollingUpdate"):
            errors.append(
                fielderrors.not_supported(
                    "spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate")
                )
            )
        return errors


class ReplicaSetStrategy(WorkloadStrategy):
    """Rules of ReplicaSet."""

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

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Give the template its first number."""
        super().prepare_create(obj, context)
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"

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
        template = spec.setdefault("template", {})
        default_template(template)
        labels = (template.get("metadata") or {}).get("labels") or {}
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)
        obj.setdefault("status", {}).setdefault("replicas", 0)

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {"replicas": 0}


class RevisionStrategy(Strategy):
    """Rules of ControllerRevision."""

    generation = False


STRATEGIES: dict[str, Strategy] = {
    "apps/deployments": DeploymentStrategy(),
    "apps/replicasets": ReplicaSetStrategy(),
    "apps/statefulsets": StatefulSetStrategy(),
    "apps/daemonsets": DaemonSetStrategy(),
    "apps/controllerrevisions": RevisionStrategy(),
    "/replicationcontrollers": ReplicationControllerStrategy(),
}
