"""The command line."""

import pytest

from fluvial.apis.ids import GroupKind
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse

INSTALLED = [
    "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
    "--watch-all-namespaces=true",
    "--log-level=info",
    "--log-encoding=json",
    "--enable-leader-election",
]


def test_the_arguments_of_the_usual_manifests():
    flags = parse(KustomizeFlags, INSTALLED, {})
    assert flags.enable_leader_election
    assert flags.concurrent == flags.concurrent_ssa == 4
    assert flags.requeue_dependency == 30.0
    assert flags.interval_jitter_percentage == 5


def test_lists():
    flags = parse(
        KustomizeFlags,
        ["--override-manager=helm,argocd", "--custom-apply-stage-kinds=example.com/Widget,Secret"],
        {},
    )
    assert flags.override_managers == ("helm", "argocd")
    assert flags.custom_stage == (GroupKind("example.com", "Widget"), GroupKind("", "Secret"))
    assert parse(KustomizeFlags, [], {}).custom_stage == ()


@pytest.mark.parametrize(
    ("argument", "part", "reason"),
    [
        ("--concurrent-ssa=0", "--concurrent-ssa", "no worker applies nothing"),
        ("--interval-jitter-percentage=100", "--interval-jitter-percentage", "an interval of 0"),
        ("--feature-gates=MigrateAPIVersion=true", "MigrateAPIVersion", "it would be ignored"),
    ],
)
def test_refused(argument, part, reason):
    with pytest.raises(FlagError, match=part):
        parse(KustomizeFlags, [argument], {})
