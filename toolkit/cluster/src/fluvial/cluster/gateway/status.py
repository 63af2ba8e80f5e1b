"""The statuses of GatewayClass, Gateway and HTTPRoute."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from fluvial.cluster.gateway.attachment import GROUP
from fluvial.cluster.gateway.listeners import Verdict
from fluvial.cluster.gateway.plan import Parent
from fluvial.cluster.objects import Object
from fluvial.cluster.standins.conditions import put
from fluvial.cluster.standins.metadata import generation_of

__all__ = ["CONTROLLER", "Serving", "class_status", "gateway_status", "route_status"]

CONTROLLER = "fluvial.dev/gateway"
"""The `controllerName` of the classes that are served, and of entries in a route's status."""


@dataclasses.dataclass(frozen=True, slots=True)
class Serving:
    """How a Gateway fares.

    `address` is empty when none was got; `problems` says, by port, why one does not serve;
    `refusal` why the whole Gateway is not accepted, as (reason, message).
    """

    address: str
    problems: Mapping[int, str]
    refusal: tuple[str, str] | None = None


class _Conditions:
    """Collects the conditions of one list over the old ones."""

    def __init__(self, old: Sequence[Object], obj: Object, now: dt.datetime) -> None:
        self.made: list[Object] = []
        self._old = list(old)
        self._generation = generation_of(obj)
        self._now = now

    def add(self, type: str, good: bool, reason: str, message: str) -> None:
        status = "True" if good else "False"
        extra = {"observedGeneration": self._generation}
        kept = [each for each in self._old if each["type"] == type]
        self.made += put(kept, type, status, reason, message, now=self._now, **extra)


def class_status(found: Object, now: dt.datetime) -> Object:
    """Return the status of a GatewayClass that is served here."""
    made = _Conditions((found.get("status") or {}).get("conditions") or [], found, now)
    if found["spec"].get("parametersRef"):
        text = "spec.parametersRef is not supported"
        made.add("Accepted", good=False, reason="InvalidParameters", message=text)
    else:
        made.add("Accepted", good=True, reason="Accepted", message="The class is served by Envoy")
    return {"conditions": made.made}


def gateway_status(
    gateway: Object,
    verdicts: Mapping[str, Verdict],
    attached: Mapping[str, int],
    serving: Serving,
    now: dt.datetime,
) -> Object:
    """Return the status of a Gateway; `verdicts` and `attached` are by listener name."""
    old: Object = gateway.get("status") or {}
    made = _Conditions(old.get("conditions") or [], gateway, now)
    refused = [name for name, verdict in verdicts.items() if verdict.reason]
    if serving.refusal is not None:
        made.add("Accepted", good=False, reason=serving.refusal[0], message=serving.refusal[1])
    elif len(refused) == len(verdicts):
        text = "no listener can be served"
        made.add("Accepted", good=False, reason="ListenersNotValid", message=text)
    else:
        reason = "ListenersNotValid" if refused else "Accepted"
        text = f"not served: {', '.join(refused)}" if refused else "All listeners are valid"
        made.add("Accepted", good=True, reason=reason, message=text)
    if not serving.address:
        text = "no loopback address could be bound for this Gateway"
        made.add("Programmed", good=False, reason="AddressNotUsable", message=text)
    elif serving.problems or len(refused) == len(verdicts):
        text = "; ".join(serving.problems.values()) or "no listener can be served"
        made.add("Programmed", good=False, reason="Invalid", message=text)
    else:
        text = f"Envoy serves it at {serving.address}"
        made.add("Programmed", good=True, reason="Programmed", message=text)
    before = {each["name"]: each for each in old.get("listeners") or []}
    listeners = [
        {
            "name": each["name"],
            "attachedRoutes": attached.get(each["name"], 0),
            "supportedKinds": [{"group": GROUP, "kind": "HTTPRoute"}],
            "conditions": _listener(
                _Conditions((before.get(each["name"]) or {}).get("conditions") or [], gateway, now),
                verdicts.get(each["name"], Verdict()),
                serving.problems.get(each["port"], ""),
                serving,
            ),
        }
        for each in gateway["spec"]["listeners"]
    ]
    addresses = [{"type": "IPAddress", "value": serving.address}] if serving.address else []
    return {"addresses": addresses, "conditions": made.made, "listeners": listeners}


def _listener(made: _Conditions, verdict: Verdict, problem: str, serving: Serving) -> list[Object]:
    conflict = verdict.reason == "HostnameConflict"
    good = not verdict.reason
    text = verdict.message or "The listener is valid"
    made.add("Accepted", good=good, reason=verdict.reason or "Accepted", message=text)
    if conflict:
        made.add("Conflicted", good=True, reason=verdict.reason, message=text)
    else:
        text = "No other listener is in its way"
        made.add("Conflicted", good=False, reason="NoConflicts", message=text)
    works = good and not problem and bool(serving.address)
    text = problem or verdict.message or ("" if serving.address else "there is no address")
    made.add(
        "Programmed",
        good=works,
        reason="Programmed" if works else "Invalid",
        message=text or "Envoy serves it",
    )
    made.add("ResolvedRefs", good=True, reason="ResolvedRefs", message="It refers to nothing")
    return made.made


def route_status(route: Object, parents: Sequence[Parent], now: dt.datetime) -> Object:
    """Return the status of an HTTPRoute; the entries of other controllers stay."""
    old: list[Object] = (route.get("status") or {}).get("parents") or []
    kept = [each for each in old if each["controllerName"] != CONTROLLER]
    ours = []
    for parent in parents:
        before = [
            each
            for each in old
            if each["parentRef"] == parent.ref and each["controllerName"] == CONTROLLER
        ]
        made = _Conditions(before[0]["conditions"] if before else [], route, now)
        attachment = parent.attachment
        good = attachment.reason == "Accepted"
        made.add("Accepted", good=good, reason=attachment.reason, message=attachment.message)
        if parent.problems:
            text = "; ".join(dict.fromkeys(str(each) for each in parent.problems))
            reason = parent.problems[0].reason
            made.add("ResolvedRefs", good=False, reason=reason, message=text)
        else:
            text = "All references are resolved"
            made.add("ResolvedRefs", good=True, reason="ResolvedRefs", message=text)
        entry = {"parentRef": parent.ref, "controllerName": CONTROLLER, "conditions": made.made}
        ours.append(entry)
    return {"parents": [*kept, *ours]}
