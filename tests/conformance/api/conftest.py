"""One control plane per test session, and the replay of one case against it."""

import contextlib
import datetime as dt
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from fluvial.cluster.plane import ControlPlane, Options


class Clock:
    """A clock that a test may put forward; it stands still within one case."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class Server:
    """A control plane with clients of both kinds and the controls that cases use."""

    def __init__(
        self, plane: ControlPlane, clock: Clock, admin: aiohttp.ClientSession,
        anonymous: aiohttp.ClientSession,
    ) -> None:  # fmt: skip
        self.plane, self.clock, self.admin, self.anonymous = plane, clock, admin, anonymous

    async def control(self, step: dict) -> None:
        if step["control"] == "compact":
            self.plane.store.compact(self.plane.store.revision)
        elif step["control"] == "advance":
            self.clock.advance(step["seconds"])
        else:
            raise AssertionError(f"unknown control {step}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared() -> AsyncIterator[Server]:
    """Give the server that most cases share: each of them makes what it needs."""
    async with serving() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def empty() -> AsyncIterator[Server]:
    """Give a server on which nothing is made: documents of the whole server are read there."""
    async with serving() as server:
        yield server


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    clock = Clock()
    async with ControlPlane(Options(clock=clock)) as plane:
        plain = ssl.create_default_context(cadata=plane.ca)
        known = ssl.create_default_context(cadata=plane.ca)
        pair = plane.authority.client("admin", ("system:masters",))
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "c"), Path(folder, "k")
            certificate.write_bytes(pair.certificate)  # noqa: ASYNC240 - before anything runs
            key.write_bytes(pair.key)  # noqa: ASYNC240 - before anything runs
            known.load_cert_chain(certificate, key)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=known)) as admin,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=plain)) as anonymous,
        ):
            yield Server(plane, clock, admin, anonymous)
