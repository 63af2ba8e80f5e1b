"""The crew: what it starts is gone with it, and a premature end is told."""

import asyncio
import fcntl
import os
import sys

import pytest

from fluvial.cli.demo.errors import ProcessEnded, StepFailed
from fluvial.cli.demo.processes import Crew

FOREVER = "import signal; print('up', flush=True); signal.pause()"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def started(crew, name="one", code=FOREVER):
    return await crew.start_program(
        name, sys.executable, "-c", code, ready=lambda: "up" in crew.tail(name), within=20
    )


async def test_processes_and_folder_go_with_the_crew():
    async with Crew() as crew:
        member = await started(crew)
        folder, pid = crew.folder, member.process.pid
        assert alive(pid)
    assert not alive(pid)
    assert not folder.exists()


async def test_children_go_with_their_parent(tmp_path):
    lock = tmp_path / "lock"
    child = (
        "import fcntl, signal, sys; lock = open(sys.argv[1], 'w'); "
        "fcntl.flock(lock, fcntl.LOCK_EX); print('up', flush=True); signal.pause()"
    )
    code = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}, {str(lock)!r}])"
    )
    async with Crew() as crew:
        await started(crew, code=code)
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # Only the child's end lets go of the lock; the kernel may take a moment for that.
    async with asyncio.timeout(10):
        with lock.open() as file:
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)


async def test_an_end_before_ready_is_told():
    async with Crew() as crew:
        with pytest.raises(ProcessEnded, match=r"one ended by itself \(status 3\)"):
            await started(crew, code="print('no', flush=True); raise SystemExit(3)")
        assert crew.tail("one") == "no"


async def test_never_ready_is_told():
    async with Crew() as crew:
        with pytest.raises(StepFailed, match="one was not ready within 0 s") as caught:
            await crew.start_program(
                "one", sys.executable, "-c", FOREVER, ready=lambda: False, within=0
            )
        assert caught.value.process == "one"


async def test_watch_names_who_was_killed():
    async with Crew() as crew:
        await started(crew, "one")
        await started(crew, "two")
        crew.kill("two")
        with pytest.RaisesGroup(ProcessEnded) as caught:
            await crew.watch()
        assert "two ended by itself (killed by SIGKILL)" in str(caught.value.exceptions[0])


async def test_temporary_files_are_in_the_folder():
    async with Crew() as crew:
        code = "import signal, tempfile; print('up', tempfile.gettempdir(), flush=True); "
        code += "signal.pause()"
        await started(crew, code=code)
        assert crew.tail("one") == f"up {crew.folder / 'tmp'}"
