"""The live table: objects on top, users below."""

import time
from typing import Final

from fluvial.cli.demo.board import Board, condition
from fluvial.cli.demo.screen import bar
from fluvial.cli.demo.steps import Steps

__all__ = ["rows"]

_KINDS: Final = (("GitRepository", "app"), ("Kustomization", "web"), ("HelmRelease", "banner"))
_WINDOW: Final = 2.0
"""Seconds of traffic that the table sums up."""


def rows(board: Board, steps: Steps) -> list[str]:
    """Return the table's rows as of now."""
    made = ["", f"  {'OBJECT':<22}{'READY':<9}STATUS"]
    for kind, name in _KINDS:
        ready = condition(board.get(kind, name), "Ready")
        said = (ready.get("message") or "").splitlines()
        made.append(
            f"  {f'{kind}/{name}':<22}{ready.get('status', '-'):<9}{said[0] if said else ''}"
        )
    status = board.get("Canary", "web").get("status") or {}
    weight = status.get("canaryWeight") or 0
    made.append(
        f"  {'Canary/web':<22}{status.get('phase') or '-':<14}{bar(weight)} {weight:3} %"
        f"   {status.get('failedChecks') or 0} failed checks"
    )
    if steps.load is not None:
        now = time.monotonic()
        tally = steps.load.between(now - _WINDOW, now)
        made.append(
            f"  {'users':<22}{tally.requests / _WINDOW:4.0f}/s, {tally.success:6.2f} % good,"
            f" p99 {1000 * tally.p99:4.0f} ms"
        )
        for version in sorted(tally.versions):
            share = tally.share(version)
            made.append(f"    {version[:30]:<32}  {bar(share)} {share:3.0f} %")
    return made
