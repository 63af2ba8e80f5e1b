"""The built-in queries: what each mesh and ingress calls requests and durations.

An observer is data: which metric counts requests, which labels choose those of the canary, which
matcher keeps those without error, and how durations are kept. The text is the one that Flagger
sends (but for a comma that it leaves behind the last label of some Envoy queries), so that caches
and allow lists that know Flagger's queries know these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import Template
from typing import Final, Literal

from fluvial.canary.metrics.model import QueryModel

__all__ = ["OBSERVERS", "Duration", "Observer", "observer_for"]


@dataclass(frozen=True, slots=True)
class Duration:
    """How an observer measures time.

    `p99` of the histogram `metric`_bucket, or the `mean` of `metric`_sum over `metric`_count;
    `factor` is what turns the answer into milliseconds: within the query when `inside`, else of
    its result.
    """

    metric: str
    labels: tuple[str, ...]
    kind: Literal["p99", "mean"] = "p99"
    factor: int = 1
    inside: bool = False

    @property
    def outside(self) -> int:
        """What the result of the query is to be multiplied by."""
        return 1 if self.inside else self.factor


@dataclass(frozen=True, slots=True)
class Observer:
    """One source of evidence; labels are templates of `QueryModel` fields (`$namespace`)."""

    requests: str
    labels: tuple[str, ...]
    success: str
    duration: Duration
    flat: bool = False
    """Whether upstream writes it without spaces (Skipper)."""

    def success_rate(self, model: QueryModel) -> str:
        """Return the query for the share of requests without error, in percent."""
        good = _rate(self.requests, _with_success(self.labels, self.success), self.flat)
        every = _rate(self.requests, self.labels, self.flat)
        return _filled(f"{good} / {every} * 100", model)

    def request_duration(self, model: QueryModel) -> str:
        """Return the query for the time that requests take.

        Its result times `duration.outside` is in milliseconds.
        """
        duration = self.duration
        if duration.kind == "p99":
            rate = _rate(f"{duration.metric}_bucket", duration.labels, flat=False)
            query = f"histogram_quantile( 0.99, {rate} by (le) )"
        else:
            total = _rate(f"{duration.metric}_sum", duration.labels, self.flat)
            count = _rate(f"{duration.metric}_count", duration.labels, self.flat)
            query = f"{total} / {count}"
        if duration.inside and duration.factor != 1:
            query += f" * {duration.factor}"
        return _filled(query, model)


def _with_success(labels: tuple[str, ...], success: str) -> tuple[str, ...]:
    """Put the matcher where upstream has it: before a bound or a direction, else at the end."""
    if labels[-1].startswith(("le=", "direction=")):
        return (*labels[:-1], success, labels[-1])
    return (*labels, success)


def _rate(metric: str, labels: tuple[str, ...], flat: bool) -> str:
    if flat:
        return f"sum(rate({metric}{{{','.join(labels)}}}[$interval]))"
    return f"sum( rate( {metric}{{ {', '.join(labels)} }}[$interval] ) )"


def _filled(query: str, model: QueryModel) -> str:
    fields = {
        "namespace": model.namespace,
        "target": model.target,
        "service": model.service,
        "ingress": model.ingress,
        "route": model.route,
        "interval": model.interval,
    }
    if "$skipper" in query:
        fields["skipper"] = _skipper_route(model)
    # Flagger's texts begin with a line break.
    return " " + Template(query).substitute(fields)


def _skipper_route(model: QueryModel) -> str:
    """Return Skipper's name of the canary's route, in which only word characters stand."""
    namespace, ingress, service = (
        re.sub(r"[^0-9A-Za-z_]", "_", part)
        for part in (model.namespace, model.ingress, model.service)
    )
    return f"kube(ew)?_{namespace}__{ingress}_canary__.*__{service}_canary(_[0-9]+)?"


_NO_5XX: Final = 'response_code!~"5.*"'
_POD: Final = '"$target-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
_PODS: Final = ('kubernetes_namespace="$namespace"', f"kubernetes_pod_name=~{_POD}")


def _envoy(*labels: str) -> Observer:
    """Return an observer of Envoy's own statistics about an upstream cluster."""
    return Observer(
        "envoy_cluster_upstream_rq",
        labels,
        f"envoy_{_NO_5XX}",
        Duration("envoy_cluster_upstream_rq_time", labels),
    )


