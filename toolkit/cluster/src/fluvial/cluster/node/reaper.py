"""Cleans up after a control plane that was killed: process groups and private directories.

Usage: `reaper.py DIRECTORY`, in a session of its own. It reads `+PGID` and `-PGID` lines from
standard input. The end of input means that the control plane is gone: it then kills every group
that is left (the launcher's signal reaches children only, not theirs) and removes DIRECTORY,
which holds materialized Secrets. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from typing import TextIO


def follow(lines: TextIO) -> set[int]:
    """Return the groups that are alive when the input ends."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main(directory: str) -> None:
    """Wait for the end of input, then clean up."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    for group in follow(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
