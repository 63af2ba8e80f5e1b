"""`ControlPlane`: one embedded Kubernetes API server, as an async context manager."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import ssl
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self, TextIO

import msgspec
from aiohttp import web

from fluvial.cluster.api import Api
from fluvial.cluster.auth import bootstrap
from fluvial.cluster.auth.keys import Keys
from fluvial.cluster.auth.parameters import ParameterGuard
from fluvial.cluster.auth.rbac import Attributes, Authorizer
from fluvial.cluster.auth.reviews import Reviews
from fluvial.cluster.crd.registration import Registrar
from fluvial.cluster.database import DatabaseStore
from fluvial.cluster.endpoints import Endpoints, User
from fluvial.cluster.errors import StatusError
from fluvial.cluster.http.bodies import LIMIT
from fluvial.cluster.http.faults import Faults
from fluvial.cluster.http.server import Server
from fluvial.cluster.http.verbs import ResourceVerbs
from fluvial.cluster.objects import Clock, Object, system_clock
from fluvial.cluster.resources import Catalog, builtin_resources
from fluvial.cluster.standins.manager import Options as StandinOptions
from fluvial.cluster.standins.manager import Standins
from fluvial.cluster.storage import MemoryStore
from fluvial.render import yaml

__all__ = ["ControlPlane", "Options"]

ADMIN = User("admin", ("system:masters",))


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How a control plane runs.

    `data_dir` holds what must be files (certificates; None: a temporary folder). `database` is an
    SQLite file in which objects, their versions and the keys survive a restart; None: memory only.
    `port` 0 picks a free one. `audit_log` gets one JSON line per request. `standins` starts the
    stand-ins for the cluster's controllers and the node; with them, `gateway` an Envoy that serves
    Gateways and HTTPRoutes, and `scrape_targets` keeps that file for a Prometheus
    (`file_sd_configs`). `clock` is for tests. `service_network` is where cluster IPs come from.
    """

    data_dir: Path | None = None
    database: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    audit_log: Path | None = None
    standins: bool = False
    clock: Clock = system_clock
    service_network: str = "10.0.0.0/16"
    bookmark_interval: float = 60.0
    gateway: bool = False
    scrape_targets: Path | None = None


