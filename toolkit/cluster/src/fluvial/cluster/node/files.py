"""Files and directories that only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["private_directory", "private_file"]


def private_directory(path: Path) -> Path:
    """Make a directory with mode 0700, and every missing parent too; returns it.

    `Path.mkdir(parents=True, mode=…)` gives parents the default mode.
    """
    missing = [each for each in [path, *path.parents] if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return path


def private_file(path: Path) -> BinaryIO:
    """Open a file to append to, with mode 0600; its directory is made if missing."""
    private_directory(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    return os.fdopen(descriptor, "ab")
