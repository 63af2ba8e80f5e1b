import pytest

from fluvial.source.flags import SourceFlags
from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse


def test_defaults_are_upstream_s():
    flags = parse(SourceFlags, [], {})
    assert flags.concurrent == 2
    assert flags.storage_path == "/data"
    assert flags.storage_listen == ("", 9090)
    assert (flags.artifact_retention_ttl, flags.artifact_retention_records) == (60.0, 2)
    assert flags.requeue_dependency == 30.0
    assert flags.interval_jitter_percentage == 5


def test_the_environment_outranks_defaults_and_flags_outrank_it():
    environ = {"STORAGE_PATH": "/a", "STORAGE_ADDRESS": ":1", "STORAGE_ADV_ADDR": "src"}
    flags = parse(SourceFlags, ["--storage-path=/b"], environ)
    assert flags.storage_path == "/b"
    assert flags.storage_listen == ("", 1)
    assert flags.advertised(1) == "src"


@pytest.mark.parametrize(
    ("addr", "adv", "expected", "reason"),
    [
        (":9090", "", "localhost:9090", "an empty host is this one"),
        ("0.0.0.0:9090", "", "pod-1:9090", "any address: the host's name"),
        ("10.0.0.1:0", "", "10.0.0.1:9090", "the port that was really taken"),
        (":9090", "source.flux-system.svc.cluster.local.", None, "as given, trailing dot and all"),
        (":9090", "https://cdn", None, "a scheme too"),
    ],
)
def test_the_advertised_address(monkeypatch, addr, adv, expected, reason):
    monkeypatch.setenv("HOSTNAME", "pod-1")
    flags = SourceFlags(storage_addr=addr, storage_adv_addr=adv)
    assert flags.advertised(9090) == (expected or adv), reason


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--artifact-digest-algo=md5", "use .*sha256"),
        ("--artifact-retention-records=0", "1 or more"),
        ("--interval-jitter-percentage=100", "0 to 99"),
        ("--helm-chart-max-size=0", "must be positive"),
        ("--helm-chart-file-max-size=-1", "must be positive"),
        ("--storage-addr=9090", "host"),
        ("--storage-addr=:99999", "host"),
        ("--storage-addr=[::1:9090", "unpaired bracket"),
        ("--feature-gates=OptimizedGitClones=true", "unknown gate"),
        ("--default-service-account=a", "needs --feature-gates=ObjectLevelWorkloadIdentity=true"),
        ("--token-cache-max-size=-1", "0 or more"),
    ],
)
def test_flags_that_end_the_process(argument, message):
    with pytest.raises(FlagError, match=message):
        parse(SourceFlags, [argument], {})


def test_an_ipv6_address():
    assert SourceFlags(storage_addr="[::1]:80").storage_listen == ("::1", 80)
