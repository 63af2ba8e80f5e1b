"""HorizontalPodAutoscalers: sizes by metric, rates and windows, and the controller as a whole."""

import datetime as dt

import pytest

from fluvial.cluster.standins.replicas import MetricError, for_average, for_ratio, for_value
from fluvial.cluster.standins.scaling import History, decide
from fluvial.cluster.standins.usage import pods_usage

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
HPAS = "autoscaling/v2/horizontalpodautoscalers"
DEPLOYMENTS = "apps/v1/deployments"


def pod(name, *, ready=True, phase="Running", request="100m", **annotations):
    status = "True" if ready else "False"
    resources = {"requests": {"cpu": request}} if request else {}
    return {
        "metadata": {
            "name": name,
            "annotations": {f"fluvial.dev/{key}": value for key, value in annotations.items()},
        },
        "spec": {"containers": [{"name": "c", "resources": resources}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": status}]},
    }


def pods(count, **rest):
    return [pod(f"p{number}", **rest) for number in range(count)]


def used(*amounts):
    return {f"p{number}": amount for number, amount in enumerate(amounts) if amount is not None}


@pytest.mark.parametrize(
    ("amounts", "percent", "current", "expected", "reason"),
    [
        ((100_000, 100_000), 50, 2, 4, "twice the target: twice as many"),
        ((54_000, 54_000), 50, 2, 2, "8 % above: within the tolerance"),
        ((56_000, 56_000), 50, 2, 3, "12 % above: rounded up"),
        ((20_000, 20_000), 50, 2, 1, "well below"),
        ((100_000, None), 50, 2, 2, "on the way up a pod without metrics counts as idle"),
        ((150_000, None), 50, 2, 3, "and up it goes when the rest is enough by itself"),
        ((10_000, None), 50, 2, 2, "on the way down it counts as fully used, and turns it"),
        ((10_000, 10_000, 10_000, None), 50, 4, 3, "less so among many"),
    ],
)
def test_size_by_utilization(amounts, percent, current, expected, reason):
    # A request of 100m is 100 thousandths, so amounts are given in thousandths of 1m.
    scaled = {name: amount // 1000 for name, amount in used(*amounts).items()}
    found = for_ratio(pods(len(amounts)), scaled, "cpu", percent, current)
    assert found.replicas == expected, reason


def test_utilization_is_a_share_of_requests():
    found = for_ratio(pods(2), {"p0": 50, "p1": 70}, "cpu", 60, 2)
    assert (found.percent, found.average, found.replicas) == (60, 60, 2)


@pytest.mark.parametrize(
    ("given", "usage", "text", "reason"),
    [
        ([], {}, "no pods returned by selector", "nothing to measure"),
        (pods(1), {}, "did not receive metrics for any ready pods", "no usage"),
        (pods(1, ready=False), {"p0": 1}, "did not receive metrics", "the CPU of an unready pod"),
        (
            pods(1, request=""),
            {"p0": 1},
            "missing request for cpu in container c of Pod p0",
            "none",
        ),
    ],
)
def test_metrics_that_cannot_be_computed(given, usage, text, reason):
    with pytest.raises(MetricError, match=text):
        for_ratio(given, usage, "cpu", 50, 1)
    assert reason


def test_unready_pods_count_as_idle_on_the_way_up():
    given = [*pods(1), pod("p1", ready=False)]
    assert for_ratio(given, {"p0": 200, "p1": 500}, "cpu", 50, 2).replicas == 4


def test_unready_pods_count_for_other_metrics():
    given = [*pods(1), pod("p1", ready=False)]
    assert for_average(given, {"p0": 10, "p1": 10}, 5, 2).replicas == 4


@pytest.mark.parametrize(
    ("value", "target", "current", "ready", "each", "expected", "reason"),
    [
        (100, 50, 2, 2, False, 4, "twice the value, by ready pods"),
        (100, 50, 3, 1, False, 2, "only ready pods are multiplied"),
        (52, 50, 2, 2, False, 2, "within the tolerance"),
        (100, 50, 0, 0, False, 2, "from nothing"),
        (100, 25, 2, 2, True, 4, "so many per replica"),
        (52, 25, 2, 2, True, 2, "per replica within the tolerance"),
    ],
)
def test_size_by_one_value(*, value, target, current, ready, each, expected, reason):
    assert for_value(value, target, current, ready, each=each).replicas == expected, reason


@pytest.mark.parametrize(
    ("workload", "given", "expected", "reason"),
    [
        ({}, pods(2), {}, "nothing scripted"),
        ({}, pods(2, **{"usage.cpu": "250m"}), {"p0": 250, "p1": 250}, "each pod by itself"),
        ({"load.cpu": "1"}, pods(2), {"p0": 500, "p1": 500}, "a load is shared"),
        (
            {"load.cpu": "1"},
            [pod("p0"), pod("p1", ready=False)],
            {"p0": 1000},
            "by those that are ready",
        ),
        (
            {"load.cpu": "1"},
            [pod("p0"), pod("p1", **{"usage.cpu": "2"})],
            {"p0": 500, "p1": 2000},
            "what a pod says of itself comes first",
        ),
        ({"load.cpu": "much"}, pods(1), {}, "no quantity counts as absent"),
    ],
)
def test_scripted_usage(workload, given, expected, reason):
    annotations = {f"fluvial.dev/{key}": value for key, value in workload.items()}
    assert pods_usage("cpu", {"metadata": {"annotations": annotations}}, given) == expected, reason


def limits(low, high, **rest):
    return {"scaleTargetRef": TARGET, "minReplicas": low, "maxReplicas": high, **rest}


@pytest.mark.parametrize(
    ("current", "proposed", "expected", "limited", "reason"),
    [
        (2, 3, 3, "DesiredWithinRange", "as asked"),
        (2, 9, 4, "ScaleUpLimit", "at most doubled, or four"),
        (3, 9, 6, "ScaleUpLimit", "at most doubled"),
        (6, 12, 10, "TooManyReplicas", "the maximum"),
        (3, 1, 2, "TooFewReplicas", "the minimum"),
    ],
)
def test_limits_without_behavior(current, proposed, expected, limited, reason):
    found = decide(limits(2, 10), History(), current, proposed, NOW)
    assert (found.replicas, found.limited[1]) == (expected, limited), reason


def test_the_way_down_waits_for_five_minutes():
    spec, history = limits(1, 10), History()
    assert decide(spec, history, 4, 4, NOW).replicas == 4
    held = decide(spec, history, 4, 1, NOW + dt.timedelta(seconds=299))
    assert (held.replicas, held.able[1]) == (4, "ScaleDownStabilized")
    assert decide(spec, history, 4, 1, NOW + dt.timedelta(seconds=301)).replicas == 1


def rules(**rest):
    default = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    return {"selectPolicy": "Max", "policies": default, **rest}


def policies(*entries):
    return [{"type": kind, "value": value, "periodSeconds": 60} for kind, value in entries]


@pytest.mark.parametrize(
    ("up", "down", "current", "proposed", "expected", "limited", "reason"),
    [
        ({"policies": policies(("Pods", 1))}, {}, 2, 9, 3, "ScaleUpLimit", "one pod a minute"),
        (
            {"policies": policies(("Pods", 1), ("Percent", 100))},
            {}, 4, 20, 8, "ScaleUpLimit", "the larger of two",
        ),
        (
            {"policies": policies(("Pods", 1), ("Percent", 100)), "selectPolicy": "Min"},
            {}, 4, 20, 5, "ScaleUpLimit", "the smaller of two",
        ),
        ({"selectPolicy": "Disabled"}, {}, 2, 9, 2, "ScaleUpLimit", "never up"),
        ({}, {"policies": policies(("Percent", 10))}, 20, 1, 18, "ScaleDownLimit", "a tenth down"),
        ({}, {"policies": policies(("Pods", 3))}, 20, 1, 17, "ScaleDownLimit", "three down"),
        ({}, {"selectPolicy": "Disabled"}, 9, 1, 9, "ScaleDownLimit", "never down"),
        ({}, {}, 9, 1, 2, "TooFewReplicas", "the minimum"),
        ({}, {}, 9, 30, 18, "ScaleUpLimit", "doubled"),
    ],
)  # fmt: skip
def test_rates(*, up, down, current, proposed, expected, limited, reason):
    behavior = {
        "scaleUp": {**rules(stabilizationWindowSeconds=0), **up},
        "scaleDown": {**rules(stabilizationWindowSeconds=0), **down},
    }
    found = decide(limits(2, 40, behavior=behavior), History(), current, proposed, NOW)
    assert (found.replicas, found.limited[1]) == (expected, limited), reason


def test_a_period_counts_what_was_added_in_it():
    behavior = {
        "scaleUp": {**rules(stabilizationWindowSeconds=0), "policies": policies(("Pods", 2))},
        "scaleDown": rules(stabilizationWindowSeconds=0),
    }
    spec, history = limits(1, 40, behavior=behavior), History()
    history.scaled(2, 4, NOW)
    soon, later = NOW + dt.timedelta(seconds=30), NOW + dt.timedelta(seconds=61)
    assert decide(spec, history, 4, 9, soon).replicas == 4
    assert decide(spec, history, 4, 9, later).replicas == 6


def test_a_window_on_the_way_up_takes_the_lowest():
    behavior = {
        "scaleUp": rules(stabilizationWindowSeconds=60),
        "scaleDown": rules(stabilizationWindowSeconds=0),
    }
    spec, history = limits(1, 40, behavior=behavior), History()
    decide(spec, history, 4, 5, NOW)
    held = decide(spec, history, 4, 8, NOW + dt.timedelta(seconds=30))
    assert (held.replicas, held.able[1]) == (5, "ScaleUpStabilized")


def deployment(replicas):
    resources = {"requests": {"cpu": "100m"}}
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "c", "image": "example.com/web", "resources": resources}]
            },
        },
    }


