"""One push and what became of it: times, stages with their evidence, a verdict."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from fluvial.cli.demo.board import Board, Note, Stage
from fluvial.cli.demo.measurements import Measurements
from fluvial.cli.demo.project import Version
from fluvial.cluster.load import Load, Tally

__all__ = ["Release", "Weighed", "timeline"]

_HALT: Final = re.compile(r"^Halt (\S+ )?advancement ")
_TRAFFIC: Final = frozenset({"Progressing", "WaitingPromotion", "Promoting", "Finalising"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """A stretch of time at one weight.

    How long, how users fared, what the canary controller objected to and measured.
    """

    weight: int
    seconds: float
    tally: Tally
    objection: str
    measured: dict[str, float]


@dataclass(slots=True)
class Release:
    """A push; times are of `time.monotonic`, 0 while something has not happened.

    `since` and `said` are the numbers of the board's first stage and note after the push.
    """

    title: str
    version: Version
    revision: str
    since: int
    said: int
    pushed: float = field(default_factory=time.monotonic)
    artifact: float = 0.0
    applied: float = 0.0
    decided: float = 0.0
    verdict: str = ""

    def stages(self, board: Board) -> list[Stage]:
        """Return the canary's stages since the push, up to the verdict."""
        until = self.decided or float("inf")
        return [stage for stage in board.stages[self.since :] if stage.at <= until]

    def notes(self, board: Board) -> list[Note]:
        """Return what the canary controller said since the push, up to the verdict."""
        until = self.decided or float("inf")
        return [note for note in board.notes[self.said :] if note.at <= until]

    def weighed(self, board: Board, load: Load, measurements: Measurements) -> list[Weighed]:
        """Return the stretches with users on the new version, by weight and in order."""
        stages = self.stages(board)
        end = self.decided or time.monotonic()
        found: list[Weighed] = []
        index = 0
        while index < len(stages):
            last = index
            while last + 1 < len(stages) and stages[last + 1].weight == stages[index].weight:
                last += 1
            start = stages[index].at
            stop = stages[last + 1].at if last + 1 < len(stages) else end
            if stages[index].weight and stages[index].phase in _TRAFFIC:
                found.append(
                    Weighed(
                        stages[index].weight,
                        stop - start,
                        load.between(start, stop),
                        _objection(self.notes(board), start, stop),
                        measurements.within(start, stop),
                    )
                )
            index = last + 1
        return found


def timeline(
    releases: Sequence[Release], board: Board, load: Load, measurements: Measurements
) -> list[str]:
    """Return the lines that tell what each push led to, and how long it took."""
    lines: list[str] = []
    for release in releases:
        lines += ["", f"{release.title}: {release.verdict}"]
        lines.append(f"  {'commit':<15}{release.revision}")
        lines.append(_after("artifact", release.artifact - release.pushed))
        lines.append(_after("applied", release.applied - release.pushed))
        for weighed in release.weighed(board, load, measurements):
            lines += _evidence(weighed, release.version.label)
        lines.append(_after("verdict", release.decided - release.pushed))
    times = [release.applied - release.pushed for release in releases]
    if times:
        took = f"{1000 * median(times):.0f} ms (median of {len(times)})"
        lines += ["", f"From push to applied: {took}"]
    return lines


def _evidence(weighed: Weighed, label: str) -> list[str]:
    """Return what users saw at a weight, and what the canary controller did."""
    tally = weighed.tally
    seen = (
        f"{tally.requests} requests, {tally.success:.1f} % good, p99 {1000 * tally.p99:.0f} ms;"
        f" {tally.share(label):.0f} % saw it"
    )
    values = weighed.measured
    parts = []
    if "request-success-rate" in values:
        parts.append(f"{values['request-success-rate']:.1f} % good")
    if "request-duration" in values:
        parts.append(f"p99 {1000 * values['request-duration']:.0f} ms")
    judged = f"{', '.join(parts)}; {weighed.objection}" if parts else weighed.objection
    return [
        f"  {f'{weighed.weight} % of users':<15}{weighed.seconds:6.2f} s  all users: {seen}",
        f"  {'':<15}{'':8}  the new version: {judged}",
    ]


def _after(what: str, seconds: float) -> str:
    return f"  {what:<15}{seconds:6.2f} s  after the push"


def _objection(notes: Sequence[Note], start: float, stop: float) -> str:
    """Say how many checks of a stretch failed, and why the last one did."""
    halts = [
        note.message
        for note in notes
        if note.type == "Warning" and start <= note.at < stop and note.message.startswith("Halt")
    ]
    if not halts:
        return "passed"
    count = "1 check" if len(halts) == 1 else f"{len(halts)} checks"
    return f"{count} failed: {_HALT.sub('', halts[-1])}"
