import pytest

from fluvial.canary.metrics import MetricChecks

RATE = {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "30s"}
DURATION = {"name": "request-duration", "thresholdRange": {"max": 500}}


@pytest.fixture
def checks(client, prometheus, session):
    return MetricChecks(client, prometheus.address, session)


async def test_everything_in_range_passes_with_its_values(prometheus, checks, canary, template):
    prometheus.answers = {
        "histogram_quantile": "0.2509",
        "status!~": "99.9",
        "own": "3",
        "templated": "4",
    }
    inline = {"name": "inline", "query": "own", "threshold": 3}
    templated = template("custom", "templated") | {"thresholdRange": {"min": 4, "max": 4}}
    outcome = await checks.check(canary(templated, RATE, DURATION, inline))
    assert outcome.passed
    assert outcome.failures == []
    assert outcome.values == {
        "request-success-rate": 99.9,
        "request-duration": 0.25,
        "inline": 3.0,
        "custom": 4.0,
    }


async def test_templates_come_after_builtin_and_inline_queries(
    prometheus, checks, canary, template
):
    inline = {"name": "inline", "query": "own", "threshold": 3}
    prometheus.answer = "1"
    rate = RATE | {"thresholdRange": {"min": 0}}
    await checks.check(canary(template("custom", "templated") | {"threshold": 9}, inline, rate))
    kinds = [query.split("(")[0].strip() for query in prometheus.queries]
    assert kinds == ["own", "sum", "templated"]


async def test_the_first_failure_ends_the_round(prometheus, checks, canary):
    prometheus.answer = "50"
    outcome = await checks.check(canary(RATE, DURATION))
    assert not outcome.passed
    assert outcome.failures == ["Halt podinfo.test advancement success rate 50.00% < 99%"]
    assert outcome.values == {"request-success-rate": 50.0}
    assert len(prometheus.queries) == 1


async def test_a_metric_of_two_kinds_is_measured_by_both(prometheus, checks, canary, template):
    prometheus.answers = {"status!~": "99.9", "own": "42"}
    both = RATE | {"templateRef": template("t", "own")["templateRef"]}
    outcome = await checks.check(canary(both))
    assert outcome.failures == [
        "Halt podinfo.test advancement request-success-rate 42.00 < 99",
    ]


@pytest.mark.parametrize(
    ("metric", "message", "reason"),
    [
        (
            RATE,
            (
                "Halt advancement no values found for kubernetes metric request-success-rate "
                "probably podinfo.test is not receiving traffic: no values found"
            ),
            "no traffic yet",
        ),
        (
            {"name": "inline", "query": "up"},
            "Halt advancement no values found for metric: inline",
            "an inline query",
        ),
    ],
)
async def test_no_values_fail_the_check(prometheus, checks, canary, metric, message, reason):  # noqa: PLR0917 - a table
    prometheus.answer = "NaN"
    assert (await checks.check(canary(metric))).failures == [message], reason


async def test_no_values_of_a_template(prometheus, checks, canary, template):
    prometheus.answer = "NaN"
    outcome = await checks.check(canary(template("errors")))
    assert outcome.failures == [
        "Halt advancement no values found for custom metric: errors: no values found"
    ]


async def test_intervals_are_a_minute_unless_given(prometheus, checks, canary, template):
    text = "rate(x[{{ interval }}])"
    prometheus.answer = "100"
    inline = {"name": "i", "query": text, "threshold": 100}
    rate = {"name": "request-success-rate", "threshold": 1}
    await checks.check(canary(rate, inline, template("t", text) | {"threshold": 100}, RATE))
    assert ["[1m]" in query for query in prometheus.queries] == [True, True, False, True]
    assert "[30s]" in prometheus.queries[2]


