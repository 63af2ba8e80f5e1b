import pytest

from fluvial.cluster.metrics.prometheus import prometheus_config
from fluvial.cluster.metrics.scrapetargets import target_of
from fluvial.render import yaml


def pod(annotations=None, phase="Running", **status):
    return {
        "metadata": {
            "name": "web-1",
            "namespace": "test",
            "labels": {"app": "web"},
            "annotations": {"prometheus.io/scrape": "true"} | (annotations or {}),
        },
        "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 9898}]}]},
        "status": {"podIP": "127.1.2.3", "phase": phase} | status,
    }


def test_a_pod_with_its_defaults():
    assert target_of(pod()) == {
        "targets": ["127.1.2.3:9898"],
        "labels": {
            "__metrics_path__": "/metrics",
            "__scheme__": "http",
            "job": "kubernetes-pods",
            "kubernetes_namespace": "test",
            "kubernetes_pod_name": "web-1",
            "app": "web",
        },
    }


def test_a_pod_says_where():
    found = target_of(pod({"prometheus.io/port": "1", "prometheus.io/path": "stats"}))
    assert found["targets"] == ["127.1.2.3:1"]
    assert found["labels"]["__metrics_path__"] == "/stats"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (pod({"prometheus.io/scrape": "false"}), "it does not want to be"),
        (pod(podIP=""), "it has no address yet"),
        (pod(phase="Succeeded"), "it has ended"),
        (pod({"prometheus.io/port": "web"}), "a port is a number"),
    ],
)
def test_a_pod_that_is_not_scraped(made, reason):
    assert target_of(made) is None, reason


def test_the_configuration_of_a_real_prometheus(tmp_path):
    made = yaml.load(prometheus_config(tmp_path / "targets.json", "1s"))
    assert made["global"]["scrape_interval"] == "1s"
    (job,) = made["scrape_configs"]
    assert job["file_sd_configs"][0]["files"] == [str(tmp_path / "targets.json")]
