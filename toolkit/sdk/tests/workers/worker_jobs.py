"""Jobs for the tests; workers import this module by its name."""

import os
import signal
import time
from pathlib import Path

import msgspec

from fluvial.toolkit.workers import JobError


class Ask(msgspec.Struct):
    text: str = ""
    number: int = 0


class Answer(msgspec.Struct):
    text: str
    pid: int


def echo(ask: Ask) -> Answer:
    return Answer(ask.text * max(ask.number, 1), os.getpid())


def environment(ask: Ask) -> Answer:
    return Answer(os.environ.get(ask.text, "absent"), os.getpid())


def fail(ask: Ask) -> Answer:
    raise ValueError(ask.text)


def fail_with_place(ask: Ask) -> Answer:
    raise JobError("TemplateError", ask.text, {"file": "a.yaml", "line": "3"})


def hang(ask: Ask) -> Answer:
    # Announces itself, then never ends.
    Path(ask.text).write_text(str(os.getpid()))
    while True:
        time.sleep(60)


def until_file(ask: Ask) -> Answer:
    Path(f"{ask.text}.started").write_text(str(os.getpid()))
    while not Path(ask.text).exists():
        time.sleep(0.002)
    Path(f"{ask.text}.done").write_text("done")
    return Answer("", os.getpid())


def crash(ask: Ask) -> Answer:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def leave(ask: Ask) -> Answer:
    os._exit(ask.number)


def devour(ask: Ask) -> Answer:
    hoard = [bytearray(ask.number) for _ in range(1024)]
    return Answer(str(len(hoard)), os.getpid())


def two(ask: Ask, other: Ask) -> Answer:
    return Answer(ask.text + other.text, 0)
