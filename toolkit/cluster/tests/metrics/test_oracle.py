"""Answers are those of a real Prometheus over the same samples."""

import math

import pytest

from fluvial.cluster.metrics.errors import QueryError
from fluvial.cluster.metrics.evaluation import evaluate
from fluvial.cluster.metrics.server import _data

START = 1_700_000_000_000
POD = "web-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"
COUNT = "http_request_duration_seconds_count"
BUCKET = "http_request_duration_seconds_bucket"
OWN = f'kubernetes_namespace="test",kubernetes_pod_name=~"{POD}"'
ENVOY = 'envoy_cluster_upstream_rq{envoy_cluster_name=~"test_web-canary_80"}'

QUERIES = [
    f'sum(rate({COUNT}{{{OWN},status!~"5.*"}}[1m])) / sum(rate({COUNT}{{{OWN}}}[1m])) * 100',
    f"histogram_quantile(0.99, sum(rate({BUCKET}{{{OWN}}}[1m])) by (le))",
    f"histogram_quantile(0.5, sum by (le, kubernetes_pod_name) (rate({BUCKET}[15s])))",
    f"histogram_quantile(1.5, {BUCKET})",
    f"histogram_quantile(0.99, {COUNT})",
    (
        f'100 - sum(rate({ENVOY[:-1]},envoy_response_code!~"5.*"}}[30s]))'
        f" / sum(rate({ENVOY}[30s])) * 100"
    ),
    f"rate({COUNT}[1m])",
    f"rate({COUNT}[3s] offset 10s)",
    f"increase({COUNT}[2m])",
    f"irate({COUNT}[10s])",
    "delta(temperature[1m])",
    f"rate({COUNT}[1ms])",
    f"{COUNT}[2s]",
    f"sum({COUNT}) by (status)",
    f"avg without (kubernetes_pod_name) ({COUNT})",
    "min(temperature)",
    "max by (job) (temperature)",
    f"count({COUNT} > 100)",
    "-temperature",
    "temperature > bool 0",
    "0 < temperature",
    "temperature * 2 ^ 3 ^ 0.5 % 7",
    "temperature / 0",
    f'{COUNT}{{status="500"}} / ignoring(status) {COUNT}{{status="200"}}',
    f'{COUNT}{{status="500"}} > on(kubernetes_pod_name) {COUNT}{{status="404"}}',
    f'{COUNT}{{status="500"}} >= ignoring(status) {COUNT}{{status="404"}}',
    f"{COUNT} / on(kubernetes_pod_name) temperature",
    f"temperature / on(kubernetes_pod_name) {COUNT}",
    f"{COUNT} + temperature",
    "sum(missing) or vector(0)",
    "temperature and on(kubernetes_pod_name) (temperature > 0)",
    "temperature unless temperature > 0",
    "vector(1)",
    "1 / 0 - 1",
    "time()",
    '{__name__=~"temp.*",kubernetes_pod_name!=""}',
    'temperature{nothing=""}',
    "sum(missing)",
    "1 +",
    "rate(temperature)",
]
MOMENTS = [0, 1, 500, 20_000, 61_234, 120_000, 180_500, 240_000, 300_000, 420_000, 541_700, 700_000]


def same(left, right):
    left, right = float(left), float(right)
    return math.isclose(left, right, rel_tol=1e-9) or (math.isnan(left) and math.isnan(right))


def agree(ours, theirs):
    """Compare two answers: labels exactly, values but for the last digits."""
    if ours["resultType"] != theirs["resultType"]:
        return False
    if ours["resultType"] == "scalar":
        return same(ours["result"][1], theirs["result"][1])
    kind = "values" if ours["resultType"] == "matrix" else "value"

    def points(answer):
        entries = {}
        for each in answer["result"]:
            found = each[kind] if kind == "values" else [each[kind]]
            entries[tuple(sorted(each["metric"].items()))] = found
        return entries

    mine, other = points(ours), points(theirs)
    return mine.keys() == other.keys() and all(
        len(mine[key]) == len(other[key])
        and all(
            a[0] == b[0] and same(a[1], b[1]) for a, b in zip(mine[key], other[key], strict=True)
        )
        for key in mine
    )


async def test_every_query_at_every_moment(store, prometheus):
    differences, numbers = [], 0
    for query in QUERIES:
        for offset in MOMENTS:
            moment = START + offset
            theirs = await prometheus.query(query, moment)
            try:
                ours = _data(evaluate(query, store, moment), moment)
            except QueryError as error:
                if theirs["status"] != "error" or theirs["errorType"] != error.type:
                    differences.append((query, offset, str(error), theirs))
                continue
            if theirs["status"] == "error" or not agree(ours, theirs["data"]):
                differences.append((query, offset, ours, theirs))
            numbers += len(ours["result"])
    assert differences[:3] == []
    assert numbers > 500, "most queries must find something"


@pytest.mark.parametrize(
    "query",
    [
        "topk(1, temperature)",
        "quantile(0.5, temperature)",
        "abs(temperature)",
        "absent(missing)",
        "temperature @ 1700000000",
        "max_over_time(temperature[1m])",
        "temperature[1m:5s]",
        "temperature * on(job) group_left temperature",
        "temperature atan2 temperature",
        'label_replace(temperature, "a", "b", "c", "d")',
        'temperature{job=~"[[:alpha:]]+"}',
        'temperature{job=~"(?i)PODS"}',
        '"text"',
    ],
)
def test_what_is_not_evaluated_is_an_error_and_no_number(store, query):
    with pytest.raises(QueryError, match="not supported by this store") as caught:
        evaluate(query, store, START + 60_000)
    assert caught.value.status == 422