def metric(percent=50):
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def external(target):
    return {"type": "External", "external": {"metric": {"name": "queue"}, "target": target}}


def reasons(cluster):
    found = (cluster.peek(HPAS, "web").get("status") or {}).get("conditions") or []
    return {each["type"]: each["reason"] for each in found}


async def test_the_target_is_brought_into_its_limits(cluster):
    await cluster.create("Deployment", "web", deployment(1))
    await cluster.create("HorizontalPodAutoscaler", "web", limits(2, 4), api="autoscaling/v2")
    await cluster.until(lambda: len(cluster.api.every("v1/pods")) == 2)
    await cluster.settled()
    status = cluster.peek(HPAS, "web")["status"]
    assert (status["currentReplicas"], reasons(cluster)["AbleToScale"]) == (2, "SucceededGetScale")
    await cluster.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 9}})
    await cluster.until(lambda: cluster.peek(DEPLOYMENTS, "web")["spec"]["replicas"] == 4)


async def test_a_scripted_load_scales_up_and_after_a_while_down(cluster):
    await cluster.create("Deployment", "web", deployment(2))
    await cluster.until(
        lambda: (cluster.peek(DEPLOYMENTS, "web").get("status") or {}).get("readyReplicas") == 2
    )
    spec = limits(1, 10, metrics=[metric()])
    await cluster.create("HorizontalPodAutoscaler", "web", spec, api="autoscaling/v2")
    load = {"metadata": {"annotations": {"fluvial.dev/load.cpu": "200m"}}}
    await cluster.patch(DEPLOYMENTS, "web", load)
    await cluster.until(lambda: cluster.peek(DEPLOYMENTS, "web")["spec"]["replicas"] == 4)
    await cluster.settled()
    assert reasons(cluster)["ScalingActive"] == "ValidMetricFound"
    status = cluster.peek(HPAS, "web")["status"]
    assert status["currentMetrics"][0]["resource"]["current"] == {
        "averageUtilization": 50,
        "averageValue": "50m",
    }
    assert status["lastScaleTime"]
    load["metadata"]["annotations"]["fluvial.dev/load.cpu"] = "40m"
    await cluster.patch(DEPLOYMENTS, "web", load)
    await cluster.until(lambda: reasons(cluster)["AbleToScale"] == "ScaleDownStabilized")
    for _ in range(22):
        await cluster.advance(15)
    await cluster.until(lambda: cluster.peek(DEPLOYMENTS, "web")["spec"]["replicas"] == 1)


