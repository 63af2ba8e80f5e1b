"""The pool, with real processes that are killed for real."""

import asyncio
import importlib
import os
import signal
import sys
from pathlib import Path

import pytest

from fluvial.toolkit.workers import DeadlineExceeded, JobError, WorkerDied, WorkerPool

LONG = 60.0


@pytest.fixture
def jobs():
    return importlib.import_module("worker_jobs")


async def until(condition):
    """Wait for what another process does: there is no event to wait for."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (as said)
            await asyncio.sleep(0.002)


async def appeared(path):
    """Wait for a worker to write a file."""
    await until(lambda: path.exists() and path.read_text())
    return path.read_text()


def is_gone(pid):
    """Whether a process is no more, or a zombie that nobody has read yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


async def test_a_job_runs_elsewhere_and_returns_a_struct(jobs):
    async with WorkerPool(workers=1) as pool:
        answer = await pool.run(
            "worker_jobs:echo", jobs.Ask("é", 3), jobs.Answer, key="k", deadline=LONG
        )
    assert answer.text == "ééé"
    assert answer.pid != os.getpid()


async def test_large_messages_cross_in_both_directions(jobs):
    text = "x" * (3 << 20)
    async with WorkerPool(workers=1) as pool:
        answer = await pool.run(
            "worker_jobs:echo", jobs.Ask(text), jobs.Answer, key="k", deadline=LONG
        )
    assert answer.text == text


async def test_a_key_stays_with_its_worker(jobs):
    async with WorkerPool(workers=2) as pool:
        await until(lambda: not any(slot.busy for slot in pool._slots))
        by_key = {
            key: {
                (
                    await pool.run(
                        "worker_jobs:echo", jobs.Ask(), jobs.Answer, key=key, deadline=LONG
                    )
                ).pid
                for _ in range(3)
            }
            for key in map(str, range(16))
        }
    assert all(len(pids) == 1 for pids in by_key.values())
    assert len(set().union(*by_key.values())) == 2


async def test_a_slow_job_does_not_hold_up_its_neighbours(jobs, tmp_path):
    gate = tmp_path / "gate"
    async with WorkerPool(workers=2) as pool, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(
            pool.run(
                "worker_jobs:until_file", jobs.Ask(str(gate)), jobs.Answer, key="k", deadline=LONG
            )
        )
        busy = int(await appeared(tmp_path / "gate.started"))
        other = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
        gate.touch()
        assert (await slow).pid == busy != other.pid


@pytest.mark.parametrize(
    ("job", "expected", "reason"),
    [
        ("fail", ("ValueError", "boom", {}), "any exception arrives with its name and text"),
        (
            "fail_with_place",
            ("TemplateError", "boom", {"file": "a.yaml", "line": "3"}),
            "a JobError keeps its details",
        ),
        ("missing", ("AttributeError", None, {}), "an unknown function is the job's failure"),
        ("two", ("TypeError", None, {}), "a job takes one argument"),
    ],
)
async def test_an_exception_in_a_job(jobs, job, expected, reason):
    async with WorkerPool(workers=1) as pool:
        before = pool.pids
        with pytest.raises(JobError) as raised:
            await pool.run(
                f"worker_jobs:{job}", jobs.Ask("boom"), jobs.Answer, key="k", deadline=LONG
            )
        answer = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
    kind, message, details = expected
    assert raised.value.type == kind, reason
    assert message is None or str(raised.value) == message
    assert raised.value.details == details
    assert before in ([], [answer.pid]), "the worker lives on"


@pytest.mark.parametrize(
    ("job", "number", "text", "reason"),
    [
        ("crash", 0, f"signal {int(signal.SIGSEGV)}", "a crash in C code"),
        ("leave", 3, "status 3", "an exit from within"),
        ("devour", 1 << 20, "ran out of its 512 MiB", "the memory limit"),
    ],
)
async def test_a_worker_that_dies_fails_only_its_job(jobs, job, number, text, reason):
    async with WorkerPool(workers=1, memory=512 << 20) as pool:
        waiting = [
            asyncio.create_task(
                pool.run(
                    f"worker_jobs:{name}",
                    jobs.Ask("still here", size),
                    jobs.Answer,
                    key="k",
                    deadline=LONG,
                )
            )
            for name, size in ((job, number), ("echo", 0))
        ]
        with pytest.raises(WorkerDied, match=text):
            await waiting[0]
        assert (await waiting[1]).text == "still here", reason