async def test_a_template_knows_the_canary(prometheus, checks, canary, template):
    text = (
        "{{ name }} {{ namespace }} {{ target }}-primary {{ service }} {{ ingress }} {{ route }} "
        "{{ interval }} {{ variables.direction }}"
    )
    metric = template("t", text) | {"templateVariables": {"direction": "inbound"}}
    metric |= {"interval": "2m", "threshold": 1}
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "edge"}
    checked = canary(metric, service={"name": "web", "port": 80}, ingressRef=ingress)
    assert (await checks.check(checked)).passed
    assert prometheus.queries == ["podinfo test podinfo-primary web edge podinfo 2m inbound"]


@pytest.mark.parametrize(
    ("text", "message", "reason"),
    [
        ("{{ variables.absent }}", "absent", "a missing variable is an error, not an empty text"),
        ("{{ nothing }}", "nothing", "an unknown function"),
        ("{{ if }}", "tmpl", "no template at all"),
    ],
)
async def test_a_broken_template_fails_the_check(  # noqa: PLR0917 - a table
    prometheus, checks, canary, template, text, message, reason
):
    metric = template("t", text) | {"templateVariables": {"direction": "inbound"}}
    (failure,) = (await checks.check(canary(metric))).failures
    assert failure.startswith("Metric template t.test query render error: "), reason
    assert message in failure, reason
    assert prometheus.queries == []


async def test_a_broken_inline_query_fails_the_check(prometheus, checks, canary):
    (failure,) = (await checks.check(canary({"name": "x", "query": "{{ nothing }}"}))).failures
    assert failure.startswith("Prometheus query failed for x: ")
    assert prometheus.queries == []


async def test_templates_may_be_elsewhere_with_their_secrets(
    prometheus, checks, canary, template, secret
):
    secret("login", "monitoring", token="t0")
    metric = template("t", namespace="monitoring", secretRef={"name": "login"})
    assert (await checks.check(canary(metric | {"threshold": 1}))).passed
    assert prometheus.requests[0].headers["Authorization"] == "Bearer t0"


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        (
            {"secretRef": {"name": "gone"}},
            (
                "Metric template t.test provider prometheus error: secret gone error: secrets "
                '"gone" not found'
            ),
        ),
        (
            {"address": "nowhere"},
            (
                "Metric template t.test provider prometheus error: prometheus address nowhere is "
                "not a valid URL"
            ),
        ),
        (
            {"type": "datadog"},
            (
                "Metric template t.test provider datadog error: MetricTemplate t.test: "
                "spec.provider.type datadog is not supported; use prometheus, or install an "
                "extension of the group fluvial.metric_providers"
            ),
        ),
    ],
)
async def test_providers_that_cannot_be_asked(checks, canary, template, provider, message):
    outcome = await checks.check(canary(template("t", **provider)))
    assert outcome.failures == [message]


@pytest.mark.parametrize(
    "kind",
    [
        "influxdb",
        "externalmetrics",
        "stackdriver",
        "cloudwatch",
        "newrelic",
        "graphite",
        "dynatrace",
        "keptn",
        "splunk",
    ],
)
async def test_every_other_provider_is_refused_before_a_release_starts(
    checks, canary, template, kind
):
    refused = await checks.available(canary(template("t", type=kind)))
    assert f"MetricTemplate t.test: spec.provider.type {kind} is not supported" in refused


async def test_a_template_that_is_not_there(checks, canary):
    outcome = await checks.check(canary({"name": "x", "templateRef": {"name": "gone"}}))
    assert outcome.failures == [
        'Metric template gone.test error: metrictemplates.flagger.app "gone" not found'
    ]


async def test_a_metric_that_asks_nothing_fails(checks, canary):
    (failure,) = (await checks.check(canary({"name": "x"}))).failures
    assert failure.startswith("Metric query failed for no usable metrics template and query")


async def test_no_metrics_pass(prometheus, checks, canary):
    assert (await checks.check(canary())).passed
    assert prometheus.requests == []


