"""Runs of the real demo, each in a temporary folder of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WITHIN = 120


class Run:
    """One `fluvial demo` whose temporary files are all below `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self._popen = None
        self.output = folder / "output"

    def start(self, *arguments):
        environment = {
            name: value for name, value in os.environ.items() if name not in {"KEEP", "METRICS"}
        }
        tmp = self.folder / "tmp"
        tmp.mkdir()
        with self.output.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "fluvial.cli.main", "demo", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, "TMPDIR": str(tmp)},
            )
        return self

    def fluvial(self, *arguments):
        command = [sys.executable, "-m", "fluvial.cli.main", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait(self):
        return self._popen.wait(WITHIN)

    def until(self, holds):
        end = time.monotonic() + WITHIN
        while not holds():
            assert self._popen.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.05)

    def signal(self, number):
        self._popen.send_signal(number)

    @property
    def text(self):
        return self.output.read_text()

    @property
    def left(self):
        """What still exists: files in its temporary folder, processes that have its path."""
        files = [str(path) for path in (self.folder / "tmp").iterdir()]
        return files + processes_of(self.folder / "tmp")

    def close(self):
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            self._popen.wait(WITHIN)


def processes_of(folder):
    """Return the processes that work below a folder, by their environment or arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(f"{entry.name} {arguments}")
    return found


@pytest.fixture
def demo(tmp_path):
    run = Run(tmp_path)
    yield run
    run.close()