async def test_a_deadline_kills_that_worker_only(jobs, tmp_path):
    async with WorkerPool(workers=2) as pool:
        gate = tmp_path / "gate"
        neighbour = asyncio.create_task(
            pool.run(
                "worker_jobs:until_file", jobs.Ask(str(gate)), jobs.Answer, key="a", deadline=LONG
            )
        )
        spared = int(await appeared(tmp_path / "gate.started"))
        with pytest.raises(DeadlineExceeded, match=r"worker_jobs:hang took longer than 0\.5 s"):
            await pool.run(
                "worker_jobs:hang",
                jobs.Ask(str(tmp_path / "hung")),
                jobs.Answer,
                key="b",
                deadline=0.5,
            )
        hung = int(await appeared(tmp_path / "hung"))
        await until(lambda: is_gone(hung))
        answer = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="b", deadline=LONG)
        assert answer.pid not in {spared, hung}
        gate.touch()
        assert (await neighbour).pid == spared


async def test_a_worker_killed_while_idle_is_replaced_unseen(jobs):
    async with WorkerPool(workers=1) as pool:
        first = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: is_gone(first.pid))
        await until(lambda: not pool.pids)
        second = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
    assert second.pid != first.pid


async def test_cancelling_the_caller_lets_the_job_finish(jobs, tmp_path):
    gate = tmp_path / "gate"
    async with WorkerPool(workers=1) as pool:
        caller = asyncio.create_task(
            pool.run(
                "worker_jobs:until_file", jobs.Ask(str(gate)), jobs.Answer, key="k", deadline=LONG
            )
        )
        pid = int(await appeared(tmp_path / "gate.started"))
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        gate.touch()
        await appeared(tmp_path / "gate.done")
        answer = await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
    assert answer.pid == pid


async def test_a_cancelled_caller_in_the_queue_is_forgotten(jobs, tmp_path):
    gate = tmp_path / "gate"
    async with WorkerPool(workers=1) as pool, asyncio.TaskGroup() as tasks:
        tasks.create_task(
            pool.run(
                "worker_jobs:until_file", jobs.Ask(str(gate)), jobs.Answer, key="k", deadline=LONG
            )
        )
        await appeared(tmp_path / "gate.started")
        queued = asyncio.create_task(
            pool.run(
                "worker_jobs:hang",
                jobs.Ask(str(tmp_path / "hung")),
                jobs.Answer,
                key="k",
                deadline=LONG,
            )
        )
        await asyncio.sleep(0)
        queued.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        gate.touch()
        await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)
    assert not (tmp_path / "hung").exists()


async def test_closing_ends_everything(jobs, tmp_path):
    async with WorkerPool(workers=1) as pool:
        running, queued = (
            asyncio.create_task(
                pool.run(
                    "worker_jobs:hang",
                    jobs.Ask(str(tmp_path / "hung")),
                    jobs.Answer,
                    key="k",
                    deadline=LONG,
                )
            )
            for _ in range(2)
        )
        pid = int(await appeared(tmp_path / "hung"))
    for task in (running, queued):
        with pytest.raises(WorkerDied, match="closed"):
            await task
    await until(lambda: is_gone(pid))
    with pytest.raises(WorkerDied, match="closed"):
        await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)


async def test_preloading_what_does_not_exist_is_reported_by_the_job(jobs):
    async with WorkerPool(workers=1, preload=["no_such_module"]) as pool:
        with pytest.raises(WorkerDied, match="status 1"):
            await pool.run("worker_jobs:echo", jobs.Ask(), jobs.Answer, key="k", deadline=LONG)


async def test_workers_see_no_secrets_of_the_environment(jobs, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    async with WorkerPool(workers=1) as pool:
        answer = await pool.run(
            "worker_jobs:environment",
            jobs.Ask("AWS_SECRET_ACCESS_KEY"),
            jobs.Answer,
            key="k",
            deadline=LONG,
        )
    assert answer.text == "absent"


PARENT = """
import asyncio, sys, worker_jobs
from fluvial.toolkit.workers import WorkerPool

async def main():
    async with WorkerPool(workers=1) as pool:
        await pool.run("worker_jobs:hang", worker_jobs.Ask(sys.argv[1]), worker_jobs.Answer,
                       key="k", deadline=600.0)

asyncio.run(main())
"""


async def test_a_worker_dies_with_its_parent(tmp_path):
    hung = tmp_path / "hung"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(hung))
    try:
        pid = int(await appeared(hung))
    finally:
        parent.kill()
        await parent.wait()
    await until(lambda: is_gone(pid))
