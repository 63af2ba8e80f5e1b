"""Starts one container: binds its life to its parent's, then becomes the command.

Usage: `launcher.py PARENT_PID COMMAND [ARG…]`. Run by path with `-I -S`: standard library only.
The kernel kills the process when the thread that started it ends, however that happens.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Replace this process by the command, unless the parent is gone already."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It died before the line above took effect: no signal will come any more.
        sys.exit(f"launcher: the control plane (process {parent}) is gone")
    os.execvp(command[0], command)  # noqa: S606  the command is the allow-list's


if __name__ == "__main__":
    main(sys.argv[1:])
