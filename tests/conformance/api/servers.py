"""The servers that cases are replayed against: the embedded control plane, or a real one.

A real kube-apiserver is started with its etcd when `KUBEBUILDER_ASSETS` names a folder that holds
both, as other tests of controllers do. It keeps its own time: a case that lets time pass really
waits.
"""

import asyncio
import base64
import contextlib
import dataclasses
import datetime as dt
import hashlib
import os
import signal
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.conformance.api.hooks import Hooks, hooks

from fluvial.cluster.auth.pki import Authority
from fluvial.cluster.http.faults import Fault
from fluvial.cluster.objects import system_clock
from fluvial.cluster.plane import ControlPlane, Options

__all__ = ["KINDS", "Server", "Servers", "assets", "lacks", "serving"]

KINDS = ("", "empty", "controllers", "faults", "restart")
"""Kinds of servers: what a case needs, `empty` being one on which no other case makes anything."""

SETTLE = 2
"""Seconds in which a real server learns of a webhook or a policy."""
START = 60
"""Seconds that a real server may take to become ready."""


class Server(Protocol):
    """What a replay needs: two clients, the server's time, and the controls of cases."""

    url: str
    admin: aiohttp.ClientSession
    anonymous: aiohttp.ClientSession
    literals: dict[str, str]
    hooks: Hooks

    def now(self) -> str:
        """Return the time of the server as objects carry it."""

    async def control(self, step: dict[str, Any]) -> None:
        """Do what a control step asks for."""


def assets() -> Path | None:
    """Return the folder with kube-apiserver and etcd, when the environment names one."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(named) if named else None


def lacks(kind: str) -> str:
    """Return why there is no server of a kind; empty when there is one."""
    if assets() is not None and kind in ("controllers", "faults"):
        return f"needs {kind}, which a kube-apiserver alone does not have"
    return ""


@contextlib.asynccontextmanager
async def serving(kind: str = "") -> AsyncIterator[Server]:
    """Start a server of a kind: the embedded one, or the real one that the environment names."""
    folder = assets()
    async with contextlib.AsyncExitStack() as stack:
        found = await stack.enter_async_context(hooks())
        started = embedded(found, kind) if folder is None else real(found, folder)
        yield await stack.enter_async_context(started)


class Servers:
    """One server of each kind that was asked for, for as long as the stack is open."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self._stack = stack
        self._started: dict[str, Server] = {}

    async def of(self, kind: str) -> Server:
        """Return the server of a kind, started when it is asked for first."""
        if kind not in self._started:
            self._started[kind] = await self._stack.enter_async_context(serving(kind))
        return self._started[kind]


class Clock:
    """A clock that a test may put forward; it stands still within one case."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class Embedded:
    """A control plane of ours, with a clock of its own unless controllers keep it company."""

    def __init__(self, options: Options, clock: Clock | None, served: Hooks) -> None:
        self.hooks, self._options, self._clock = served, options, clock
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> None:
        self._plane = await self._stack.enter_async_context(ControlPlane(self._options))
        clients = _clients(self._plane.authority, self._plane.ca)
        (self.admin, self.anonymous), self.literals = await self._stack.enter_async_context(clients)
        self.url = self._plane.url

    async def stop(self) -> None:
        await self._stack.aclose()

    def now(self) -> str:
        return _text(dt.datetime.now(dt.UTC) if self._clock is None else self._clock.now)

    async def control(self, step: dict[str, Any]) -> None:
        rest = {key: value for key, value in step.items() if key != "control"}
        if step["control"] == "compact":
            self._plane.store.compact(self._plane.store.revision)
        elif step["control"] == "advance" and self._clock is not None:
            self._clock.advance(step["seconds"])
        elif step["control"] == "settle":
            return
        elif step["control"] == "fault":
            self._plane.faults.add(Fault(**rest))
        elif step["control"] == "restart":
            port = int(self.url.rpartition(":")[2])
            await self.stop()
            self._options = dataclasses.replace(self._options, port=port)
            await self.start()
        else:
            raise AssertionError(f"unknown control {step}")


@contextlib.asynccontextmanager
async def embedded(served: Hooks, kind: str) -> AsyncIterator[Server]:
    """Start a control plane in this process."""
    with tempfile.TemporaryDirectory() as folder:
        clock = None if kind == "controllers" else Clock()
        options = Options(
            clock=clock or system_clock,
            standins=kind == "controllers",
            database=Path(folder, "objects.db") if kind == "restart" else None,
        )
        server = Embedded(options, clock, served)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.asynccontextmanager
async def _clients(
    authority: Authority, trusted: str
) -> AsyncIterator[tuple[tuple[aiohttp.ClientSession, ...], dict[str, str]]]:
    """Give a client with an admin's certificate and one without any, and the case literals."""
    pair = authority.client("admin", ("system:masters",))
    known = ssl.create_default_context(cadata=trusted)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "c"), Path(folder, "k")
        certificate.write_bytes(pair.certificate)  # noqa: ASYNC240 - before anything runs
        key.write_bytes(pair.key)  # noqa: ASYNC240 - before anything runs
        known.load_cert_chain(certificate, key)
    plain = ssl.create_default_context(cadata=trusted)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.decode())).hexdigest()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=known)) as admin,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=plain)) as anonymous,
    ):
        yield (admin, anonymous), {r"X509SHA256=[0-9a-f]{64}": f"X509SHA256={digest}"}


