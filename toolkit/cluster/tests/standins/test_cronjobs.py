import datetime as dt
import zoneinfo

import pytest

from fluvial.cluster.schedules import parse_schedule
from fluvial.cluster.standins.cronjobs import due

JOBS = "batch/v1/jobs"
CRONS = "batch/v1/cronjobs"


def at(text, zone=dt.UTC):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("schedule", "after", "expected", "reason"),
    [
        ("* * * * *", "2026-05-04T12:00:30", "2026-05-04T12:01:00", "the next minute"),
        ("*/15 * * * *", "2026-05-04T12:15:00", "2026-05-04T12:30:00", "strictly after"),
        ("5-10/5 * * * *", "2026-05-04T12:06:00", "2026-05-04T12:10:00", "a range with a step"),
        ("30/10 * * * *", "2026-05-04T12:41:00", "2026-05-04T12:50:00", "a start with a step"),
        ("0 3 * * *", "2026-05-04T12:00:00", "2026-05-05T03:00:00", "tomorrow"),
        ("0 0 1 * *", "2026-12-04T12:00:00", "2027-01-01T00:00:00", "over the year"),
        ("0 0 29 2 *", "2026-05-04T12:00:00", "2028-02-29T00:00:00", "a leap day"),
        ("0 9 * * mon-fri", "2026-05-08T12:00:00", "2026-05-11T09:00:00", "names; over a weekend"),
        ("0 9 * * 0", "2026-05-04T12:00:00", "2026-05-10T09:00:00", "0 is Sunday"),
        ("0 0 13 * fri", "2026-05-04T12:00:00", "2026-05-08T00:00:00", "either day will do"),
        ("0 0 1 jan,jul *", "2026-05-04T12:00:00", "2026-07-01T00:00:00", "a list of names"),
        ("@hourly", "2026-05-04T12:00:00", "2026-05-04T13:00:00", "a macro"),
    ],
)
def test_next_time(schedule, after, expected, reason):
    assert parse_schedule(schedule).next_after(at(after)) == at(expected), reason


def test_a_day_that_never_comes():
    assert parse_schedule("0 0 31 2 *").next_after(at("2026-05-04T12:00:00")) is None


def test_times_are_of_the_zone():
    zone = zoneinfo.ZoneInfo("Asia/Tokyo")
    found = parse_schedule("0 9 * * *").next_after(at("2026-05-04T12:00:00", zone))
    assert found.astimezone(dt.UTC) == at("2026-05-05T00:00:00")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("* * * *", r"expected exactly 5 fields, found 4: \[\* \* \* \*\]"),
        ("60 * * * *", r"end of range \(60\) above maximum \(59\): 60"),
        ("* 5-3 * * *", r"beginning of range \(5\) beyond end of range \(3\): 5-3"),
        ("* * 0 * *", r"beginning of range \(0\) below minimum \(1\): 0"),
        ("* * * * 7", r"end of range \(7\) above maximum \(6\): 7"),
        ("* * * mai *", "failed to parse int from mai: strconv.Atoi"),
        ("*/0 * * * *", r"step of range should be a positive number: \*/0"),
        ("*/2/3 * * * *", "too many slashes"),
        ("1-2-3 * * * *", "too many hyphens"),
        ("@often", "unrecognized descriptor: @often"),
    ],
)
def test_what_is_no_schedule(schedule, message):
    with pytest.raises(ValueError, match=message):
        parse_schedule(schedule)


@pytest.mark.parametrize(
    ("since", "expected", "reason"),
    [
        ("2026-05-04T12:00:00", (None, "12:10"), "not yet"),
        ("2026-05-04T11:55:00", ("12:00", "12:10"), "one is due"),
        ("2026-05-04T11:00:00", ("12:00", "12:10"), "of several the last"),
    ],
)
def test_what_is_due(since, expected, reason):
    last, upcoming = due(parse_schedule("*/10 * * * *"), at(since), at("2026-05-04T12:05:00"))
    shown = (last and f"{last:%H:%M}", f"{upcoming:%H:%M}")
    assert shown == expected, reason


def cron(schedule="*/10 * * * *", run="0s", **more):
    template = {
        "metadata": {"annotations": {"fluvial.dev/run-for": run}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "example.com/task"}],
        },
    }
    return {"schedule": schedule, "jobTemplate": {"spec": {"template": template}}, **more}


async def make(cluster, spec):
    await cluster.create("CronJob", "c", spec, api="batch/v1")
    await cluster.settled()


async def test_a_job_at_each_time(cluster):
    await make(cluster, cron())
    assert cluster.api.every(JOBS) == []
    await cluster.advance(600)
    (job,) = cluster.api.every(JOBS)
    minutes = int(at("2026-05-04T12:10:00").timestamp()) // 60
    assert job["metadata"]["name"] == f"c-{minutes}"
    await cluster.advance(600)
    assert len(cluster.api.every(JOBS)) == 2
    status = cluster.peek(CRONS, "c")["status"]
    assert status["lastScheduleTime"] == "2026-05-04T12:20:00Z"
    assert status["lastSuccessfulTime"] == "2026-05-04T12:20:00Z"
    assert "active" not in status


@pytest.mark.parametrize(
    ("policy", "jobs", "active"), [("Allow", 2, 2), ("Forbid", 1, 1), ("Replace", 1, 1)]
)
async def test_concurrency(cluster, policy, jobs, active):
    await make(cluster, cron(run="1h", concurrencyPolicy=policy))
    await cluster.advance(600)
    first = cluster.api.every(JOBS)[0]["metadata"]["name"]
    await cluster.advance(600)
    names = [job["metadata"]["name"] for job in cluster.api.every(JOBS)]
    assert len(names) == jobs
    assert (first in names) is (policy != "Replace")
    assert len(cluster.peek(CRONS, "c")["status"]["active"]) == active


async def test_history_is_limited(cluster):
    await make(cluster, cron(successfulJobsHistoryLimit=2))
    for _ in range(5):
        await cluster.advance(600)
    assert len(cluster.api.every(JOBS)) == 2


@pytest.mark.parametrize("spec", [cron(suspend=True), cron(schedule="nonsense")])
async def test_no_jobs(cluster, spec):
    await make(cluster, spec)
    await cluster.advance(3600)
    assert cluster.api.every(JOBS) == []