def _simple(
    requests: str, durations: str, labels: tuple[str, ...], success: str = _NO_5XX
) -> Observer:
    """Return an observer whose requests and durations carry the same labels."""
    return Observer(requests, labels, success, Duration(durations, labels))


_TRAEFIK: Final = 'service=~"$namespace-$target-canary-[0-9a-zA-Z-]+@kubernetescrd"'
_TRAEFIK_METRIC: Final = "traefik_service_request_duration_seconds"
_APISIX: Final = 'route=~"$namespace_$route-$target-canary_.+"'.replace(
    "$namespace", "${namespace}"
)
_NGINX: Final = ('namespace="$namespace"', 'ingress="$ingress"', 'canary!=""')
_SKIPPER: Final = 'route=~"$skipper"'
_HTTP: Final = "http_request_duration_seconds"

OBSERVERS: Final[Mapping[str, Observer]] = {
    "http": replace(
        _simple(f"{_HTTP}_count", _HTTP, _PODS, 'status!~"5.*"'),
        duration=Duration(_HTTP, _PODS, factor=1000),
    ),
    "istio": _simple(
        "istio_requests_total",
        "istio_request_duration_milliseconds",
        (
            'reporter="destination"',
            'destination_workload_namespace="$namespace"',
            'destination_workload=~"$target"',
        ),
    ),
    "linkerd": _simple(
        "response_total",
        "response_latency_ms",
        ('namespace="$namespace"', 'deployment=~"$target"', 'direction="inbound"'),
        'classification!="failure"',
    ),
    "osm": _simple(
        "osm_request_total",
        "osm_request_duration_ms",
        (
            'destination_namespace="$namespace"',
            'destination_kind="Deployment"',
            'destination_name="$target"',
        ),
    ),
    "appmesh": _envoy(*_PODS),
    "contour": _envoy('envoy_cluster_name=~"${namespace}_$service-canary_[0-9a-zA-Z-]+"'),
    "gloo": _envoy(
        'envoy_cluster_name=~"$namespace-$target-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"'
    ),
    "knative": _envoy('envoy_cluster_name=~"$namespace/$route"'),
    "kuma": _envoy('service=~"$target-canary_${namespace}_svc_[0-9a-zA-Z-]+"'),
    "nginx": Observer(
        "nginx_ingress_controller_requests",
        _NGINX,
        'status!~"5.*"',
        Duration(
            "nginx_ingress_controller_response_duration_seconds",
            _NGINX,
            kind="mean",
            factor=1000,
            inside=True,
        ),
    ),
    "skipper": Observer(
        "skipper_response_duration_seconds_bucket",
        (_SKIPPER, 'le="+Inf"'),
        'code!~"5.."',
        Duration(
            "skipper_serve_route_duration_seconds",
            (_SKIPPER,),
            kind="mean",
            factor=1000,
            inside=True,
        ),
        flat=True,
    ),
    "traefik": Observer(
        f"{_TRAEFIK_METRIC}_bucket",
        (_TRAEFIK, 'le="+Inf"'),
        'code!~"5.."',
        Duration(_TRAEFIK_METRIC, (_TRAEFIK,), factor=1000, inside=True),
    ),
    "apisix": Observer(
        "apisix_http_status",
        (_APISIX,),
        'code!~"5.."',
        Duration("apisix_http_latency", ('type=~"request"', _APISIX)),
    ),
}
"""The observers, by name."""

_SAME_NAME: Final = frozenset(OBSERVERS) - {"http", "appmesh", "gloo"}


def observer_for(provider: str, target_kind: str = "Deployment") -> Observer:
    """Return the observer of a provider, as upstream's table has it.

    Every unknown provider gets Istio's; so does most of a plain Service target, whose provider
    upstream looks up with `:service` behind its name.
    """
    key = f"{provider}:service" if target_kind == "Service" and provider != "knative" else provider
    for prefix in ("appmesh", "gloo"):
        if key.startswith(prefix):
            return OBSERVERS[prefix]
    if key == "kubernetes" or key.startswith("gatewayapi"):
        return OBSERVERS["http"]
    return OBSERVERS[key if key in _SAME_NAME else "istio"]
