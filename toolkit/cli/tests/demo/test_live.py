"""The rows of the live table."""

import time
from types import SimpleNamespace

from fluvial.cli.demo.live import rows
from fluvial.cluster.load import Answer, Load


async def test_before_anything_is_there(board):
    text = "\n".join(rows(board, SimpleNamespace(load=None)))
    assert "GitRepository/app     -" in text
    assert "users" not in text


async def test_objects_weights_and_users(board, make_canary):
    ready = {"type": "Ready", "status": "True", "message": "applied\nand more"}
    await board.take(
        {
            "kind": "Kustomization",
            "metadata": {"name": "web"},
            "status": {"conditions": [ready]},
        }
    )
    await board.take(make_canary("Progressing", 10, 1))
    load = Load("http://unused.invalid/", "web.example")
    now = time.monotonic() - 0.5
    load._answers.extend([Answer(now, 0.01, 200, "1.0")] * 3 + [Answer(now, 0.01, 500)])
    text = "\n".join(rows(board, SimpleNamespace(load=load)))
    assert "Kustomization/web     True     applied\n" in text
    assert "Progressing   ██··················  10 %   1 failed checks" in text
    assert "2/s,  75.00 % good" in text
    assert "1.0                               ████████████████████ 100 %" in text
