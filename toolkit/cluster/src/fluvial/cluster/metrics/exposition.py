"""Prometheus' text exposition format (0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fluvial.cluster.metrics.errors import ExpositionError

__all__ = ["Sample", "number", "parse"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\\n]|\\.)*)"[ \t]*(,?)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_VALUE = re.compile(r"[+-]?(?:inf(?:inity)?|nan|[0-9.]+(?:e[+-]?[0-9]+)?)", re.IGNORECASE)
_END = re.compile(r"[ \t]*\}")
_TAIL = re.compile(r"[ \t]+(\S+)(?:[ \t]+(-?[0-9]+))?[ \t]*")


class Sample(NamedTuple):
    """One line: `timestamp` is in milliseconds, None when the line has none."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: int | None


def parse(text: str) -> Iterator[Sample]:
    """Yield the samples. Raises `ExpositionError` at the first line that is none."""
    for index, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \t\r")
        if stripped and not stripped.startswith("#"):
            try:
                yield _sample(stripped)
            except ValueError as error:
                raise ExpositionError(f"line {index}: {error}: {stripped[:120]!r}") from None


def number(text: str) -> float:
    """Read a value. Raises `ValueError`; Python's own `float` takes more than the format does."""
    if not _VALUE.fullmatch(text):
        raise ValueError(f"{text!r} is no value")
    return float(text)


def _sample(line: str) -> Sample:
    name = _NAME.match(line)
    if name is None:
        raise ValueError("a metric's name was expected")
    position = name.end()
    labels: dict[str, str] = {}
    rest = line[position:].lstrip(" \t")
    if rest.startswith("{"):
        position = line.index("{") + 1
        comma = ","
        while label := _LABEL.match(line, position):
            if not comma:
                raise ValueError("labels must be separated by commas")
            if label[1] in labels:
                raise ValueError(f"the label {label[1]} is there twice")
            labels[label[1]] = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), label[2])
            comma = label[3]
            position = label.end()
        end = _END.match(line, position)
        if end is None:
            raise ValueError("the labels do not end")
        position = end.end()
    tail = _TAIL.fullmatch(f" {line[position:]}")
    if tail is None:
        raise ValueError("a value and at most a timestamp were expected")
    return Sample(name[0], labels, number(tail[1]), int(tail[2]) if tail[2] else None)