async def test_without_metrics_an_autoscaler_says_so(cluster):
    await cluster.create("Deployment", "web", deployment(1))
    spec = limits(1, 4, metrics=[metric()])
    await cluster.create("HorizontalPodAutoscaler", "web", spec, api="autoscaling/v2")
    await cluster.until(lambda: "ScalingActive" in reasons(cluster))
    found = cluster.peek(HPAS, "web")["status"]["conditions"]
    active = next(each for each in found if each["type"] == "ScalingActive")
    assert active["reason"] == "FailedGetResourceMetric"
    assert (
        "failed to get cpu utilization: unable to get metrics for resource cpu"
        in (active["message"])
    )


async def test_a_target_at_zero_is_left_alone(cluster):
    await cluster.create("Deployment", "web", deployment(0))
    await cluster.create("HorizontalPodAutoscaler", "web", limits(2, 4), api="autoscaling/v2")
    await cluster.until(lambda: reasons(cluster).get("ScalingActive") == "ScalingDisabled")
    assert cluster.peek(DEPLOYMENTS, "web")["spec"]["replicas"] == 0


async def test_a_missing_target_is_named(cluster):
    await cluster.create("HorizontalPodAutoscaler", "web", limits(2, 4), api="autoscaling/v2")
    await cluster.until(lambda: reasons(cluster).get("AbleToScale") == "FailedGetScale")
    (found,) = cluster.peek(HPAS, "web")["status"]["conditions"]
    assert found["message"].endswith('deployments.apps "web" not found')


