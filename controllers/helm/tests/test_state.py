"""Which state a release is in, and what is done then: tables without any cluster."""

import pytest

from fluvial.helm.digests import config_digest
from fluvial.helm.snapshots import remember
from fluvial.helm.state import (
    Desired,
    Finish,
    Install,
    Rollback,
    Stall,
    State,
    Unexpected,
    Uninstall,
    Unlock,
    Upgrade,
    decide,
    determine,
)

WANTED = Desired("app", "1.0.0", config_digest(None))
RETRY = {"name": "RetryOnFailure"}


def known(obj, *records):
    """Let the history know records, the oldest first."""
    for one in records:
        remember(obj, one, "sha256")
    return list(reversed(records))


@pytest.mark.parametrize(
    ("stored", "seen", "expected", "reason"),
    [
        ([], [], State.ABSENT, "nothing is stored"),
        ([{}], [{}], State.IN_SYNC, "deployed as wanted"),
        ([{"status": "pending-install"}], [], State.LOCKED, "an action was interrupted"),
        ([{"status": "pending-upgrade"}], [{}], State.LOCKED, "and that comes before the history"),
        ([{}], [], State.UNMANAGED, "someone else installed it"),
        ([{"status": "uninstalled"}], [], State.ABSENT, "only its history was kept"),
        ([{"version": 2}], [{}], State.UNMANAGED, "someone else upgraded it"),
        ([{"config": {"a": 1.0}}], [{}], State.UNMANAGED, "someone changed the record"),
        ([{"status": "failed"}], [{"status": "failed"}], State.FAILED, "ours failed"),
        ([{"status": "uninstalled"}], [{"status": "uninstalled"}], State.ABSENT, "kept history"),
        ([{"status": "superseded"}], [{"status": "superseded"}], State.UNEXPECTED, "not current"),
        ([{"chart_version": "0.9.0"}], [{"chart_version": "0.9.0"}], State.OUT_OF_SYNC, "chart"),
        ([{"config": {"a": 1.0}}], [{"config": {"a": 1.0}}], State.OUT_OF_SYNC, "values"),
    ],
)
def test_determine(model, record, stored, seen, expected, reason):  # noqa: PLR0917 - a table
    obj = model()
    known(obj, *(record(**one) for one in seen))
    assert determine(obj, [record(**one) for one in stored], WANTED) is expected, reason


def test_a_snapshot_of_an_older_form_compares_the_number_alone(model, record):
    obj = model()
    known(obj, record())
    obj.status.history[0].api_version, obj.status.history[0].digest = "v1", "sha256:00"
    assert determine(obj, [record()], WANTED) is State.IN_SYNC


def test_decorations_count_only_with_a_new_generation(model, record):
    obj = model(commonMetadata={"labels": {"a": "1"}})
    records = known(obj, record())
    obj.status.observed_generation = obj.metadata.generation
    assert determine(obj, records, WANTED) is State.IN_SYNC
    obj.metadata.generation += 1
    assert determine(obj, records, WANTED) is State.OUT_OF_SYNC


def after(obj, action, failures):
    obj.status.last_attempted_release_action = action
    setattr(obj.status, f"{action}_failures", failures)
    return obj


INSTALL_FAILED = [{"status": "failed"}]
UPGRADE_FAILED = [{"status": "deployed"}, {"version": 2, "status": "failed"}]


