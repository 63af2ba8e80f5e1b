"""The timeline: from stages, answers, notes and samples to what is told."""

import pytest

from fluvial.cli.demo.board import Note, Stage
from fluvial.cli.demo.measurements import Measurements, values_in
from fluvial.cli.demo.project import GOOD
from fluvial.cli.demo.release import Release, timeline
from fluvial.cluster.load import Answer, Load

STAGES = [
    Stage(1.0, "Progressing", 0, 0),
    Stage(2.0, "Progressing", 10, 0),
    Stage(4.0, "Progressing", 10, 1),
    Stage(6.0, "Progressing", 50, 1),
    Stage(8.0, "Promoting", 50, 1),
    Stage(9.0, "Finalising", 0, 1),
    Stage(10.0, "Succeeded", 0, 1),
]


def release(**changes):
    fields = {
        "title": "A good version",
        "version": GOOD,
        "revision": "main@sha1:abc",
        "since": 0,
        "said": 0,
        "pushed": 0.0,
        "artifact": 0.25,
        "applied": 0.5,
        "decided": 10.0,
        "verdict": "promoted",
    }
    return Release(**{**fields, **changes})


@pytest.fixture
def load():
    made = Load("http://unused.invalid/", "web.example")
    made._answers.extend(
        [
            *(Answer(3.0, 0.01, 200, "1.0.0, Hello") for _ in range(9)),
            Answer(3.0, 0.02, 200, GOOD.label),
            Answer(7.0, 0.01, 500),
            Answer(7.0, 0.01, 200, GOOD.label),
        ]
    )
    return made


def test_stretches_join_stages_of_one_weight(board, load):
    board.stages += STAGES
    found = release().weighed(board, load, Measurements(""))
    assert [(each.weight, each.seconds) for each in found] == [(10, 4.0), (50, 3.0)]
    assert [each.tally.requests for each in found] == [10, 2]


def test_what_came_before_the_push_or_after_the_verdict_is_left_out(board, load):
    board.stages += [Stage(0.1, "Progressing", 10, 0), *STAGES, Stage(11.0, "Progressing", 10, 0)]
    found = release(since=1).weighed(board, load, Measurements(""))
    assert [each.weight for each in found] == [10, 50]


@pytest.mark.parametrize(
    ("notes", "said", "reason"),
    [
        ([], "passed", "no word is consent"),
        ([Note(3.0, "Warning", "Halt web.demo advancement 80%")], "1 check failed: 80%", "one"),
        ([Note(3.0, "Warning", "Halt advancement no")], "1 check failed: no", "no target"),
        (
            [
                Note(3.0, "Warning", "Halt advancement a"),
                Note(5.0, "Warning", "Halt advancement b"),
            ],
            "2 checks failed: b",
            "the last one is told",
        ),
        ([Note(7.0, "Warning", "Halt later")], "passed", "of another stretch"),
        ([Note(3.0, "Warning", "Canary failed!")], "passed", "no check"),
        ([Note(3.0, "Normal", "Halt?")], "passed", "no warning"),
    ],
)
def test_objections(board, load, notes, said, reason):
    board.stages += STAGES
    board.notes += notes
    assert release().weighed(board, load, Measurements(""))[0].objection == said, reason


def test_the_timeline(board, load):
    board.stages += STAGES
    measurements = Measurements("")
    measurements.take(4.1, {"request-success-rate": 99.5, "request-duration": 0.004})
    releases = [release(), release(title="Another", applied=0.7)]
    text = "\n".join(timeline(releases, board, load, measurements))
    assert "A good version: promoted" in text
    assert "artifact         0.25 s  after the push" in text
    assert "10 % of users    4.00 s  all users: 10 requests, 100.0 % good, p99 20 ms" in text
    assert "10 % saw it" in text
    assert "the new version: 99.5 % good, p99 4 ms; passed" in text
    assert "50 % of users    3.00 s  all users: 2 requests, 50.0 % good" in text
    assert text.endswith("From push to applied: 600 ms (median of 2)")


def test_values_in():
    page = (
        "# HELP flagger_canary_metric_analysis Last value\n"
        'flagger_canary_metric_analysis{metric="request-duration",name="web"} 0.005\n'
        'flagger_canary_metric_analysis{name="web",metric="request-success-rate"} 80.5\n'
        'flagger_canary_weight{workload="web"} 10.0\n'
    )
    assert values_in(page) == {"request-duration": 0.005, "request-success-rate": 80.5}


def test_only_new_values_count_as_measured():
    measurements = Measurements("")
    measurements.take(1.0, {"a": 1.0})
    measurements.take(5.0, {"a": 1.0})
    assert measurements.within(0.0, 2.0) == {"a": 1.0}
    assert measurements.within(3.0, 6.0) == {}