class Real:
    """A kube-apiserver with its etcd, as processes."""

    def __init__(
        self,
        url: str,
        store: str,
        *,
        clients: tuple[aiohttp.ClientSession, ...],
        literals: dict[str, str],
        served: Hooks,
        restart: Callable[[], Awaitable[None]],
    ) -> None:
        self.url, self._store, self.hooks, self._restart = url, store, served, restart
        self.admin, self.anonymous = clients
        self.literals = literals

    def now(self) -> str:
        return _text(dt.datetime.now(dt.UTC))

    async def control(self, step: dict[str, Any]) -> None:
        if step["control"] == "compact":
            await self._compact()
        elif step["control"] == "advance":
            await asyncio.sleep(step["seconds"])
        elif step["control"] == "restart":
            await self._restart()
        elif step["control"] == "settle":
            await asyncio.sleep(SETTLE)
        else:
            raise AssertionError(f"unknown control {step}")

    async def _compact(self) -> None:
        """Drop all history, through etcd's JSON gateway."""
        async with aiohttp.ClientSession() as session:
            key = base64.b64encode(b"x").decode()
            async with session.post(f"{self._store}/v3/kv/range", json={"key": key}) as response:
                revision = (await response.json())["header"]["revision"]
            body = {"revision": revision, "physical": True}
            async with session.post(f"{self._store}/v3/kv/compaction", json=body) as response:
                response.raise_for_status()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def real(served: Hooks, folder: Path) -> AsyncIterator[Server]:
    """Start etcd and kube-apiserver from a folder, in the set-up of the recordings."""
    authority = Authority()
    with tempfile.TemporaryDirectory() as home:
        place = Path(home)
        (place / "ca.crt").write_bytes(authority.certificate)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (place / "sa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        store, port = f"http://127.0.0.1:{_free_port()}", _free_port()
        etcd = [
            folder / "etcd", "--data-dir", place / "etcd", "--listen-client-urls", store,
            "--advertise-client-urls", store, "--listen-peer-urls",
            f"http://127.0.0.1:{_free_port()}", "--log-level", "error",
        ]  # fmt: skip
        apiserver = [
            folder / "kube-apiserver", "--etcd-servers", store, "--secure-port", str(port),
            "--bind-address", "127.0.0.1", "--cert-dir", place / "certs",
            "--client-ca-file", place / "ca.crt", "--authorization-mode", "RBAC",
            "--service-cluster-ip-range", "10.0.0.0/16", "--allow-privileged",
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", place / "sa.key",
            "--service-account-signing-key-file", place / "sa.key",
            "--disable-admission-plugins", "ServiceAccount",
            "--feature-gates", "APIServerIdentity=false",
        ]  # fmt: skip
        async with _process(etcd, place), contextlib.AsyncExitStack() as stack:
            url = f"https://127.0.0.1:{port}"
            process = await stack.enter_async_context(_process(apiserver, place))
            trusted = await _certificate(place / "certs" / "apiserver.crt", process)

            async def restart() -> None:
                await stack.aclose()
                await stack.enter_async_context(_process(apiserver, place))
                await _ready(url, clients[0])

            async with _clients(authority, trusted) as (clients, literals):
                await _ready(url, clients[0])
                yield Real(
                    url,
                    store,
                    clients=clients,
                    literals=literals,
                    served=served,
                    restart=restart,
                )


@contextlib.asynccontextmanager
async def _process(command: list[Any], place: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    log = (place / f"{Path(command[0]).name}.log").open("wb")
    with log:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), stdout=log, stderr=log, cwd=place
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(START):
                    await process.wait()


async def _certificate(path: Path, process: asyncio.subprocess.Process) -> str:
    """Wait for the certificate that the server makes for itself."""
    async with asyncio.timeout(START):
        while not path.exists():  # noqa: ASYNC240 - another process makes it
            if process.returncode is not None:
                raise RuntimeError(f"kube-apiserver ended with {process.returncode}")
            await asyncio.sleep(0.1)
    return path.read_text()  # noqa: ASYNC240 - a small file


async def _ready(url: str, session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(START):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.2)
