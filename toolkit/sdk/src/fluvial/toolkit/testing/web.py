"""Servers of packages in memory, over real sockets: plain files, and an OCI registry."""

import base64
import hashlib
import itertools
import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
from aiohttp import web

__all__ = ["FileServer", "RegistryServer", "WebRequest"]

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_NAME: Final = r"(?P<name>[a-z0-9][a-z0-9._/-]*?)"
_MANIFESTS = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)")
_BLOBS = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>sha256:[0-9a-f]+)")
_UPLOADS = re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<id>[^/]*)")
_TAGS = re.compile(rf"/v2/{_NAME}/tags/list")


class WebRequest(NamedTuple):
    """A request as it arrived."""

    method: str
    """The HTTP method."""
    path: str
    """The path with its query, as it was sent."""
    headers: Mapping[str, str]
    """The headers."""


class _Server(ABC):
    """A server on a free port of the loopback; `requests` has everything that arrived."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[WebRequest] = []
        self.host = ""
        self.url = ""
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._record)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = f"{'https' if self._tls else 'http'}://{self.host}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _record(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(WebRequest(request.method, request.raw_path, dict(request.headers)))
        return await self._answer(request)

    @abstractmethod
    async def _answer(self, request: web.Request) -> web.StreamResponse: ...


class FileServer(_Server):
    """Serves `files` by their path.

    `accounts` maps users to passwords; with any, a file needs one of them. `redirects` maps paths
    to where they lead.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        accounts: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self.files: dict[str, bytes] = dict(files or {})
        self.redirects: dict[str, str] = {}
        self._accounts = accounts or {}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._accounts and not _known(request, self._accounts):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="files"'})
        if request.path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[request.path]})
        if request.path not in self.files:
            return web.Response(status=404)
        return web.Response(body=self.files[request.path])


class RegistryServer(_Server):
    """An OCI registry: the distribution specification, with pages of `page` tags.

    `auth` is empty, `basic` or `bearer`; `accounts` maps users to passwords. With `bearer` the
    realm is this server's /token, which gives a token for one repository, and without accounts
    gives it to anyone. `elsewhere`, when set, is the URL of another server to which requests for
    blobs are redirected; that server's `files` are to hold them. `blobs` and `tags` are the back
    door.
    """

    def __init__(
        self,
        *,
        auth: str = "",
        accounts: Mapping[str, str] | None = None,
        page: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.elsewhere = ""
        self._auth = auth
        self._accounts = accounts or {}
        self._page = page
        self._manifests: set[tuple[str, str]] = set()
        self._types: dict[str, str] = {}
        self._uploads: dict[str, bytes] = {}
        self._numbers = itertools.count()

    def put(self, name: str, tag: str, manifest: bytes, media_type: str = _MANIFEST) -> str:
        """Store a manifest under a tag, or with an empty one by its digest; return the digest."""
        digest = self.blob(manifest)
        self._types[digest] = media_type
        self._manifests.add((name, digest))
        if tag:
            self.tags.setdefault(name, {})[tag] = digest
        return digest

    def blob(self, data: bytes) -> str:
        """Store a blob; return its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return digest

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/token":
            return self._token(request)
        refused = self._refuse(request)
        if refused is not None:
            return refused
        if path == "/v2/":
            return web.json_response({})
        if match := _UPLOADS.fullmatch(path):
            return await self._upload(request, match)
        if match := _MANIFESTS.fullmatch(path):
            return await self._manifest(request, match["name"], match["reference"])
        if match := _BLOBS.fullmatch(path):
            return self._blob(match["digest"])
        if match := _TAGS.fullmatch(path):
            return self._list(request, match["name"])
        return _error(404, "NAME_UNKNOWN")

    def _token(self, request: web.Request) -> web.Response:
        if self._accounts and not _known(request, self._accounts):
            return _error(401, "UNAUTHORIZED")
        scope = request.query.get("scope", "")
        name = scope.split(":")[1] if scope.count(":") == 2 else ""
        return web.json_response({"token": f"for-{name}"})

    def _refuse(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if self._auth == "basic" and not _known(request, self._accounts):
            return _error(401, "UNAUTHORIZED", **{"WWW-Authenticate": 'Basic realm="registry"'})
        if self._auth == "bearer":
            match = re.match(rf"/v2/{_NAME}/(?:manifests|blobs|tags)/", request.path)
            name = match["name"] if match else ""
            if given != f"Bearer for-{name}":
                challenge = f'Bearer realm="{self.url}/token",service="registry"'
                if name:
                    challenge += f',scope="repository:{name}:pull,push"'
                return _error(401, "UNAUTHORIZED", **{"WWW-Authenticate": challenge})
        return None

    async def _manifest(self, request: web.Request, name: str, reference: str) -> web.Response:
        if request.method == "PUT":
            tag = "" if ":" in reference else reference
            digest = self.put(name, tag, await request.read(), request.content_type)
            return web.Response(status=201, headers={"Docker-Content-Digest": digest})
        tags = self.tags.get(name, {})
        digest = reference if ":" in reference else tags.get(reference, "")
        if (name, digest) not in self._manifests:
            return _error(404, "MANIFEST_UNKNOWN")
        return web.Response(
            body=self.blobs[digest],
            content_type=self._types[digest],
            headers={"Docker-Content-Digest": digest},
        )

    async def _upload(self, request: web.Request, match: re.Match[str]) -> web.Response:
        if request.method == "POST":
            number = str(next(self._numbers))
            self._uploads[number] = b""
            place = f"/v2/{match['name']}/blobs/uploads/{number}"
            return web.Response(status=202, headers={"Location": place})
        self._uploads[match["id"]] += await request.read()
        if request.method == "PATCH":
            return web.Response(status=202, headers={"Location": request.path})
        digest = self.blob(self._uploads.pop(match["id"]))
        if digest != request.query["digest"]:
            return _error(400, "DIGEST_INVALID")
        return web.Response(status=201, headers={"Docker-Content-Digest": digest})

    def _blob(self, digest: str) -> web.Response:
        if self.elsewhere:
            place = f"{self.elsewhere}/{digest}"
            return web.Response(status=307, headers={"Location": place})
        if digest not in self.blobs:
            return _error(404, "BLOB_UNKNOWN")
        return web.Response(body=self.blobs[digest], content_type="application/octet-stream")

    def _list(self, request: web.Request, name: str) -> web.Response:
        if name not in self.tags:
            return _error(404, "NAME_UNKNOWN")
        wanted = min(int(request.query.get("n", self._page)), self._page)
        rest = [tag for tag in sorted(self.tags[name]) if tag > request.query.get("last", "")]
        page, headers = rest[:wanted], {}
        if len(rest) > wanted:
            place = f"/v2/{name}/tags/list?n={wanted}&last={page[-1]}"
            headers["Link"] = f'<{place}>; rel="next"'
        return web.json_response({"name": name, "tags": page}, headers=headers)


def _known(request: web.Request, accounts: Mapping[str, str]) -> bool:
    given = request.headers.get("Authorization", "")
    return given in {
        f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
        for user, password in accounts.items()
    }


def _error(status: int, code: str, **headers: str) -> web.Response:
    body = msgspec.json.encode({"errors": [{"code": code, "message": code.lower()}]})
    return web.Response(
        status=status, body=body, content_type="application/json", headers=headers or None
    )
