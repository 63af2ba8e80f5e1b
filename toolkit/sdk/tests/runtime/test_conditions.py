from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.meta import Condition, ObjectMeta
from fluvial.toolkit import conditions as c
from fluvial.toolkit.conditions import READY, RECONCILING, STALLED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def obj(kustomization):
    from fluvial.apis.decoding import decode  # noqa: PLC0415 - the one user

    found = decode(KUSTOMIZATION, kustomization())
    found.metadata.generation = 3
    return found


def condition(type, status="True", generation=1, reason="R", message="m"):
    return Condition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time="2026-01-01T00:00:00Z",
        observed_generation=generation,
    )


@pytest.mark.parametrize(
    ("status", "reason", "message", "moves", "why"),
    [
        ("True", "R", "m", False, "nothing changed"),
        ("False", "R", "m", True, "the status"),
        ("True", "Other", "m", True, "the reason, other than in core Kubernetes"),
        ("True", "R", "other", True, "the message, likewise"),
    ],
)
def test_when_the_transition_time_moves(  # noqa: PLR0917 - a table
    obj, status, reason, message, moves, why
):
    c.mark(obj, READY, "True", "R", "m", now=NOW)
    c.mark(obj, READY, status, reason, message, now=LATER)
    expected = "2026-01-01T01:00:00Z" if moves else "2026-01-01T00:00:00Z"
    assert c.get(obj, READY).last_transition_time == expected, why


def test_the_generation_is_always_the_present_one(obj):
    c.mark(obj, READY, "True", "R", "m", now=NOW)
    obj.metadata.generation = 4
    c.mark(obj, READY, "True", "R", "m", now=LATER)
    assert c.get(obj, READY).observed_generation == 4


@given(st.text(max_size=100), st.integers(0, 40000))
def test_messages_fit_the_schema(text, padding):
    from fluvial.apis.kustomize import KustomizationStatus  # noqa: PLC0415 - per example

    class Bare:
        metadata = ObjectMeta()
        status = KustomizationStatus()

    message = text + "é" * padding
    c.mark(Bare(), READY, "True", "R", message, now=NOW)
    cut = c.get(Bare(), READY).message
    assert len(cut.encode()) <= 32768
    if len(message.encode()) <= 32768:
        assert cut == message
    else:
        assert cut.endswith("...")
        assert message.startswith(cut[:-3])


def test_reconciling_and_stalled_exclude_each_other(obj):
    c.mark_reconciling(obj, "Progressing", "m", now=NOW)
    c.mark_stalled(obj, "InvalidPath", "m", now=NOW)
    assert [x.type for x in obj.status.conditions] == [STALLED]
    c.mark_reconciling(obj, "Progressing", "m", now=NOW)
    assert [x.type for x in obj.status.conditions] == [RECONCILING]


def test_the_order_of_writing():
    found = c.ordered(
        [
            condition("Zeta", generation=5),
            condition("Alpha", generation=2),
            condition("Beta", generation=5),
            condition(READY, generation=1),
            condition(RECONCILING, generation=9),
            condition(STALLED, generation=0),
        ]
    )
    names = [x.type for x in found]
    assert names == [STALLED, RECONCILING, READY, "Beta", "Zeta", "Alpha"]


@pytest.mark.parametrize(
    ("types", "expected", "why"),
    [
        ([READY], True, "Ready alone"),
        ([READY, RECONCILING], False, "still at work"),
        ([READY, STALLED], False, "given up"),
        ([], False, "a missing condition is Unknown"),
    ],
)
def test_ready_means_nothing_else_is_going_on(obj, types, expected, why):
    obj.status.conditions = [condition(name) for name in types]
    assert c.is_ready(obj) is expected, why


@pytest.mark.parametrize(
    ("present", "expected", "why"),
    [
        (
            [("ArtifactInStorage", "True"), ("FetchFailed", "True")],
            ("False", "FetchFailed"),
            "what is bad and True beats everything",
        ),
        (
            [("ArtifactInStorage", "False"), ("SourceReady", "True")],
            ("False", "ArtifactInStorage"),
            "what is good and False beats what is good and True",
        ),
        (
            [("FetchFailed", "False"), ("ArtifactInStorage", "True")],
            ("True", "ArtifactInStorage"),
            "what is good and True gives the reason",
        ),
        ([("FetchFailed", "False")], ("True", "FetchFailed"), "nothing bad, so True"),
        (
            [("ArtifactInStorage", "Unknown")],
            ("Unknown", "ArtifactInStorage"),
            "nothing is known",
        ),
        (
            [("ArtifactInStorage", "True"), ("SourceVerified", "False")],
            ("False", "SourceVerified"),
            "a two-sided condition overrides when False",
        ),
    ],
)
def test_ready_sums_up(obj, present, expected, why):
    obj.status.conditions = [condition(t, s, reason=t) for t, s in present]
    c.summarize(
        obj,
        ["FetchFailed", "ArtifactInStorage", "SourceReady", "SourceVerified"],
        negative=["FetchFailed"],
        bipolar=["SourceVerified"],
        now=NOW,
    )
    ready = c.get(obj, READY)
    assert (ready.status, ready.reason) == expected, why


def test_a_merge_keeps_what_others_wrote():
    latest = [condition("Theirs"), condition(READY, "False"), condition("Ours")]
    own = [condition(READY, "True"), condition("Theirs", "False")]
    merged = c.merge(latest, own, owned=[READY, "Ours"])
    assert {x.type: x.status for x in merged} == {READY: "True", "Theirs": "True"}


def test_an_attempt_that_ends_where_it_began_has_changed_nothing():
    written = [condition(READY), condition(STALLED)]
    own = [condition(READY), condition(STALLED, reason="Other")]
    for x in own:
        x.last_transition_time = "2026-02-02T00:00:00Z"
    c.keep_times(own, written)
    assert [x.last_transition_time[:7] for x in own] == ["2026-01", "2026-02"]