@pytest.mark.parametrize(
    ("extra", "annotations", "expected", "reason"),
    [
        (
            external({"type": "AverageValue", "averageValue": "10"}),
            {"fluvial.dev/metric.queue": "30"}, 3, "an external metric stands on the autoscaler",
        ),
        (
            external({"type": "Value", "value": "10"}),
            {}, 1, "one that is not there shrinks and grows nothing",
        ),
    ],
)  # fmt: skip
async def test_the_largest_proposal_counts(cluster, extra, annotations, expected, reason):
    await cluster.create("Deployment", "web", deployment(1))
    await cluster.until(
        lambda: (cluster.peek(DEPLOYMENTS, "web").get("status") or {}).get("readyReplicas") == 1
    )
    load = {"metadata": {"annotations": {"fluvial.dev/load.cpu": "50m"}}}
    await cluster.patch(DEPLOYMENTS, "web", load)
    spec = limits(1, 10, metrics=[metric(), extra])
    await cluster.create("HorizontalPodAutoscaler", "web", spec, api="autoscaling/v2")
    await cluster.patch(HPAS, "web", {"metadata": {"annotations": {"x": "y", **annotations}}})
    await cluster.advance(15)
    await cluster.until(lambda: reasons(cluster).get("ScalingActive") == "ValidMetricFound")
    await cluster.until(lambda: cluster.peek(DEPLOYMENTS, "web")["spec"]["replicas"] == expected)
    assert reason
