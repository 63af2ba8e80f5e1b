"""What the modules of the commands share: the type of argparse's collection of commands."""

import argparse
from typing import TypeAlias

__all__ = ["Commands"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  (its only name)
"""A command's module has `add(commands)`; its parser's default `run` takes the parsed arguments."""
