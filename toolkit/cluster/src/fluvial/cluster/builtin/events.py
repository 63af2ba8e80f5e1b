"""Event, in `v1` and `events.k8s.io/v1`."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause, StatusError, bad_request
from fluvial.cluster.names import label_key_errors
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["STRATEGIES"]

_SHORT, _LONG = 128, 1024
_OLD = {
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
}
"""Fields of the older form, as errors name them, and as `events.k8s.io` does."""


class EventStrategy(Strategy):
    """Rules of core events."""

    generation = False
    status = False
    create_on_update = True
    collection_policy = ""
    target = "involvedObject"
    controller = "reportingComponent"
    message = "message"
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
        """Demand that the object lives where the event does; events of a time say more."""
        meta = obj["metadata"]
        errors: list[Cause] = []
        namespace, own = (obj.get(self.target) or {}).get("namespace") or "", meta["namespace"]
        if namespace != own and (namespace or own != "default"):
            text = "does not match event.namespace"
            errors.append(fielderrors.invalid("involvedObject.namespace", namespace, text))
        if obj.get("eventTime"):
            errors += self._reporter_errors(obj)
        return errors

    def _reporter_errors(self, obj: Object) -> list[Cause]:
        errors: list[Cause] = []
        name = obj.get(self.controller) or ""
        if not name:
            errors.append(fielderrors.required(self.controller))
        errors += [fielderrors.invalid(self.controller, name, t) for t in label_key_errors(name)]
        for key in ("reportingInstance", "action", "reason"):
            value = obj.get(key) or ""
            if not value:
                errors.append(fielderrors.required(key))
            if len(value) > _SHORT:
                text = f"can have at most {_SHORT} characters"
                errors.append(fielderrors.invalid(key, "", text))
        if len(obj.get(self.message) or "") > _LONG:
            text = f"can have at most {_LONG} characters"
            errors.append(fielderrors.invalid("message", "", text))
        return errors

    def field_value(self, obj: Object, label: str) -> str:
        """`source` is the component."""
        if label == "source":
            source = str((obj.get("source") or {}).get("component") or "")
            return source or str(obj.get("reportingComponent") or "")
        return super().field_value(obj, label)


class NewEventStrategy(EventStrategy):
    """Rules of events.k8s.io."""

    target = "regarding"
    controller = "reportingController"
    message = "note"
    field_labels = ("regarding.kind", "regarding.namespace", "regarding.name", "reason", "type")

    def default(self, obj: Object) -> None:
        """Write what Go always writes."""
        obj.setdefault("regarding", {})
        obj.setdefault("deprecatedSource", {})
        for key in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"):
            obj.setdefault(key, None)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Demand time and type; refuse the fields of the older form."""
        errors = super().validate(obj, context)
        if not obj.get("eventTime"):
            errors.append(fielderrors.required("eventTime"))
        kind = obj.get("type") or ""
        if kind not in ("Normal", "Warning"):
            errors.append(fielderrors.invalid("type", "", f"has invalid value: {kind}"))
        return errors + [
            fielderrors.invalid(old, "", "needs to be unset")
            for old, new in _OLD.items()
            if obj.get(new)
        ]

    def unknown_field_label(self, resource: Resource, label: str) -> StatusError:
        """Return the 400."""
        return bad_request(f"field label not supported: {label}")


STRATEGIES: dict[str, Strategy] = {
    "/events": EventStrategy(),
    "events.k8s.io/events": NewEventStrategy(),
}
