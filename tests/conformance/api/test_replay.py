"""Every recorded case of a kube-apiserver 1.36, replayed against the embedded control plane.

`known.txt` lists the cases that do not pass yet, each with its reason. A listed case that passes
fails here, so the list says the truth.
"""

import asyncio
import json
from pathlib import Path

import pytest
from tests.conformance.api.replay import DifferenceError, Replay

HERE = Path(__file__).parent
CASES = sorted(path.relative_to(HERE / "cases").with_suffix("").as_posix()
               for path in (HERE / "cases").glob("*/*.json"))  # fmt: skip


def _known() -> dict[str, str]:
    lines = (HERE / "known.txt").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


KNOWN = _known()


def test_every_known_case_exists() -> None:
    assert set(KNOWN) <= set(CASES)


WHOLE_SERVER = ("discovery/aggregated-apis", "discovery/apis-group-list",
                "discovery/openapi-v3-index")  # fmt: skip


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", CASES)
async def test_case(name: str, shared, empty) -> None:
    server = empty if name in WHOLE_SERVER else shared
    case = json.loads((HERE / "cases" / f"{name}.json").read_text())
    replay = Replay(server.plane.url, server.admin, server.anonymous, server.control)
    try:
        async with asyncio.timeout(20):
            await replay.run(case["steps"])
    except (DifferenceError, TimeoutError) as error:
        if name in KNOWN:
            pytest.xfail(f"{KNOWN[name]}: {error}")
        raise
    assert name not in KNOWN, f"{name} passes now: take it out of known.txt"
