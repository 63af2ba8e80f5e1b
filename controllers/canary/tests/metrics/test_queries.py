import pytest

from fluvial.canary.metrics import OBSERVERS, QueryModel, observer_for

MODEL = QueryModel("shop", "my-ns", "podinfo", "web", "edge.x", "rt", "2m")
POD = 'kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'


def test_the_http_query_is_flaggers_text():
    observer = OBSERVERS["http"]
    labels = f'kubernetes_namespace="my-ns", {POD}'
    count = "http_request_duration_seconds_count"
    assert observer.success_rate(MODEL) == (
        f' sum( rate( {count}{{ {labels}, status!~"5.*" }}[2m] ) )'
        f" / sum( rate( {count}{{ {labels} }}[2m] ) ) * 100"
    )
    assert observer.request_duration(MODEL) == (
        " histogram_quantile( 0.99, sum( rate( http_request_duration_seconds_bucket"
        f"{{ {labels} }}[2m] ) ) by (le) )"
    )
    assert observer.duration.outside == 1000


@pytest.mark.parametrize(
    ("name", "query", "reason"),
    [
        (
            "istio",
            (
                ' sum( rate( istio_requests_total{ reporter="destination", '
                'destination_workload_namespace="my-ns", destination_workload=~"podinfo", '
                'response_code!~"5.*" }[2m] ) ) / sum( rate( istio_requests_total{ '
                'reporter="destination", destination_workload_namespace="my-ns", '
                'destination_workload=~"podinfo" }[2m] ) ) * 100'
            ),
            "by the workload that answered",
        ),
        (
            "linkerd",
            (
                ' sum( rate( response_total{ namespace="my-ns", deployment=~"podinfo", '
                'classification!="failure", direction="inbound" }[2m] ) ) / sum( rate( '
                'response_total{ namespace="my-ns", deployment=~"podinfo", direction="inbound" }'
                "[2m] ) ) * 100"
            ),
            "by classification, which stands before the direction",
        ),
        (
            "traefik",
            (
                " sum( rate( traefik_service_request_duration_seconds_bucket{ "
                'service=~"my-ns-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", code!~"5..", '
                'le="+Inf" }[2m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ '
                'service=~"my-ns-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", le="+Inf" }[2m] ) ) '
                "* 100"
            ),
            "the widest bucket counts all requests",
        ),
        (
            "skipper",
            (
                " sum(rate(skipper_response_duration_seconds_bucket{"
                'route=~"kube(ew)?_my_ns__edge_x_canary__.*__web_canary(_[0-9]+)?",'
                'code!~"5..",le="+Inf"}[2m])) / sum(rate(skipper_response_duration_seconds_bucket{'
                'route=~"kube(ew)?_my_ns__edge_x_canary__.*__web_canary(_[0-9]+)?",le="+Inf"}'
                "[2m])) * 100"
            ),
            "route names have word characters only",
        ),
    ],
)
def test_success_rates(name, query, reason):
    assert OBSERVERS[name].success_rate(MODEL) == query, reason


@pytest.mark.parametrize(
    ("name", "part", "reason"),
    [
        ("appmesh", POD, "pods of the canary"),
        ("contour", 'envoy_cluster_name=~"my-ns_web-canary_[0-9a-zA-Z-]+"', "by the service"),
        (
            "gloo",
            'envoy_cluster_name=~"my-ns-podinfo-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"',
            "by the target, though the upstream is the service's",
        ),
        ("knative", 'envoy_cluster_name=~"my-ns/rt"', "by the revision"),
        ("kuma", 'service=~"podinfo-canary_my-ns_svc_[0-9a-zA-Z-]+"', "Kuma's service tag"),
        ("nginx", 'ingress="edge.x", canary!=""', "the canary's Ingress"),
        ("apisix", 'route=~"my-ns_rt-podinfo-canary_.+"', "by route and target"),
        ("osm", 'destination_name="podinfo"', "by destination"),
    ],
)
def test_what_the_canary_is_called(name, part, reason):
    observer = OBSERVERS[name]
    assert part in observer.success_rate(MODEL), reason
    assert part in observer.request_duration(MODEL), reason


@pytest.mark.parametrize("name", OBSERVERS)
def test_every_query_is_closed_and_filled(name):
    observer = OBSERVERS[name]
    for query in (observer.success_rate(MODEL), observer.request_duration(MODEL)):
        assert "$" not in query
        assert query.count("(") == query.count(")")
        assert query.count("{") == query.count("}")
        assert "[2m]" in query


@pytest.mark.parametrize(
    ("name", "end", "outside", "reason"),
    [
        ("nginx", "* 1000", 1, "a mean in seconds, made milliseconds in the query"),
        ("skipper", "* 1000", 1, "likewise"),
        ("traefik", "by (le) ) * 1000", 1, "a quantile in seconds, likewise"),
        ("http", "by (le) )", 1000, "a quantile in seconds, made milliseconds afterwards"),
        ("istio", "by (le) )", 1, "a quantile in milliseconds"),
    ],
)
def test_units_of_durations(name, end, outside, reason):
    observer = OBSERVERS[name]
    assert observer.request_duration(MODEL).endswith(end), reason
    assert observer.duration.outside == outside, reason


@pytest.mark.parametrize(
    ("provider", "kind", "name", "reason"),
    [
        ("kubernetes", "Deployment", "http", "the application's own metrics"),
        ("gatewayapi:v1", "Deployment", "http", "gateways have no common metrics"),
        ("gatewayapi:v1beta1", "Deployment", "http", "any version"),
        ("appmesh:v1beta2", "Deployment", "appmesh", "any version"),
        ("nginx", "Deployment", "nginx", "by name"),
        ("smi:v1alpha1", "Deployment", "istio", "what nobody knows is Istio"),
        ("http", "Deployment", "istio", "the observer's name is no provider"),
        ("kubernetes", "Service", "istio", "a plain Service target falls through"),
        ("gatewayapi:v1", "Service", "http", "but not where a prefix decides"),
        ("knative", "Service", "knative", "a Knative Service is no plain one"),
    ],
)
def test_observer_of_a_provider(provider, kind, name, reason):
    assert observer_for(provider, kind) is OBSERVERS[name], reason
