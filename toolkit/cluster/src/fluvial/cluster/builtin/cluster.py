"""Namespace, Node, Lease and the small cluster-wide kinds."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.nodes import node_errors, node_update_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_SHORTEST = 600
_SYSTEM, _HIGHEST = "system-", 1_000_000_000
_SYSTEM_CLASSES = ("system-cluster-critical", "system-node-critical")
NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(Strategy):
    """Rules of Namespace."""

    generation = False
    returns_deleted = True
    collection_policy = "background"
    field_labels = ("status.phase", "name")
    name_errors = staticmethod(dns_label_errors)

    def default(self, obj: Object) -> None:
        """Make the name a label and the phase Active."""
        meta = obj["metadata"]
        if meta.get("name"):
            labels = meta.get("labels") or {}
            meta["labels"] = {**labels, NAME_LABEL: meta["name"]}
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("phase", "Active")

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Active, with the finalizer that holds it until its contents are gone."""
        obj["status"] = {"phase": "Active"}
        spec = obj.setdefault("spec", {})
        finalizers = list(spec.get("finalizers") or [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")
        spec["finalizers"] = finalizers

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """spec.finalizers change through /finalize only."""
        obj.setdefault("spec", {})
        if old["spec"].get("finalizers"):
            obj["spec"]["finalizers"] = old["spec"]["finalizers"]
        else:
            obj["spec"].pop("finalizers", None)

    def validate_status(self, obj: Object, old: Object) -> list[Cause]:
        """Hold the phase to the deletion."""
        phase = (obj.get("status") or {}).get("phase", "")
        terminating = bool(obj["metadata"].get("deletionTimestamp"))
        if terminating and phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            return [fielderrors.invalid("status.Phase", phase, text)]
        if not terminating and phase != "Active":
            text = "may only be 'Active' if `deletionTimestamp` is empty"
            return [fielderrors.invalid("status.Phase", phase, text)]
        return []

    def field_value(self, obj: Object, label: str) -> str:
        """`name` is the old spelling of metadata.name."""
        return super().field_value(obj, "metadata.name" if label == "name" else label)


class NodeStrategy(Strategy):
    """Rules of Node."""

    generation = False
    field_labels = ("spec.unschedulable",)

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        status = obj.setdefault("status", {})
        status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
        blank = dict.fromkeys(
            ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage",
             "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion",
             "operatingSystem", "architecture"),
            "",
        )  # fmt: skip
        status["nodeInfo"] = {**blank, **(status.get("nodeInfo") or {})}

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Keep the status that a node brings."""

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check taints and pod networks."""
        return node_errors(obj["spec"])

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse other pod networks and another provider once they are known."""
        return node_update_errors(obj["spec"], old["spec"])

    def field_value(self, obj: Object, label: str) -> str:
        """Read a selectable field."""
        if label == "spec.unschedulable":
            return str(bool(obj["spec"].get("unschedulable"))).lower()
        return super().field_value(obj, label)


class LeaseStrategy(Strategy):
    """Rules of Lease."""

    generation = False
    create_on_update = True
    needs_version = True

    def default(self, obj: Object) -> None:
        """Write the spec even when it is empty."""
        obj.setdefault("spec", {})

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the numbers."""
        spec, errors = obj.get("spec") or {}, []
        seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if isinstance(seconds, int) and seconds <= 0:
            text = "must be greater than 0"
            errors.append(fielderrors.invalid("spec.leaseDurationSeconds", seconds, text))
        if isinstance(transitions, int) and transitions < 0:
            text = "must be greater than or equal to 0"
            errors.append(fielderrors.invalid("spec.leaseTransitions", transitions, text))
        return errors


class PlainStrategy(Strategy):
    """Rules of kinds that only keep what they are given."""

    generation = False


class PriorityClassStrategy(PlainStrategy):
    """Rules of PriorityClass."""

    def default(self, obj: Object) -> None:
        """Default the preemption policy."""
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Keep the highest numbers and the system's names for the system."""
        errors: list[Cause] = []
        name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
        if name.startswith(_SYSTEM) and name not in _SYSTEM_CLASSES:
            text = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            errors.append(fielderrors.forbidden("metadata.name", text))
        elif not name.startswith(_SYSTEM) and value > _HIGHEST:
            text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
            errors.append(fielderrors.forbidden("value", text))
        policy, kinds = obj.get("preemptionPolicy"), ("Never", "PreemptLowerPriority")
        if policy not in kinds:
            errors.append(fielderrors.not_supported("preemptionPolicy", policy, kinds))
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another number or policy."""
        errors: list[Cause] = []
        if obj.get("value", 0) != old.get("value", 0):
            errors.append(fielderrors.forbidden("value", "may not be changed in an update."))
        policy = obj.get("preemptionPolicy")
        if policy != old.get("preemptionPolicy"):
            errors.append(fielderrors.immutable("preemptionPolicy", policy))
        return errors


class RequestStrategy(PlainStrategy):
    """Rules of CertificateSigningRequest."""

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; note who asks."""
        obj["status"] = {}
        for key in ("username", "uid", "groups", "extra"):
            obj["spec"].pop(key, None)
        obj["spec"].update(context.user)

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Nothing of a request may change."""
        obj["spec"] = old["spec"]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Demand a request, a signer and usages."""
        spec = obj["spec"]
        errors = [
            fielderrors.required(f"spec.{key}")
            for key in ("request", "usages", "signerName")
            if not spec.get(key)
        ]
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < _SHORTEST:
            text = f"may not specify a duration less than {_SHORTEST} seconds (10 minutes)"
            errors.append(fielderrors.invalid("spec.expirationSeconds", seconds, text))
        return errors


class ApiServiceStrategy(PlainStrategy):
    """Rules of APIService."""

    status_keeps = ("labels", "annotations", "finalizers", "ownerReferences")

    def default(self, obj: Object) -> None:
        """Default the port; both parts are always written."""
        service = obj.setdefault("spec", {}).get("service")
        if isinstance(service, dict):
            service.setdefault("port", 443)
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Hold the name to version and group, and the priorities to their ranges."""
        spec, errors = obj["spec"], []
        wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
        if obj["metadata"].get("name") != wanted:
            text = f'must be `spec.version+"."+spec.group`: "{wanted}"'
            errors.append(fielderrors.invalid("metadata.name", obj["metadata"].get("name"), text))
        for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
            value = spec.get(key, 0)
            if not 0 < value <= most:
                text = f"must be positive and less than {most}"
                errors.append(fielderrors.invalid(f"spec.{key}", value, text))
        return errors


STRATEGIES: dict[str, Strategy] = {
    "/namespaces": NamespaceStrategy(),
    "/nodes": NodeStrategy(),
    "coordination.k8s.io/leases": LeaseStrategy(),
    "scheduling.k8s.io/priorityclasses": PriorityClassStrategy(),
    "node.k8s.io/runtimeclasses": PlainStrategy(),
    "apiregistration.k8s.io/apiservices": ApiServiceStrategy(),
    "certificates.k8s.io/certificatesigningrequests": RequestStrategy(),
}