class ControlPlane:
    """A Kubernetes API over HTTPS on loopback; use it as `async with ControlPlane() as plane`.

    `url`, `ca` (PEM), `token` (an admin's bearer token) and `kubeconfig` (YAML with an admin's
    client certificate) are there once it has started. `broken` is set when a part of it has failed:
    leave then, which raises the failure. `faults` makes requests fail on demand.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.store = _store(self.options.database)
        self.endpoints = Endpoints(
            self.store,
            Catalog(builtin_resources()),
            clock=self.options.clock,
            service_network=self.options.service_network,
        )
        self.endpoints.watcher.bookmark_interval = self.options.bookmark_interval
        self.authorizer = Authorizer(self.endpoints)
        self._parameters = ParameterGuard(self.endpoints, self.authorizer)
        keys = Keys(self.store)
        self.authority = keys.authority()
        self.tokens = keys.tokens(self.endpoints)
        self.token = self.tokens.add_static(ADMIN, keys.admin_token())
        self.ca = self.authority.certificate.decode()
        self.url = ""
        self.kubeconfig = ""
        self.broken = asyncio.Event()
        self.faults = Faults()
        self._closing = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def api(self) -> Api:
        """Return in-process access with the system's identity."""
        return Api(self.endpoints)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if isinstance(self.store, DatabaseStore):
                stack.enter_context(self.store)
            self.endpoints.guard_roles = self._guard
            self.endpoints.admission.authorize_with(self._allows)
            self.endpoints.subresources.tokens.issue = self.tokens.issue
            self.endpoints.strategies.allocator.resume(self.store)
            registrar = Registrar(self.endpoints)
            registrar.resume()
            self.endpoints.on_removed = registrar.sweep
            await self._bootstrap()
            group = await stack.enter_async_context(_Background(self.broken))
            group.start(registrar.run())
            await self._listen(stack)
            if self.options.standins:
                group.start(self._standins(stack).run())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._closing.set()
        await self._stack.aclose()

    def _standins(self, stack: AsyncExitStack) -> Standins:
        """Return the stand-ins, with a folder for the node and its pods' output."""
        folder = self.options.data_dir
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        standins = Standins(
            self.api.as_manager("kube-controller-manager"),
            StandinOptions(
                directory=folder / "node",
                certificate=self.ca,
                gateway=self.options.gateway,
                scrape_targets=self.options.scrape_targets,
            ),
        )
        self.endpoints.log_path = standins.kubelet.log_path
        return standins

    def _guard(self, obj: Object, old: Object | None, user: User) -> None:
        """Refuse what gives its author more than they have: roles, bindings, parameters."""
        self.authorizer.guard(obj, old, user)
        self._parameters.guard(obj, old, user)

    def _allows(self, info: Object, asked: Object) -> bool:
        """Tell whether a user may do what an expression of admission asks about."""
        attributes = Attributes(
            verb=asked["verb"],
            group=asked.get("group", ""),
            resource=asked.get("resource", ""),
            subresource=asked.get("subresource", ""),
            namespace=asked.get("namespace", ""),
            name=asked.get("name", ""),
            path=asked.get("path", ""),
        )
        user = User(info["username"], tuple(info.get("groups") or ()))
        return self.authorizer.authorize(user, attributes).allowed

    async def _bootstrap(self) -> None:
        api = self.api.as_manager("kube-apiserver")
        for obj in (*bootstrap.objects(), self._service()):
            # What is there since an earlier start is not made again: a webhook would be asked.
            if not await self._is_there(api, obj):
                await api.create(obj)

    @staticmethod
    async def _is_there(api: Api, obj: Object) -> bool:
        gvr = api.resource_of(obj["apiVersion"], obj["kind"])
        assert gvr is not None
        meta = obj["metadata"]
        try:
            await api.get(gvr, meta.get("namespace"), meta["name"])
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True

    @staticmethod
    def _service() -> Object:
        labels = {"component": "apiserver", "provider": "kubernetes"}
        port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
            "spec": {"ports": [port]},
        }

    async def _listen(self, stack: AsyncExitStack) -> None:
        audit = self._open_audit(stack)
        reviews = Reviews(self.authorizer, self.tokens)
        verbs = ResourceVerbs(self.endpoints, self.authorizer, reviews, self._closing)
        server = Server(
            self.endpoints,
            self.authorizer,
            self.tokens,
            verbs,
            audit=audit,
            faults=self.faults,
            closing=self._closing,
        )
        runner = web.ServerRunner(
            web.Server(server.handle, request_factory=_request, access_log=None),
            shutdown_timeout=2.0,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.options.host, self.options.port, ssl_context=self._tls())
        await site.start()
        assert site._server is not None  # noqa: SLF001 - the only way to the chosen port
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # noqa: SLF001
        self.url = f"https://{self.options.host}:{port}"
        self.kubeconfig = self._kubeconfig()

    def _open_audit(self, stack: AsyncExitStack) -> Callable[[dict[str, Any]], None] | None:
        if self.options.audit_log is None:
            return None
        file: TextIO = stack.enter_context(self.options.audit_log.open("a", encoding="utf-8"))

        def write(record: dict[str, Any]) -> None:
            file.write(msgspec.json.encode(record).decode() + "\n")
            file.flush()

        return write

    def _tls(self) -> ssl.SSLContext:
        """Return the server's context; the files that it needs are gone afterwards."""
        pair = self.authority.server()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
            certificate.write_bytes(pair.certificate)
            key.touch(0o600)
            key.write_bytes(pair.key)
            context.load_cert_chain(certificate, key)
        return context

    def _kubeconfig(self) -> str:
        pair = self.authority.client(ADMIN.name, ADMIN.groups)

        def data(content: bytes) -> str:
            return base64.b64encode(content).decode()

        name = "fluvial"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": self.url,
                        "certificate-authority-data": data(self.ca.encode()),
                    },
                }
            ],
            "users": [
                {
                    "name": "admin",
                    "user": {
                        "client-certificate-data": data(pair.certificate),
                        "client-key-data": data(pair.key),
                    },
                }
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
            "current-context": name,
        }
        return yaml.dump(config)


def _store(database: Path | None) -> MemoryStore:
    return MemoryStore() if database is None else DatabaseStore(database)


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
) -> web.BaseRequest:
    """Make a request whose body may be as large as the API's limit, and one byte more."""
    loop = asyncio.get_running_loop()
    limit = 4 * LIMIT
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=limit)


class _Background:
    """Tasks that live as long as the control plane.

    A failed one sets `broken` at once and fails the owner at its end.
    """

    def __init__(self, broken: asyncio.Event) -> None:
        self._broken = broken
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    def start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._broken.set()

    async def __aexit__(self, *exception: object) -> None:
        failed = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for error in failed:
            if error is not None:
                raise error
