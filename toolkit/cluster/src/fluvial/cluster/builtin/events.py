"""Event, in `v1` and `events.k8s.io/v1`."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause, StatusError, bad_request
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["STRATEGIES"]


class EventStrategy(Strategy):
    """Rules of core events."""

    generation = False
    status = False
    create_on_update = True
    collection_policy = ""
    target = "involvedObject"
    source = "source"
    field_labels: tuple[str, ...] = (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
        "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
        "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    )  # fmt: skip

    def default(self, obj: Object) -> None:
        """Write what Go always writes."""
        obj.setdefault("involvedObject", {})
        obj.setdefault("source", {})
        for key in ("firstTimestamp", "lastTimestamp", "eventTime"):
            obj.setdefault(key, None)
        obj.setdefault("reportingComponent", "")
        obj.setdefault("reportingInstance", "")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Demand that the object lives where the event does."""
        namespace = (obj.get(self.target) or {}).get("namespace") or ""
        if namespace and namespace != obj["metadata"]["namespace"]:
            text = "does not match event.namespace"
            return [fielderrors.invalid(f"{self.target}.namespace", namespace, text)]
        return []

    def field_value(self, obj: Object, label: str) -> str:
        """`source` is the component."""
        if label == "source":
            source = str((obj.get("source") or {}).get("component") or "")
            return source or str(obj.get("reportingComponent") or "")
        return super().field_value(obj, label)


class NewEventStrategy(EventStrategy):
    """Rules of events.k8s.io."""

    target = "regarding"
    field_labels = ("regarding.kind", "regarding.namespace", "regarding.name", "reason", "type")

    def default(self, obj: Object) -> None:
        """Write what Go always writes."""
        obj.setdefault("regarding", {})
        obj.setdefault("deprecatedSource", {})
        for key in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"):
            obj.setdefault(key, None)

    def unknown_field_label(self, resource: Resource, label: str) -> StatusError:
        """Return the 400."""
        return bad_request(f"field label not supported: {label}")


STRATEGIES: dict[str, Strategy] = {
    "/events": EventStrategy(),
    "events.k8s.io/events": NewEventStrategy(),
}
