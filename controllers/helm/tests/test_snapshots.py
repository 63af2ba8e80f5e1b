"""The history in the status."""

from fluvial.helm import snapshots


def test_a_snapshot_says_what_was_observed(model, record):
    obj = model()
    snapshots.remember(obj, record(config={"a": 1.0}), "sha256", "install")
    one = obj.status.history[0]
    assert (one.api_version, one.name, one.namespace, one.version) == ("v2", "app", "default", 1)
    assert (one.chart_name, one.chart_version, one.app_version) == ("app", "1.0.0", "7")
    assert (one.status, one.action) == ("deployed", "install")
    assert one.first_deployed == "2026-01-01T00:00:00Z"
    assert one.deleted is None
    assert snapshots.matches(one, record(config={"a": 1.0}))
    text = snapshots.text_of(one)
    assert text == "release default/app.v1 with chart app@1.0.0"


def test_what_became_of_a_record_takes_its_place_and_keeps_its_action(model, record):
    obj = model()
    snapshots.remember(obj, record(), "sha256", "install")
    snapshots.remember(obj, record(version=2, status="pending-upgrade"), "sha256", "upgrade")
    snapshots.remember(obj, record(status="superseded"), "sha256")
    snapshots.remember(obj, record(version=2), "sha256")
    found = [(one.version, one.status, one.action) for one in obj.status.history]
    assert found == [(2, "deployed", "upgrade"), (1, "superseded", "install")]


def test_an_older_record_that_was_forgotten_stays_so(model, record):
    obj = model()
    snapshots.remember(obj, record(version=3), "sha256")
    snapshots.remember(obj, record(version=1), "sha256")
    assert [one.version for one in obj.status.history] == [3]


def fill(obj, record, *statuses):
    for number, status in enumerate(statuses, 1):
        snapshots.remember(obj, record(version=number, status=status), "sha256")


def test_the_newest_earlier_good_one_is_the_way_back(model, record):
    obj = model()
    fill(obj, record, "superseded", "failed", "superseded", "failed", "failed")
    target = snapshots.previous_good(obj)
    assert target is not None
    assert target.version == 3


def test_the_history_ends_with_the_previous_good_one(model, record):
    obj = model()
    fill(obj, record, "superseded", "superseded", "failed", "deployed")
    snapshots.truncate(obj, retries_in_place=False)
    assert [one.version for one in obj.status.history] == [4, 3, 2]


def test_without_a_good_one_five_are_kept(model, record):
    obj = model()
    fill(obj, record, *["failed"] * 7)
    snapshots.truncate(obj, retries_in_place=False)
    assert [one.version for one in obj.status.history] == [7, 6, 5, 4, 3]


def test_retrying_in_place_keeps_five_whatever_they_are(model, record):
    obj = model()
    fill(obj, record, *["superseded"] * 6, "deployed")
    snapshots.truncate(obj, retries_in_place=True)
    assert len(obj.status.history) == 5
