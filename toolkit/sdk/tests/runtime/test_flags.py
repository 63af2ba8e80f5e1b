from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from fluvial.toolkit.flags import (
    FlagError,
    HelpRequested,
    IntervalFlags,
    RuntimeFlags,
    duration,
    flag,
    parse,
)


@dataclass(kw_only=True)
class Flags(IntervalFlags):
    gates: ClassVar[Mapping[str, bool]] = {"DirectSourceFetch": False, "Strict": True}

    concurrent: int = flag(2, "Workers.")
    receiver_addr: str = flag(":9292", "Receiver.", name="receiverAddr")
    http_timeout: float = duration(30.0, "Timeout.")


@pytest.mark.parametrize(
    ("argv", "field", "value", "reason"),
    [
        ([], "concurrent", 2, "a subclass changes a default"),
        ([], "leader_election_lease_duration", 35.0, "upstream's default"),
        (["--concurrent=8"], "concurrent", 8, "with an equals sign"),
        (["--concurrent", "8"], "concurrent", 8, "with a space"),
        (["-concurrent=8"], "concurrent", 8, "one dash, as Go's flag package takes it"),
        (["--metrics-addr=:0"], "metrics_addr", ":0", "port 0"),
        (["--receiverAddr=:1"], "receiver_addr", ":1", "a camelCase name"),
        (["--enable-leader-election"], "enable_leader_election", True, "a bare boolean"),
        (["--watch-all-namespaces=false"], "watch_all_namespaces", False, "false after ="),
        (["--watch-all-namespaces=F"], "watch_all_namespaces", False, "Go's short form"),
        (["--max-retry-delay=1h2m"], "max_retry_delay", 3720.0, "a duration in seconds"),
        (["--http-timeout", "1.5s"], "http_timeout", 1.5, "a fraction"),
        (["--events-addr=http://x/?a=b"], "events_addr", "http://x/?a=b", "only the first ="),
        (["--concurrent=1", "--concurrent=3"], "concurrent", 3, "the last one counts"),
    ],
)
def test_reading(argv, field, value, reason):
    assert getattr(parse(Flags, argv, {}), field) == value, reason


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nonsense"], "unknown flag: --nonsense"),
        (["--concurrent"], "needs a value: --concurrent"),
        (["--concurrent=many"], "--concurrent: "),
        (["--concurrent=0"], "--concurrent: 0 workers"),
        (["--max-retry-delay=10"], "--max-retry-delay: not a duration"),
        (["--watch-all-namespaces=maybe"], "neither true nor false"),
        (["serve"], "unexpected argument 'serve'"),
        (["--watch-all-namespaces", "false"], "unexpected argument 'false'"),
        (["--feature-gates=Nope=true"], "unknown gate 'Nope'; known are: DirectSourceFetch"),
        (["--feature-gates=Strict"], "write Strict=true"),
        (["--interval-jitter-percentage=100"], "below 100"),
        (["--leader-election-renew-deadline=40s"], "longer than the renew deadline"),
        (["--min-retry-delay=1h"], "at most --max-retry-delay"),
    ],
)
def test_refusing(argv, message):
    with pytest.raises(FlagError) as caught:
        parse(Flags, argv, {})
    assert message in str(caught.value)


def test_gates():
    flags = parse(Flags, ["--feature-gates=DirectSourceFetch=true"], {})
    assert flags.enabled("DirectSourceFetch")
    assert flags.enabled("Strict"), "the default stays"
    with pytest.raises(KeyError):
        flags.enabled("Undeclared")


def test_the_namespace_comes_from_the_environment():
    assert parse(RuntimeFlags, [], {"RUNTIME_NAMESPACE": "gitops"}).runtime_namespace == "gitops"
    assert parse(RuntimeFlags, [], {}).runtime_namespace == "flux-system"


def test_one_namespace_or_all():
    assert parse(RuntimeFlags, [], {}).watch_namespace is None
    argv = ["--watch-all-namespaces=false"]
    assert parse(RuntimeFlags, argv, {"RUNTIME_NAMESPACE": "x"}).watch_namespace == "x"


def test_help_lists_every_flag_with_its_default():
    with pytest.raises(HelpRequested) as caught:
        parse(Flags, ["--help"], {})
    text = str(caught.value)
    assert "--max-retry-delay (default 15m0s)" in text
    assert "--watch-all-namespaces (default true)" in text
    assert "--receiverAddr (default :9292)" in text
