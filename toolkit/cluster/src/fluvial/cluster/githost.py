"""A Git host on loopback: smart HTTP by `git http-backend`, for try-out, previews and tests.

`python -m fluvial.cluster.githost <root>` serves every bare repository below a folder. It is what a
cluster's surroundings provide, not a host for the world: one address, one optional account.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import secrets
import signal
import ssl
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web

__all__ = ["GitHost", "GitHostError", "main"]

_BLOCK: Final = 1 << 16
_HEAD_LIMIT: Final = 1 << 14
_DEADLINE: Final = 300.0
"""Seconds that one request may take; a clone of a large repository is well below it."""


class GitHostError(RuntimeError):
    """A git command of the host failed; the message is what it said."""


class GitHost:
    """Serves the bare repositories below `root`; an async context manager.

    `account` is a user and password that every request must then carry; `token` is a bearer token
    that does as well. Both may be changed while serving. With `tls` the host speaks HTTPS. Port 0
    takes any free one. Pushes are accepted from whoever may read.
    """

    def __init__(
        self,
        root: Path,
        *,
        account: tuple[str, str] | None = None,
        token: str | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.root = root
        self.account = account
        self.token = token
        self.requests: list[str] = []
        """The method and path of every request that was let in, oldest first."""
        self._port = port
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port that is served."""
        return self._port

    def url(self, name: str = "") -> str:
        """Return the address of a repository, without credentials."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._port}/{name}"

    async def create(self, name: str, *, branch: str = "main") -> Path:
        """Make an empty bare repository, e.g. `team/apps.git`, and return its folder."""
        folder = self.root / name
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            "git",
            *("init", "--quiet", "--bare", f"--initial-branch={branch}", "--", str(folder)),
            env=_environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        if process.returncode:
            raise GitHostError(said.decode(errors="replace").strip())
        return folder

    def _admits(self, request: web.Request) -> bool:
        if self.account is None and self.token is None:
            return True
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        wanted = {}
        if self.account is not None:
            wanted["basic"] = base64.b64encode(":".join(self.account).encode()).decode()
        if self.token is not None:
            wanted["bearer"] = self.token
        expected = wanted.get(kind.lower())
        return expected is not None and secrets.compare_digest(expected, value.strip())

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not self._admits(request):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        self.requests.append(f"{request.method} {request.path}")
        async with asyncio.timeout(_DEADLINE):
            process = await asyncio.create_subprocess_exec(
                *("git", "http-backend"),
                env={**_environment(), **self._gateway(request)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_HEAD_LIMIT,
            )
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_feed(request, process))
                    return await _answer(request, process)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                raise
            finally:
                await process.wait()

    def _gateway(self, request: web.Request) -> dict[str, str]:
        """Return the variables of RFC 3875 that git http-backend reads."""
        gateway = {
            "GIT_PROJECT_ROOT": str(self.root.resolve()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
        }
        for header, variable in (
            ("Content-Length", "CONTENT_LENGTH"),
            ("Content-Encoding", "HTTP_CONTENT_ENCODING"),
            ("Git-Protocol", "GIT_PROTOCOL"),
        ):
            if header in request.headers:
                gateway[variable] = request.headers[header]
        return gateway


def _environment() -> dict[str, str]:
    """Return what a git process of the host sees: no configuration but the repository's."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    locked = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}
    return {**kept, **locked}


async def _feed(request: web.Request, process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    # The backend may be satisfied, or dead, before the body ends.
    with contextlib.suppress(ConnectionError):
        async for chunk in request.content.iter_chunked(_BLOCK):
            process.stdin.write(chunk)
            await process.stdin.drain()
    process.stdin.close()


async def _answer(request: web.Request, process: asyncio.subprocess.Process) -> web.StreamResponse:
    """Turn the gateway's head and body into a response."""
    assert process.stdout is not None
    try:
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return web.Response(status=502, text="git http-backend gave no head")
    response = web.StreamResponse()
    for line in head.decode("latin-1").strip().split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "status":
            response.set_status(int(value.split()[0]))
        else:
            response.headers[name] = value.strip()
    await response.prepare(request)
    while chunk := await process.stdout.read(_BLOCK):
        await response.write(chunk)
    await response.write_eof()
    return response


async def _run(arguments: argparse.Namespace) -> None:
    user, _, password = arguments.account.partition(":")
    account = (user, password) if user else None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with GitHost(arguments.root, account=account, port=arguments.port) as host:
        print(f"serving {arguments.root} at {host.url()}", flush=True)  # noqa: T201  (a command)
        await stop.wait()


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the first line of output tells the address."""
    parser = argparse.ArgumentParser(prog="fluvial.cluster.githost", description=__doc__)
    parser.add_argument("root", type=Path, help="folder with bare repositories")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--account", default="", help="user:password that requests must carry")
    asyncio.run(_run(parser.parse_args(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
