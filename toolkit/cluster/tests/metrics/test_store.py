"""Scrapes and what they leave in the store."""

import math

import pytest

from fluvial.cluster.metrics.errors import QueryError, TargetsError
from fluvial.cluster.metrics.evaluation import evaluate
from fluvial.cluster.metrics.exposition import Sample
from fluvial.cluster.metrics.functions import quantile
from fluvial.cluster.metrics.scraper import enter
from fluvial.cluster.metrics.series import Store, labels_of
from fluvial.cluster.metrics.server import formatted, parse_time
from fluvial.cluster.metrics.targets import Target, read_targets

TARGET = Target("http://127.0.0.1:1/metrics", labels_of({"job": "j", "instance": "i"}))


def sample(value, name="a", **labels):
    return Sample(name, labels, value, None)


def test_a_series_that_is_not_exposed_any_more_is_stale_at_once():
    store = Store()
    before = enter(store, TARGET, [sample(1, x="1"), sample(2, x="2")], 1000, set())
    enter(store, TARGET, [sample(3, x="1")], 2000, before)
    assert [value for _, value in evaluate("a", store, 1500)] == [1, 2]
    assert [value for _, value in evaluate("a", store, 2500)] == [3]


def test_a_target_that_fails_is_down_and_its_series_are_stale():
    store = Store()
    before = enter(store, TARGET, [sample(1)], 1000, set())
    assert enter(store, TARGET, None, 2000, before) == set()
    assert evaluate("a", store, 2500) == []
    assert [value for _, value in evaluate("up", store, 2500)] == [0]
    assert len(evaluate("a[5s]", store, 2500).series[0][1]) == 1, "no mark among the samples"


def test_a_value_is_stale_after_five_minutes():
    store = Store()
    enter(store, TARGET, [sample(1)], 1000, set())
    assert len(evaluate("a", store, 301_000)) == 1
    assert evaluate("a", store, 301_001) == []


def test_labels_of_the_target_win_and_those_of_the_sample_are_kept():
    store = Store()
    enter(store, TARGET, [sample(1, job="own", empty="")], 1000, set())
    ((labels, _),) = evaluate("a", store, 1000)
    wanted = {"__name__": "a", "job": "j", "instance": "i", "exported_job": "own"}
    assert dict(labels) == wanted


def test_what_is_out_of_the_window_is_forgotten():
    store = Store(window=10_000)
    enter(store, TARGET, [sample(1, x="old")], 1000, set())
    enter(store, TARGET, [sample(2, x="new")], 9000, set())
    store.sweep(12_000)
    assert [dict(each.labels)["x"] for each in store.select("a", [])] == ["new"]


def test_a_sample_that_is_not_newer_is_refused():
    store = Store()
    assert store.append(labels_of({"__name__": "a"}), 5, 1.0)
    assert not store.append(labels_of({"__name__": "a"}), 5, 2.0)
    assert not store.append(labels_of({"__name__": "a"}), 4, 2.0)


def test_two_of_the_same_after_the_name_is_dropped_is_an_error():
    store = Store()
    store.append(labels_of({"__name__": "a"}), 1, 1.0)
    store.append(labels_of({"__name__": "b"}), 1, 1.0)
    with pytest.raises(QueryError, match="same labelset"):
        evaluate('-{__name__=~"a|b"}', store, 1)


@pytest.mark.parametrize(
    ("buckets", "wanted", "reason"),
    [
        ([(1.0, 5), (math.inf, 10)], 1.0, "the rank lies in +Inf: the last bound"),
        ([(1.0, 10), (2.0, 4), (math.inf, 10)], 0.9, "counts never fall"),
        ([(-1.0, 10), (math.inf, 10)], -1.0, "no interpolation below zero"),
    ],
)
def test_quantiles_of_odd_histograms(buckets, wanted, reason):
    assert quantile(0.9, buckets) == pytest.approx(wanted), reason


@pytest.mark.parametrize("buckets", [[], [(math.inf, 3)], [(1.0, 3)], [(1.0, 0), (math.inf, 0)]])
def test_no_quantile_without_bounds_or_observations(buckets):
    assert math.isnan(quantile(0.9, buckets))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e21, "1000000000000000000000"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_values_are_written_as_prometheus_does(value, text):
    assert formatted(value) == text


def test_moments_are_seconds_or_rfc_3339():
    assert parse_time("1.5") == 1500
    assert parse_time("1970-01-01T00:00:02Z") == 2000
    for text in ("yesterday", "NaN", "1970-01-01"):
        with pytest.raises(QueryError, match="time"):
            parse_time(text)


def test_targets_with_their_paths_and_labels(tmp_path):
    path = tmp_path / "targets.json"
    assert read_targets(path) == []
    path.write_text('[{"targets": ["h:1"], "labels": {"__metrics_path__": "/m", "app": "web"}}]')
    (target,) = read_targets(path)
    assert target.url == "http://h:1/m"
    assert dict(target.labels) == {"app": "web", "instance": "h:1", "job": "fluvial"}
    path.write_text('[{"targets": "h"}]')
    with pytest.raises(TargetsError, match="targets"):
        read_targets(path)
