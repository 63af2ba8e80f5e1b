"""What is forked is a process like any other: it has a status, and dies of signals."""

import asyncio
import os
import signal
import sys
import time

import pytest
from forked import Forked, warm_up

WITHIN = 60.0


def end_with(arguments):
    """Say what this process is given, and return a status."""
    sys.stderr.write(f"{os.environ['TOLD']} {arguments}\n")
    return int(arguments[0])


def fail(arguments):
    raise RuntimeError(arguments[0])


def stay(arguments):
    sys.stderr.write("here\n")
    time.sleep(WITHIN)
    return 0


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


async def ended(process):
    async with asyncio.timeout(WITHIN):
        return await process.wait()


@pytest.mark.parametrize("status", [0, 3])
async def test_what_the_program_returns_is_the_status(tmp_path, status):
    log = tmp_path / "log"
    log.write_text("before\n")
    process = Forked.start(end_with, str(status), "b", log=log, environment={"TOLD": "this"})
    assert await ended(process) == status == process.returncode
    assert log.read_text() == f"before\nthis ('{status}', 'b')\n"
    assert "TOLD" not in os.environ


async def test_an_exception_ends_it_and_is_in_the_log(tmp_path):
    log = tmp_path / "log"
    assert await ended(Forked.start(fail, "the reason", log=log)) == 1
    assert "RuntimeError: the reason" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_signal_is_the_status(tmp_path, number):
    process = Forked.start(stay, log=tmp_path / "log")
    assert process.returncode is None
    assert process.pid != os.getpid()
    process.send_signal(number)
    assert await ended(process) == -number
    process.send_signal(number)  # which reaches nobody, and is no error


async def test_several_run_at_once(tmp_path):
    slow = Forked.start(stay, log=tmp_path / "slow")
    quick = Forked.start(end_with, "0", log=tmp_path / "quick", environment={"TOLD": ""})
    assert await ended(quick) == 0
    assert slow.returncode is None
    slow.kill()
    assert await ended(slow) == -signal.SIGKILL