@pytest.mark.parametrize(
    ("spec", "records", "last", "forced", "expected", "reason"),
    [
        ({}, [], ("install", 0), False, Install(), "the first try"),
        ({}, [], ("install", 1), False, Stall, "with no retries one failure is all"),
        ({}, [], ("install", 1), True, Install(), "unless forced"),
        ({"install": {"remediation": {"retries": 2}}}, [], ("install", 2), False, Install(),
         "the second retry"),
        ({"install": {"remediation": {"retries": -1}}}, [], ("install", 99), False, Install(),
         "negative is without end"),
        ({"install": {"strategy": RETRY}}, [], ("install", 99), False, Install(),
         "in place is without end"),
        ({}, INSTALL_FAILED, ("install", 1), False, Stall, "the last failure is left to look at"),
        ({"install": {"remediation": {"retries": 1}}}, INSTALL_FAILED, ("install", 1), False,
         Uninstall(), "a failed install is uninstalled"),
        ({"install": {"remediation": {"retries": 1}}}, INSTALL_FAILED, ("install", 2), False,
         Stall, "the last one is not, by default"),
        ({"install": {"remediation": {"retries": 1, "remediateLastFailure": True}}},
         INSTALL_FAILED, ("install", 2), False, Uninstall(), "unless asked for"),
        ({"install": {"strategy": RETRY}}, INSTALL_FAILED, ("install", 3), False, Upgrade(),
         "in place nothing is remediated"),
        ({}, INSTALL_FAILED, ("install", 1), True, Upgrade(), "a force upgrades"),
        ({}, INSTALL_FAILED, ("install", 0), False, Upgrade(), "reset counters try again"),
        ({}, UPGRADE_FAILED, ("upgrade", 1), False, Stall, "no retries"),
        ({"upgrade": {"remediation": {"retries": 1}}}, UPGRADE_FAILED, ("upgrade", 1), False,
         Rollback, "to what was deployed before"),
        ({"upgrade": {"remediation": {"retries": 1}}}, UPGRADE_FAILED, ("upgrade", 2), False,
         Rollback, "the last failure, too, by default"),
        ({"upgrade": {"remediation": {"retries": 1, "remediateLastFailure": False}}},
         UPGRADE_FAILED, ("upgrade", 2), False, Stall, "unless told not to"),
        ({"upgrade": {"remediation": {"retries": 1, "strategy": "uninstall"}}}, UPGRADE_FAILED,
         ("upgrade", 1), False, Uninstall(), "the other strategy"),
        ({}, [{"status": "pending-upgrade"}], ("upgrade", 1), False, Unlock(), "first unlock"),
        ({}, [{"status": "uninstalling"}], ("install", 1), False, Uninstall(),
         "an interrupted uninstall goes on"),
        ({}, [{"status": "unknown"}], ("install", 0), False, Unexpected("unknown"), "not ours"),
        ({}, [{"chart_version": "0.9.0"}], ("upgrade", 0), False, Upgrade(), "another chart"),
        ({}, [{"chart_version": "0.9.0"}], ("upgrade", 1), False, Stall, "after a rollback"),
        ({}, [{}], ("install", 0), False, Finish(), "as wanted"),
        ({}, [{}], ("install", 0), True, Upgrade(), "forced all the same"),
    ],
)  # fmt: skip
def test_decide(  # noqa: PLR0917 - a table
    model, record, spec, records, last, forced, expected, reason
):
    obj = after(model(**spec), *last)
    stored = known(obj, *(record(**one) for one in records))
    found = decide(obj, stored, WANTED, forced=forced)
    if isinstance(expected, type):
        assert isinstance(found, expected), reason
    else:
        assert found == expected, reason


def failing(model):
    return after(model(upgrade={"remediation": {"retries": 1}}), "upgrade", 1)


def test_without_a_good_release_there_is_nothing_to_roll_back_to(model, record):
    obj = failing(model)
    stored = known(obj, record(status="failed"), record(version=2, status="failed"))
    found = decide(obj, stored, WANTED)
    assert isinstance(found, Stall)
    assert found.reason == "MissingRollbackTarget"


@pytest.mark.parametrize("change", [None, {"config": {"a": 1.0}}])
def test_a_target_that_is_gone_or_altered_is_not_trusted(model, record, change):
    obj = failing(model)
    known(obj, record(), record(version=2, status="failed"))
    stored = [record(version=2, status="failed"), *([record(**change)] if change else [])]
    assert decide(obj, stored, WANTED) == Upgrade()


def test_an_unmanaged_release_starts_a_new_history(model, record):
    assert decide(model(), [record()], WANTED) == Upgrade(anew=True)


def test_a_stall_counts_the_attempts(model):
    found = decide(after(model(), "install", 3), [], WANTED)
    assert found == Stall("RetriesExceeded", "Failed to install after 3 attempt(s)")


def test_the_gate_makes_retrying_in_place_the_default(model, record):
    obj = after(model(), "install", 1)
    stored = known(obj, record(status="failed"))
    assert decide(obj, stored, WANTED, retry_by_default=True) == Upgrade()
