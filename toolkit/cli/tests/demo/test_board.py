"""What the board makes of what watches say."""

import asyncio

import pytest

from fluvial.cli.demo.board import condition, describe
from fluvial.cli.demo.errors import StepFailed


def kustomization(ready, revision):
    return {
        "kind": "Kustomization",
        "metadata": {"name": "web"},
        "status": {
            "lastAppliedRevision": revision,
            "conditions": [{"type": "Ready", "status": ready, "reason": "R", "message": "m"}],
        },
    }


async def test_a_stage_is_noted_once(board, make_canary):
    for status in (("Progressing", 10), ("Progressing", 10), ("Progressing", 50)):
        await board.take(make_canary(*status))
    assert [(stage.phase, stage.weight) for stage in board.stages] == [
        ("Progressing", 10),
        ("Progressing", 50),
    ]


async def test_a_failed_check_is_a_stage(board, make_canary):
    await board.take(make_canary("Progressing", 10))
    await board.take(make_canary("Progressing", 10, 1))
    assert [stage.failed for stage in board.stages] == [0, 1]


@pytest.mark.parametrize(
    ("events", "messages", "reason"),
    [
        ([{"message": "a"}, {"message": "a"}], ["a"], "the same event again"),
        ([{"message": "a"}, {"message": "a", "count": 2}], ["a", "a"], "a series counts up"),
        ([{"message": "a"}, {"message": "a", "uid": "2"}], ["a", "a"], "two events"),
        ([{"message": "a", "kind": "Deployment"}], [], "of another object"),
    ],
)
async def test_events(board, make_event, events, messages, reason):
    for fields in events:
        await board.take(make_event(**fields))
    assert [note.message for note in board.notes] == messages, reason


@pytest.mark.parametrize(
    ("objects", "known", "reason"),
    [
        ([("False", "r1")], False, "applied, and not ready"),
        ([("True", "r0")], False, "ready at another revision"),
        ([("True", "r1")], True, "applied and ready"),
        ([("True", "r1"), ("False", "r1")], True, "the first time counts"),
    ],
)
async def test_first_applied(board, objects, known, reason):
    for ready, revision in objects:
        await board.take(kustomization(ready, revision))
    assert (("Kustomization", "r1") in board.first) is known, reason


async def test_an_artifact_counts_without_ready(board):
    artifact = {"artifact": {"revision": "r1"}}
    await board.take({"kind": "GitRepository", "metadata": {"name": "app"}, "status": artifact})
    assert ("GitRepository", "r1") in board.first


async def test_until_returns_what_holds(board, make_canary):
    def weight():
        return board.stages[-1].weight if board.stages else None

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(board.until(weight, "w", "Canary", "web", within=10))
        tasks.create_task(board.take(make_canary("Progressing", 10)))
    assert waiting.result() == 10


async def test_until_tells_what_was_seen_and_who_is_guilty(board, make_canary):
    await board.take(make_canary("Progressing", 10, 2))
    with pytest.raises(StepFailed) as caught:
        await board.until(lambda: None, "the Canary is Succeeded", "Canary", "web", within=0)
    assert "phase Progressing, weight 10, 2 failed checks" in str(caught.value)
    assert caught.value.process == "canary"


async def test_until_says_that_there_is_no_object(board):
    with pytest.raises(StepFailed, match="seen: no HelmRelease banner"):
        await board.until(lambda: None, "ready", "HelmRelease", "banner", within=0)


def test_describe_names_every_condition():
    text = describe(kustomization("False", "r1"))
    assert text == "Kustomization web: Ready=False (R: m)"
    assert describe({}) == ""


def test_condition_of_an_object_without_any():
    assert condition({"kind": "Canary"}, "Ready") == {}
