import pytest

from fluvial.cluster.standins.jobs import Decision, Tally, decide

JOBS = "batch/v1/jobs"
PODS = "v1/pods"


def failed(reason, message):
    return Decision(stop=True, ended="Failed", reason=reason, message=message)


LIMIT = failed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
LATE = failed("DeadlineExceeded", "Job was active longer than specified deadline")
DONE = Decision(
    stop=True,
    ended="Complete",
    reason="CompletionsReached",
    message="Reached expected number of succeeded pods",
)


@pytest.mark.parametrize(
    ("spec", "tally", "expected", "reason"),
    [
        ({"completions": 1}, Tally(), Decision(create=1), "the first pod"),
        ({"completions": 1}, Tally(active=1), Decision(), "it runs"),
        ({"completions": 1}, Tally(succeeded=1), DONE, "it succeeded"),
        ({"completions": 5, "parallelism": 2}, Tally(), Decision(create=2), "two at a time"),
        (
            {"completions": 5, "parallelism": 2},
            Tally(active=1, succeeded=4),
            Decision(),
            "no more than are missing",
        ),
        ({"parallelism": 3}, Tally(active=1), Decision(create=2), "a work queue"),
        ({"parallelism": 3}, Tally(active=2, succeeded=1), Decision(), "no new ones after one"),
        ({"parallelism": 3}, Tally(succeeded=3), DONE, "the queue is empty"),
        (
            {"completions": 1},
            Tally(failed=1, since_failure=3),
            Decision(again=7.0),
            "ten seconds after a failure",
        ),
        ({"completions": 1}, Tally(failed=1, since_failure=10), Decision(create=1), "again"),
        (
            {"completions": 1},
            Tally(failed=3, since_failure=0),
            Decision(again=40.0),
            "doubled each time",
        ),
        ({"completions": 1, "backoffLimit": 0}, Tally(failed=1), LIMIT, "no second try"),
        (
            {"completions": 1, "backoffLimit": 2},
            Tally(active=1, restarts=3),
            LIMIT,
            "restarts in place count too",
        ),
        (
            {"completions": 1, "activeDeadlineSeconds": 60},
            Tally(active=1, running_for=60),
            LATE,
            "too long",
        ),
        (
            {"completions": 1, "activeDeadlineSeconds": 60},
            Tally(active=1, running_for=20),
            Decision(again=40),
            "looked at again at the deadline",
        ),
        ({"completions": 1, "suspend": True}, Tally(active=1), Decision(stop=True), "suspended"),
        ({"completions": 0}, Tally(), DONE, "nothing to do is done"),
    ],
)
def test_decide(spec, tally, expected, reason):
    assert decide(spec, tally) == expected, reason


def job(annotations=None, **more):
    return {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": 1,
        "template": {
            "metadata": {"annotations": annotations or {}},
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "c", "image": "example.com/task"}],
            },
        },
        **more,
    }


def kinds(cluster):
    found = (cluster.peek(JOBS, "j").get("status") or {}).get("conditions") or []
    return {each["type"]: each.get("reason") for each in found if each["status"] == "True"}


async def test_runs_to_completion(cluster):
    await cluster.create("Job", "j", job({"fluvial.dev/run-for": "5s"}), api="batch/v1")
    await cluster.settled()
    assert cluster.peek(JOBS, "j")["status"]["active"] == 1
    assert kinds(cluster) == {}
    await cluster.advance(5)
    status = cluster.peek(JOBS, "j")["status"]
    assert kinds(cluster) == {
        "SuccessCriteriaMet": "CompletionsReached",
        "Complete": "CompletionsReached",
    }
    assert (status["succeeded"], status.get("active")) == (1, None)
    assert status["startTime"] < status["completionTime"]
    assert len(cluster.api.every(PODS)) == 1, "its pods stay, for their logs"


async def test_fails_after_its_retries(cluster):
    await cluster.create("Job", "j", job({"fluvial.dev/exit-code": "2"}), api="batch/v1")
    await cluster.settled()
    assert kinds(cluster) == {}
    await cluster.advance(10)
    assert kinds(cluster) == {
        "FailureTarget": "BackoffLimitExceeded",
        "Failed": "BackoffLimitExceeded",
    }
    assert cluster.peek(JOBS, "j")["status"]["failed"] == 2


async def test_suspended_and_resumed(cluster):
    await cluster.create("Job", "j", job(suspend=True), api="batch/v1")
    await cluster.settled()
    assert cluster.api.every(PODS) == []
    assert kinds(cluster) == {"Suspended": "JobSuspended"}
    assert "startTime" not in cluster.peek(JOBS, "j")["status"]
    await cluster.patch(JOBS, "j", {"spec": {"suspend": False}})
    await cluster.settled()
    assert "Complete" in kinds(cluster)
    assert "Suspended" not in kinds(cluster)


async def test_goes_when_its_time_is_over(cluster):
    await cluster.create("Job", "j", job(ttlSecondsAfterFinished=30), api="batch/v1")
    await cluster.settled()
    await cluster.advance(29)
    assert cluster.peek(JOBS, "j") is not None
    await cluster.advance(1)
    await cluster.settled()
    assert cluster.peek(JOBS, "j") is None
    assert cluster.api.every(PODS) == []
