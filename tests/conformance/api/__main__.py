"""Replays a folder of cases and says what passed: `make conformance-api CASES=<folder>`.

Without a folder all recorded cases and our own are replayed. The server is the embedded control
plane, or a real one when `KUBEBUILDER_ASSETS` is set. Ends with 1 when a case failed or none was
found.
"""

import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.api.cases import OWN, RECORDED, Case, cases_in, replay
from tests.conformance.api.replay import DifferenceError
from tests.conformance.api.servers import Server, Servers, assets, lacks


async def failure(case: Case, server: Server) -> str:
    """Replay one case; returns what was different, or nothing."""
    try:
        await replay(case, server)
    except DifferenceError as error:
        return str(error)
    except TimeoutError:
        return "took too long"
    except Exception as error:  # noqa: BLE001 - a case of others may be ill-formed; say so, go on
        return f"{type(error).__name__}: {error}"
    return ""


async def run(cases: list[Case]) -> int:
    """Replay cases one after another; returns how many failed."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    async with contextlib.AsyncExitStack() as stack:
        servers = Servers(stack)
        for case in cases:
            if lacks(case.kind):
                print(f"SKIPPED {case}: {lacks(case.kind)}")
                continue
            text = await failure(case, await servers.of(case.kind))
            if text:
                failed[case.category] += 1
                print(f"FAILED {case}\n  why it matters: {case.reason}\n  {text}\n")
            else:
                passed[case.category] += 1
    print(f"{'category':<12} passed failed")
    for category in sorted(passed | failed):
        print(f"{category:<12} {passed[category]:>6} {failed[category]:>6}")
    print(f"{'all':<12} {passed.total():>6} {failed.total():>6}")
    return failed.total()


def main() -> int:
    """Run the command."""
    folders = [Path(name) for name in sys.argv[1:]] or [RECORDED, OWN]
    cases = [case for folder in folders for case in cases_in(folder)]
    folder = assets()
    print(f"{len(cases)} cases against {folder or 'the embedded control plane'}")
    if not cases:
        print("no case found: expected <folder>/<category>/<case>.json")
        return 1
    return 1 if asyncio.run(run(cases)) else 0


if __name__ == "__main__":
    sys.exit(main())
