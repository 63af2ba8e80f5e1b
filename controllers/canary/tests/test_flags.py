import pytest

from fluvial.canary.flags import CanaryFlags
from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse


def test_the_defaults_are_upstreams():
    flags = parse(CanaryFlags, [], {})
    assert flags.mesh_provider == "istio"
    assert flags.metrics_server == "http://prometheus:9090"
    assert flags.control_loop_interval == 10
    assert flags.analysis_interval_floor == 10
    assert flags.selector_label_list == ("app", "name", "app.kubernetes.io/name")
    assert flags.label_prefixes == ()
    assert flags.enable_config_tracking
    assert (flags.watch_namespace, flags.runtime_namespace) == (None, "kube-system")
    assert flags.metrics_addr == ":8080"


@pytest.mark.parametrize(
    ("argv", "field", "value", "reason"),
    [
        (["-mesh-provider=kubernetes"], "mesh_provider", "kubernetes", "one dash, as Go's"),
        (["--port", "9000"], "metrics_addr", ":9000", "the port of the metrics"),
        (["-namespace=a"], "watch_namespace", "a", "one namespace"),
        (["-namespace=a"], "runtime_namespace", "a", "which has the lease as well"),
        (["-leader-election-namespace=b"], "runtime_namespace", "b", "else as given"),
        (["-include-label-prefix=a, b,"], "label_prefixes", ("a", "b"), "a list"),
        (["-analysis-interval-floor=1s"], "analysis_interval_floor", 1.0, "a duration"),
        (["-enable-config-tracking=false"], "enable_config_tracking", False, "off"),
    ],
)
def test_flags(argv, field, value, reason):
    assert getattr(parse(CanaryFlags, argv, {}), field) == value, reason


def test_the_event_webhook_may_come_from_the_environment():
    flags = parse(CanaryFlags, [], {"EVENT_WEBHOOK_URL": "http://events"})
    assert flags.event_webhook == "http://events"


@pytest.mark.parametrize(
    "argument",
    ["-control-loop-interval=0s", "-analysis-interval-floor=0s", "-selector-labels=,"],
)
def test_what_makes_no_sense_is_refused(argument):
    with pytest.raises(FlagError, match=argument.partition("=")[0]):
        parse(CanaryFlags, [argument], {})


def test_a_provider_without_a_router_is_said_at_the_start():
    assert "istio" in parse(CanaryFlags, [], {}).provider_note
    assert parse(CanaryFlags, ["-mesh-provider=kubernetes"], {}).provider_note == ""
