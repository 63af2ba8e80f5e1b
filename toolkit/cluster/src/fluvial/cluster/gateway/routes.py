"""One HTTPRoute as Envoy's routes: a pure function of the route and of what its backends are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fluvial.cluster.gateway.errors import UnresolvedError, UnsupportedError
from fluvial.cluster.gateway.filters import header_fields, mirrors, rewrite
from fluvial.cluster.gateway.matches import envoy_match, precedence
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.metadata import created_at
from fluvial.cluster.standins.timer import parse_duration

__all__ = ["Compiled", "Entry", "compile_route"]

_TIMEOUT = 15.0
_PER_BACKEND = ("RequestHeaderModifier", "ResponseHeaderModifier")
_MILLION = 1_000_000
# Only what never reached the backend is tried again: an endpoint that has just ended.
_RETRY = {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Envoy's routes for one match; `order` sorts the entries of all routes of a host."""

    order: tuple[Any, ...]
    routes: tuple[Object, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Compiled:
    """What a route has become; `problems` are its backends that cannot be used."""

    entries: tuple[Entry, ...]
    problems: tuple[UnresolvedError, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Split:
    """How a rule's requests are shared out; `failing` is the weight of unusable backends."""

    clusters: list[Object]
    failing: int

    @property
    def total(self) -> int:
        served: int = sum(each["weight"] for each in self.clusters)
        return self.failing + served


def compile_route(route: Object, cluster: Callable[[Object], str]) -> Compiled:
    """Return a route's entries; `cluster` names the cluster of a backendRef.

    `cluster` raises `UnresolvedError`, which is collected. Raises `UnsupportedError` for what
    cannot be done; then nothing of the route may be programmed.
    """
    entries: list[Entry] = []
    problems: list[UnresolvedError] = []
    for number, rule in enumerate(route["spec"].get("rules") or [{}]):
        field = f"spec.rules[{number}]"
        for member in ("retry", "sessionPersistence"):
            if rule.get(member) is not None:
                raise UnsupportedError(f"{field}.{member} is not supported")
        filters = rule.get("filters") or []
        common = header_fields(filters, f"{field}.filters")
        mirrored, unusable = mirrors(filters, cluster)
        split = _split(rule, cluster, field, unusable)
        problems += unusable
        action: Object = {
            "timeout": _timeout(rule.get("timeouts") or {}, f"{field}.timeouts"),
            "retry_policy": _RETRY,
            **({"request_mirror_policies": mirrored} if mirrored else {}),
        }
        for index, match in enumerate(rule.get("matches") or [{}]):
            place = f"{field}.matches[{index}]"
            rewritten = rewrite(filters, match, place)
            found = envoy_match(match, place)
            name = f"{namespace_of(route)}/{name_of(route)}/{number}/{index}"
            made = _routes(name, found, {**action, **rewritten}, common, split)
            age = (created_at(route), namespace_of(route), name_of(route), number, index)
            entries.append(Entry((*precedence(match), *age), made))
    return Compiled(tuple(entries), tuple(problems))


def _split(
    rule: Object, cluster: Callable[[Object], str], field: str, problems: list[UnresolvedError]
) -> _Split:
    clusters: list[Object] = []
    failing = 0
    for index, ref in enumerate(rule.get("backendRefs") or []):
        weight = ref.get("weight", 1)
        own = f"{field}.backendRefs[{index}].filters"
        headers = header_fields(ref.get("filters") or [], own, _PER_BACKEND)
        try:
            name = cluster(ref)
        except UnresolvedError as problem:
            problems.append(problem)
            failing += weight
            continue
        if weight:
            clusters.append({"name": name, "weight": weight, **headers})
    return _Split(clusters, failing)


def _timeout(timeouts: Object, field: str) -> str:
    """Return Envoy's timeout: one try is made, so the shorter of both applies; 0 means none."""
    found = []
    for member in ("request", "backendRequest"):
        if member in timeouts:
            try:
                found.append(parse_duration(timeouts[member]))
            except ValueError as error:
                raise UnsupportedError(f"{field}.{member}: {error}") from None
    limits = [each for each in found if each]
    seconds = min(limits) if limits else (0.0 if found else _TIMEOUT)
    return f"{seconds:.3f}s"


def _routes(
    name: str, match: Object, action: Object, common: Object, split: _Split
) -> tuple[Object, ...]:
    failure: Object = {"name": name, "match": match, "direct_response": {"status": 500}}
    if not split.clusters:
        # Also when every weight is 0: the API says 500, not 503.
        return (failure,)
    weighted = {"weighted_clusters": {"clusters": split.clusters}}
    serving = {"name": name, "match": match, "route": {**weighted, **action}, **common}
    if not split.failing:
        return (serving,)
    share = {"numerator": split.failing * _MILLION // split.total, "denominator": "MILLION"}
    failure["match"] = {**match, "runtime_fraction": {"default_value": share}}
    return failure, serving
