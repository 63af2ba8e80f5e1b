"""The HTTPRoute of a release, as a pure function of the Canary, the weights and the cookies."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from fluvial.apis.flagger import Canary, CanaryService, SessionAffinity
from fluvial.apis.ids import Unstructured
from fluvial.canary.routers._filters import (
    Filter,
    added_response_header,
    mirror_filter,
    service_filters,
    with_filter,
)
from fluvial.canary.routers._matches import Match, analysis_matches, crossed, service_matches
from fluvial.canary.routers.affinity import SET_COOKIE, Cookies, set_cookie, stickiness
from fluvial.canary.routers.model import InvalidRoute, ServiceNames, Weights, service_names

__all__ = ["cookies_of", "route_spec", "weights_of"]

Rule: TypeAlias = dict[str, Any]
"""An HTTPRouteRule."""


def route_spec(canary: Canary, weights: Weights, cookies: Cookies) -> dict[str, Any]:
    """Return the spec of the HTTPRoute.

    Everything that the API server would fill in is written out, so that a route that did not drift
    equals what is returned here. Raises InvalidRoute.
    """
    service = canary.spec.service
    if service is None or not service.gateway_refs:
        raise InvalidRoute(
            f"{canary}: spec.service.gatewayRefs is empty; name the Gateway that the route is for"
        )
    affinity = canary.spec.analysis.session_affinity
    if canary.spec.analysis.match and affinity:
        raise InvalidRoute(
            f"{canary}: spec.analysis.sessionAffinity needs weights, and spec.analysis.match "
            "chooses users by their requests; give only one of them"
        )
    spec: dict[str, Any] = {
        "parentRefs": [_parent(reference) for reference in service.gateway_refs],
        "rules": _rules(canary, service, affinity, weights, cookies),
    }
    if service.hosts:
        spec["hostnames"] = list(service.hosts)
    return spec


def weights_of(route: Unstructured, names: ServiceNames) -> Weights | None:
    """Read the weights from the rule that splits traffic; None where there is no such rule.

    With session affinity that is the last rule of two backends: the sticky ones stand before it.
    """
    found: Weights | None = None
    mirrored = False
    for rule in route["spec"].get("rules") or ():
        shares = {ref["name"]: ref.get("weight", 1) for ref in rule.get("backendRefs") or ()}
        if names.primary in shares and names.canary in shares:
            found = Weights(shares[names.primary], shares[names.canary])
        mirrored |= any(_copies_to(item, names.canary) for item in rule.get("filters") or ())
    return Weights(found.primary, found.canary, mirrored) if found else None


def cookies_of(route: Unstructured, names: ServiceNames) -> Cookies:
    """Read the cookies that the route hands out now."""
    pairs = {names.canary: "", names.primary: ""}
    for rule in route["spec"].get("rules") or ():
        for ref in rule.get("backendRefs") or ():
            for item in ref.get("filters") or ():
                added = (item.get("responseHeaderModifier") or {}).get("add") or ()
                for header in added:
                    if header["name"] == SET_COOKIE and ref["name"] in pairs:
                        pairs[ref["name"]] = header["value"].partition(";")[0]
    return Cookies(pairs[names.canary], pairs[names.primary])


def _copies_to(item: Mapping[str, Any], name: str) -> bool:
    mirror = item.get("requestMirror") or {}
    return bool((mirror.get("backendRef") or {}).get("name") == name)


def _parent(reference: Any) -> dict[str, Any]:
    parent: dict[str, Any] = {
        "group": reference.group,
        "kind": reference.kind,
        "name": reference.name,
    }
    if reference.namespace is not None:
        parent["namespace"] = reference.namespace
    if reference.section_name is not None:
        parent["sectionName"] = reference.section_name
    if reference.port is not None:
        parent["port"] = reference.port
    return parent


def _backend(name: str, port: int, weight: int) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight}


class _Rules:
    """What all rules of one route share."""

    def __init__(self, canary: Canary, service: CanaryService) -> None:
        self.names = service_names(canary)
        self.port = service.port
        self.matches = service_matches(service.match)
        self.filters = service_filters(service)
        self.timeouts: dict[str, str] = {}
        if service.timeout:
            self.timeouts["request"] = service.timeout
        if service.backend_timeout:
            self.timeouts["backendRequest"] = service.backend_timeout

    def rule(self, matches: list[Match], *backends: dict[str, Any], more: Filter | None) -> Rule:
        filters = with_filter(self.filters, more) if more else self.filters
        rule: Rule = {"matches": matches, "backendRefs": list(backends)}
        if filters:
            rule["filters"] = filters
        if self.timeouts:
            rule["timeouts"] = self.timeouts
        return rule

    def split(
        self, matches: list[Match], primary: int, canary: int, more: Filter | None = None
    ) -> Rule:
        return self.rule(
            matches,
            _backend(self.names.primary, self.port, primary),
            _backend(self.names.canary, self.port, canary),
            more=more,
        )

    def carrying(self, pair: str) -> list[Match]:
        return crossed([{"headers": [dict(stickiness(pair))]}], self.matches)

    def primary_only(self) -> Rule:
        return self.rule(self.matches, _backend(self.names.primary, self.port, 100), more=None)


def _rules(
    canary: Canary,
    service: CanaryService,
    affinity: SessionAffinity | None,
    weights: Weights,
    cookies: Cookies,
) -> list[Rule]:
    rules = _Rules(canary, service)
    analysis = canary.spec.analysis
    # Copies are for blue/green only: a weighted canary gets real requests soon enough.
    copy = (
        mirror_filter(rules.names.canary, service.port)
        if weights.mirrored and analysis.iterations > 0
        else None
    )
    if analysis.match:
        users = crossed(analysis_matches(analysis.match), rules.matches)
        if not users:
            raise InvalidRoute(
                f"{canary}: spec.analysis.match names no header and no query parameter"
            )
        return [rules.split(users, weights.primary, weights.canary, copy), rules.primary_only()]
    weighted = rules.split(rules.matches, weights.primary, weights.canary, copy)
    if affinity is None:
        return [weighted]
    if weights.canary:
        return [*_running(canary, affinity, rules, cookies, weighted), weighted]
    return [*_over(rules, cookies, weights), weighted]


def _running(
    canary: Canary, affinity: SessionAffinity, rules: _Rules, cookies: Cookies, weighted: Rule
) -> list[Rule]:
    """Make the weighted rule hand cookies out, and return the rules for those who have one."""
    primary, fresh = weighted["backendRefs"]
    handed = set_cookie(canary, affinity, cookies.canary, primary=False)
    fresh["filters"] = [added_response_header(SET_COOKIE, handed)]
    sticky = [rules.split(rules.carrying(cookies.canary), 0, 100)]
    if affinity.primary_cookie_name:
        handed = set_cookie(canary, affinity, cookies.primary, primary=True)
        primary["filters"] = [added_response_header(SET_COOKIE, handed)]
        sticky.append(rules.split(rules.carrying(cookies.primary), 100, 0))
    return sticky


def _over(rules: _Rules, cookies: Cookies, weights: Weights) -> list[Rule]:
    """Return the rule that takes the last release's cookie away, where there was one."""
    if not cookies.previous:
        return []
    expired = added_response_header(SET_COOKIE, f"{cookies.previous}; Max-Age=-1")
    users = rules.carrying(cookies.previous)
    return [rules.split(users, weights.primary, weights.canary, expired)]
