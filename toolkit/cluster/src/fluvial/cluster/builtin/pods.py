"""Pod and PodTemplate."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.podparts import ephemeral_errors, narrowed_pod
from fluvial.cluster.builtin.podspec import default_pod_spec, default_template
from fluvial.cluster.builtin.podvalidation import pod_spec_errors, template_errors
from fluvial.cluster.builtin.podwarnings import name_warnings, pod_warnings
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES", "PodStrategy", "quality_of_service"]

_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def quality_of_service(spec: Object) -> str:
    """Return the QoS class of a pod spec: Guaranteed, Burstable or BestEffort."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    any_set, guaranteed = False, bool(containers)
    for container in containers:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        any_set = any_set or any(name in ("cpu", "memory") for name in {*limits, *requests})
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                guaranteed = False
    if not any_set:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


class PodStrategy(Strategy):
    """Rules of Pod."""

    returns_deleted = True
    status_keeps = ("ownerReferences",)
    field_labels = (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs",
        "status.nominatedNodeName",
    )  # fmt: skip

    def default(self, obj: Object) -> None:
        """Default the spec."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("enableServiceLinks", True)
        default_pod_spec(spec)
        for key in ("containers", "initContainers"):
            for container in spec.get(key) or []:
                resources = container["resources"]
                if resources.get("limits"):
                    resources["requests"] = {
                        **resources["limits"], **(resources.get("requests") or {}),
                    }  # fmt: skip

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; add what admission adds to every pod."""
        spec = obj["spec"]
        obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}
        tolerations = spec.get("tolerations") or []
        for key in _TOLERATED:
            if not any(
                item.get("key") in (key, None, "") and item.get("effect") in ("NoExecute", None, "")
                for item in tolerations
            ):
                tolerations = [
                    *tolerations,
                    {"key": key, "operator": "Exists", "effect": "NoExecute",
                     "tolerationSeconds": 300},
                ]  # fmt: skip
        spec["tolerations"] = tolerations
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the spec."""
        return pod_spec_errors(obj["spec"], "spec")

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the name and of what the pod says."""
        meta = obj["metadata"]
        warnings = name_warnings(meta.get("name", ""), "the Pod's hostname") if old is None else []
        if old is None or obj["spec"] != old["spec"]:
            warnings += pod_warnings(meta, obj["spec"])
        return warnings

    def narrowed(self, obj: Object, old: Object, subresource: str) -> Object:
        """Let only ephemeral containers, or only resources, change."""
        return narrowed_pod(obj, old, subresource)

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse changes of anything but images, deadlines, tolerations and grace."""
        if context.subresource == "ephemeralcontainers":
            return ephemeral_errors(obj["spec"], old["spec"])
        if context.subresource == "resize":
            return []  # nothing else can have changed
        if _fixed(obj["spec"]) == _fixed(old["spec"]):
            return []
        text = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
            "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
            "be set to 1 if it was previously negative)"
        )
        return [fielderrors.forbidden("spec", text)]

    def grace(self, obj: Object, asked: int | None) -> int:
        """Give bound, unfinished pods their termination grace period."""
        spec, status = obj["spec"], obj.get("status") or {}
        period = asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30)
        if period < 0:
            period = 1
        if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
            return 0
        return int(period)

    def field_value(self, obj: Object, label: str) -> str:
        """Read a selectable field; booleans and absent ones as upstream prints them."""
        if label == "spec.hostNetwork":
            return str(bool(obj["spec"].get("hostNetwork"))).lower()
        return super().field_value(obj, label)


def _fixed(spec: Object) -> Object:
    kept = {
        key: value
        for key, value in spec.items()
        if key not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    }
    for key in ("containers", "initContainers"):
        if key in kept:
            kept[key] = [{**item, "image": ""} for item in kept[key]]
    return kept


class PodTemplateStrategy(Strategy):
    """Rules of PodTemplate."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default the template."""
        default_template(obj.setdefault("template", {}))

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the template."""
        restart = ("Always", "OnFailure", "Never")
        return template_errors(obj["template"], "template", restart=restart)


STRATEGIES: dict[str, Strategy] = {
    "/pods": PodStrategy(),
    "/podtemplates": PodTemplateStrategy(),
}
