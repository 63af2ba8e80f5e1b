"""Cases of a folder, and one of them replayed: what the tests and the command have in common."""

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

from tests.conformance.api.replay import Replay
from tests.conformance.api.servers import Server

__all__ = ["RECORDED", "Case", "cases_in", "replay"]

RECORDED = Path(__file__).parent / "cases"
OWN = Path(__file__).parent / "own"
LIMIT = 20
"""Seconds for one case."""
_WHOLE_SERVER = ("/apis", "/openapi/v3")


@dataclasses.dataclass(frozen=True)
class Case:
    """One case: its category (the folder), its name, and its steps."""

    category: str
    name: str
    reason: str
    steps: list[Any]
    needs: str = ""
    """What the server must have besides the API: see `own/README.md`; empty: nothing."""

    @property
    def kind(self) -> str:
        """The kind of server: `empty` for documents of the whole server, which cases change."""
        paths = {step["request"]["path"] for step in self.steps if "request" in step}
        return "empty" if paths and paths <= set(_WHOLE_SERVER) else self.needs

    def __str__(self) -> str:
        return f"{self.category}/{self.name}"


def cases_in(folder: Path) -> list[Case]:
    """Read every case of a folder `<category>/<case>.json`."""
    found = []
    for path in sorted(folder.glob("*/*.json")):
        case = json.loads(path.read_text())
        reason, needs = case.get("reason", ""), case.get("needs", "")
        found.append(Case(path.parent.name, path.stem, reason, case["steps"], needs))
    return found


async def replay(case: Case, server: Server) -> None:
    """Replay a case; raises `DifferenceError`, or `TimeoutError` when it takes too long."""

    async def control(step: dict[str, Any]) -> None:
        await server.control(step)
        run.url, run.session, run.anonymous = server.url, server.admin, server.anonymous

    run = Replay(
        server.url,
        server.admin,
        server.anonymous,
        control,
        server.now,
        server.literals,
        server.hooks,
    )
    async with asyncio.timeout(LIMIT):
        await run.run(case.steps)
