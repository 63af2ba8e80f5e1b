from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.apis.decoding import decode
from fluvial.apis.flagger import Canary
from fluvial.apis.kinds import CANARY
from fluvial.canary.webhooks import Webhooks
from fluvial.toolkit.testing import FakeClock


class Receiver:
    """A service that webhooks call; answers by path with what `answers` lists, the last for ever.

    An answer is a status, a status and a body, or a whole response.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.content_types: list[str] = []
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        self.server = TestServer(app)

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.path, await request.json()))
        self.content_types.append(request.content_type)
        queue = self.answers.get(request.path) or [200]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer):
            return await answer(request)
        status, body, headers = (*(answer if isinstance(answer, tuple) else (answer,)), "", {})[:3]
        return web.Response(status=status, text=body, headers=headers or None)


@pytest.fixture
async def receiver():
    receiver = Receiver()
    await receiver.server.start_server()
    yield receiver
    await receiver.server.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def webhooks(clock):
    async with aiohttp.ClientSession() as session:
        yield Webhooks(session, clock)


@pytest.fixture
def canary(receiver) -> Callable[..., Canary]:
    def make(*hooks: dict[str, Any], phase: str = "Progressing") -> Canary:
        listed = [{"url": receiver.url(f"/{hook['name']}"), **hook} for hook in hooks]
        obj = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": "podinfo", "namespace": "test"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "analysis": {"interval": "30s", "threshold": 2, "webhooks": listed},
            },
            "status": {"phase": phase},
        }
        return decode(CANARY, obj)

    return make
