import pytest

from fluvial.canary.flags import CanaryFlags
from fluvial.canary.main import NAME
from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse
from fluvial.toolkit.leader import lease_name


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
    assert (flags.kube_api_qps, flags.kube_api_burst) == (100, 250)
    lease = (flags.leader_election_lease_duration, flags.leader_election_renew_deadline)
    assert (*lease, flags.leader_election_retry_period) == (60, 15, 5)


def test_the_lease_and_the_events_have_the_go_controllers_name():
    assert lease_name(NAME) == "flagger-leader-election"


@pytest.mark.parametrize(
    ("argv", "field", "value", "reason"),
    [
        (["-mesh-provider=kubernetes"], "mesh_provider", "kubernetes", "one dash, as Go's"),
        (["--port", "9000"], "metrics_addr", ":9000", "the port of the metrics"),
        (["-namespace=a"], "watch_namespace", "a", "one namespace"),
        (["-namespace=a"], "runtime_namespace", "a", "which has the lease as well"),
        (["-leader-election-namespace=b"], "runtime_namespace", "b", "else as given"),
        (["-kubeconfig-qps=5"], "kube_api_qps", 5.0, "the toolkit's, by its name"),
        (["-kubeconfig-burst=7"], "kube_api_burst", 7, "likewise"),
        (["-kube-api-qps=6"], "kube_api_qps", 6.0, "or by the toolkit's own"),
        (["-zap-encoding=console"], "log_encoding", "console", "likewise"),
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