async def test_a_server_that_fails(prometheus, checks, canary):
    prometheus.answer = {"data": {"result": "x"}}
    (failure,) = (await checks.check(canary(RATE))).failures
    assert failure.startswith("Prometheus query failed: the answer is no result of a query")


async def test_the_canary_may_name_its_own_server(client, prometheus, session, canary):
    elsewhere = MetricChecks(client, "http://127.0.0.1:1", session)
    prometheus.answer = "100"
    assert (await elsewhere.check(canary(RATE, metricsServer=prometheus.address))).passed


@pytest.mark.parametrize(
    ("controller", "own", "metric", "reason"),
    [
        ("istio", "", "istio_requests_total", "the controller's provider"),
        ("istio", "kubernetes", "http_request_duration_seconds_count", "the canary's outranks it"),
        ("linkerd", "kubernetes", "response_total", "but a Linkerd mesh sees all traffic"),
    ],
)
async def test_whom_builtin_queries_ask_about(  # noqa: PLR0917 - a table
    client, prometheus, session, canary, controller, own, metric, reason
):
    checks = MetricChecks(client, prometheus.address, session, provider=controller)
    await checks.check(canary(RATE, provider=own))
    assert metric in prometheus.queries[0], reason


async def test_available(prometheus, checks, canary, template):
    inline = {"name": "inline", "query": "own"}
    assert await checks.available(canary(RATE, template("t"), inline)) is None
    assert prometheus.queries == ["vector(1)", "vector(1)"]
    prometheus.answer = "2"
    builtin = await checks.available(canary(RATE))
    assert builtin == "prometheus not available: value is not 1 for query: vector(1)"
    templated = await checks.available(canary(template("t")))
    assert templated.startswith("prometheus in metric template t.test not available:")
    gone = {"name": "x", "templateRef": {"name": "gone"}}
    assert (await checks.available(canary(gone))).startswith("Metric template gone.test error")


SERVICE = """
from fluvial.toolkit.extensions import NoValues


class Service:
    def __init__(self, session, spec, secret):
        if "address" not in spec:
            raise ValueError("address is missing")
        self.secret = secret

    async def value(self, query):
        if query == "nothing":
            raise NoValues("silence")
        return len(query) + len(self.secret or {})

    async def check_online(self):
        raise ConnectionError("it sleeps")
"""


@pytest.fixture
def service(distribution):
    distribution(SERVICE, "fluvial.metric_providers", "datadog", "Service")


@pytest.mark.parametrize(
    ("provider", "query", "expected", "reason"),
    [
        ({}, "12345", 5.0, "its answer counts"),
        ({"secretRef": {"name": "s"}}, "12345", 6.0, "it has the secret's entries"),
        (
            {},
            "nothing",
            "Halt advancement no values found for custom metric: t: silence",
            "no traffic yet",
        ),
        (
            {"address": ""},
            "1",
            "Metric template t.test provider datadog error: datadog: address is missing",
            "settings that cannot work",
        ),
    ],
)
async def test_an_extension_is_asked(  # noqa: PLR0917 - a table
    checks, canary, template, secret, service, provider, query, expected, reason
):
    secret("s", key="x")
    metric = template("t", query=query, **{"type": "datadog", "address": "a", **provider})
    outcome = await checks.check(canary({**metric, "thresholdRange": {"max": 9}}))
    assert (outcome.failures or list(outcome.values.values())) == [expected], reason


async def test_an_extension_that_sleeps(checks, canary, template, service):
    refused = await checks.available(canary(template("t", type="datadog", address="a")))
    assert refused == "datadog in metric template t.test not available: ConnectionError: it sleeps"


async def test_an_extension_that_cannot_be_loaded(checks, canary, template, distribution):
    distribution("import nowhere", "fluvial.metric_providers", "splunk", "Service")
    refused = await checks.available(canary(template("t", type="splunk")))
    assert "the extension 'splunk' of an-extension cannot be loaded: ModuleNotFoundError" in refused
