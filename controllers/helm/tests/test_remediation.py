"""The defaults of remediation."""

import pytest

from fluvial.helm import remediation


@pytest.mark.parametrize(
    ("retries", "failures", "exhausted", "reason"),
    [
        (0, 0, False, "nothing has failed"),
        (0, 1, True, "no retry"),
        (2, 2, False, "one is left"),
        (2, 3, True, "none is left"),
        (-1, 1000, False, "without end"),
    ],
)
def test_exhausted(model, retries, failures, exhausted, reason):
    obj = model(install={"remediation": {"retries": retries}})
    obj.status.install_failures = failures
    assert remediation.of_install(obj).exhausted is exhausted, reason


@pytest.mark.parametrize(
    ("rules", "install", "upgrade", "reason"),
    [
        (None, False, False, "nothing said"),
        ({"retries": 1}, False, True, "an upgrade with retries remediates its last failure"),
        ({"retries": -1}, False, False, "without end there is no last one"),
        ({"retries": 1, "remediateLastFailure": False}, False, False, "said no"),
        ({"remediateLastFailure": True}, True, True, "said yes"),
    ],
)
def test_the_last_failure(model, rules, install, upgrade, reason):
    block = {"remediation": rules} if rules is not None else {}
    obj = model(install=block, upgrade=block)
    assert remediation.of_install(obj).last is install, reason
    assert remediation.of_upgrade(obj).last is upgrade, reason


def test_strategies(model):
    obj = model(
        install={"strategy": {"name": "RetryOnFailure", "retryInterval": "30s"}},
        upgrade={"remediation": {"strategy": "uninstall"}},
    )
    assert remediation.of_install(obj).retry_in_place
    assert remediation.of_install(obj).retry_interval == 30
    assert remediation.of_install(obj).uninstalls
    assert remediation.of_upgrade(obj).uninstalls
    assert not remediation.of_upgrade(model()).uninstalls


def test_the_named_strategy_beats_the_gate(model):
    obj = model(install={"strategy": {"name": "RemediateOnFailure"}})
    assert not remediation.of_install(obj, retry_by_default=True).retry_in_place
    assert remediation.of_upgrade(obj, retry_by_default=True).retry_in_place


def test_the_last_action_decides(model):
    obj = model()
    assert remediation.active(obj) is None
    obj.status.last_attempted_release_action = "upgrade"
    found = remediation.active(obj)
    assert found is not None
    assert found.action == "upgrade"
