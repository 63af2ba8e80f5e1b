"""The HTTPS server: authentication, authorization, routing, errors, audit.

The order is upstream's: authenticate, impersonate, authorize, then look at what the path is.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import re
import time
from collections.abc import Callable
from http.client import OK
from typing import Any

import msgspec
from aiohttp import web

from fluvial.cluster.auth.identity import authenticate, impersonated
from fluvial.cluster.auth.rbac import Attributes, Authorizer
from fluvial.cluster.auth.tokens import TokenAuthority
from fluvial.cluster.endpoints import Endpoints, User
from fluvial.cluster.errors import StatusError, internal, method_not_allowed
from fluvial.cluster.http import auditnotes, discovery, openapi
from fluvial.cluster.http.answers import answer, raw, tagged, text
from fluvial.cluster.http.faults import Faults, abandoned, strike
from fluvial.cluster.http.health import health
from fluvial.cluster.http.negotiation import DISCOVERY, Accepted, negotiate, offer, parse_accept
from fluvial.cluster.http.paths import RequestInfo, parse
from fluvial.cluster.http.unserved import check_aggregated
from fluvial.cluster.http.verbs import ResourceVerbs, failure, verb_of
from fluvial.cluster.resources import Catalog

__all__ = ["VERSION", "AuditLog", "Server"]

logger = logging.getLogger(__name__)

VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_FLOW_UID = "00000000-0000-0000-0000-000000000001"

AuditLog = Callable[[dict[str, Any]], None]


class Server:
    """The request handler of one control plane."""

    def __init__(
        self,
        endpoints: Endpoints,
        authorizer: Authorizer,
        tokens: TokenAuthority,
        verbs: ResourceVerbs,
        *,
        audit: AuditLog | None = None,
        faults: Faults,
        closing: asyncio.Event,
    ) -> None:
        self._faults = faults
        self._closing = closing
        self._endpoints = endpoints
        self._authorizer = authorizer
        self._tokens = tokens
        self._verbs = verbs
        self._audit = audit
        self._documents: dict[str, bytes] = {}
        endpoints.catalog.on_change(self._documents.clear)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        received, started, notes = time.time(), time.monotonic(), auditnotes.begun()
        info = parse(request.path)
        user = User("system:anonymous")
        fault = self._faults.find(request, verb_of(request, info))
        header = request.headers.get("Accept", "")
        try:
            struck = await strike(fault, request, self._closing) if fault is not None else None
            if struck is None:
                user = self._user(request, info)
                self._authorize(request, info, user)
                response = await self._route(request, info, user)
            else:
                response = struck
        except StatusError as error:
            response = failure(error, error.warnings, header)
        except ConnectionError:
            if fault is None:
                raise
            return web.Response()  # never sent: the fault has broken the connection
        except Exception as error:
            logger.exception("%s %s failed", request.method, request.path)
            response = failure(internal(str(error)), [], header)
        if self._audit is not None:
            self._audit(
                {
                    "received": round(received, 6),
                    "user": user.name,
                    "userAgent": request.headers.get("User-Agent", ""),
                    "verb": verb_of(request, info),
                    "path": request.path_qs,
                    "code": response.status,
                    "seconds": round(time.monotonic() - started, 6),
                    **({"annotations": notes} if notes else {}),
                }
            )
        if fault is not None and fault.drop == "after":
            abandoned(request)
            return web.Response()
        if not response.prepared:
            response.headers.setdefault("X-Kubernetes-PF-FlowSchema-UID", _FLOW_UID)
            response.headers.setdefault("X-Kubernetes-PF-PriorityLevel-UID", _FLOW_UID)
        return response

    def _authorize(self, request: web.BaseRequest, info: RequestInfo, user: User) -> None:
        attributes = self._attributes(request, info)
        if not self._authorizer.authorize(user, attributes).allowed:
            raise self._authorizer.refusal(user, attributes)

    def _user(self, request: web.BaseRequest, info: RequestInfo) -> User:
        """Return who the request is to act as; methods that nothing has are refused first."""
        if request.method in ("HEAD", "OPTIONS", "TRACE", "CONNECT"):
            raise method_not_allowed()
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        digest = ""
        if certificate and transport is not None:
            der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            digest = hashlib.sha256(der).hexdigest()
        user = authenticate(request.headers, certificate, self._tokens, digest)
        asked = self._attributes(request, info)
        return impersonated(user, request.headers, self._authorizer, asked)

    @staticmethod
    def _attributes(request: web.BaseRequest, info: RequestInfo) -> Attributes:
        """Return what is asked; a list or watch of one name counts as about that name."""
        verb = verb_of(request, info)
        attributes = info.attributes(verb)
        if verb in ("list", "watch", "deletecollection") and not info.name:
            found = re.fullmatch(
                r"metadata\.name==?([^,=!]+)", request.query.get("fieldSelector", "")
            )
            if found:
                return dataclasses.replace(attributes, name=found[1])
        return attributes

    async def _route(
        self, request: web.BaseRequest, info: RequestInfo, user: User
    ) -> web.StreamResponse:
        if info.resource:
            return await self._verbs.serve(request, info, user)
        path = info.path.rstrip("/") or "/"
        found = health(path, request.query)  # by any method, as upstream
        if found is not None:
            return found
        if request.method != "GET":
            if path.startswith(("/api", "/apis", "/openapi", "/version")) or path == "/":
                raise method_not_allowed()
            return text("404 page not found\n", 404)
        if path == "/version":
            offer(request.headers.get("Accept", ""), ("application/json",))
            return answer(VERSION)
        if path.startswith("/openapi"):
            return self._openapi(request, path)
        if path == "/":
            return answer({"paths": _paths(self._endpoints.catalog)})
        found = self._discovery(request, path)
        return text("404 page not found\n", 404) if found is None else found

    def _discovery(self, request: web.BaseRequest, path: str) -> web.Response | None:
        catalog, parts = self._endpoints.catalog, path.strip("/").split("/")
        header = request.headers.get("Accept", "")
        if path in ("/api", "/apis"):
            form = _aggregated_form(header)
            if form is not None:
                return self._aggregated(request, path, form)
            accepted = negotiate(header)
            if path == "/api":
                return answer(discovery.api_versions(request.host), accepted=accepted)
            return answer(discovery.group_list(catalog), accepted=accepted)
        document: dict[str, Any] | None = None
        if parts[0] == "api" and len(parts) == 2:
            document = discovery.resource_list(catalog, "", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            document = discovery.group(catalog, parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            document = discovery.resource_list(catalog, parts[1], parts[2])
        if document is None and parts[0] == "apis" and len(parts) == 3:
            check_aggregated(self._endpoints, parts[1], parts[2])
        return None if document is None else answer(document, accepted=negotiate(header))

    def _aggregated(self, request: web.BaseRequest, path: str, form: Accepted) -> web.Response:
        """Answer with all groups at once, or with 304 to whom has this very document."""
        key = f"aggregated{path}{form.yaml}"
        if key not in self._documents:
            whole = discovery.aggregated(self._endpoints.catalog, core=path == "/api")
            body = answer(whole, accepted=form).body
            assert isinstance(body, bytes)
            self._documents[key] = body
        group, version, kind = DISCOVERY
        media = f"application/{'yaml' if form.yaml else 'json'}"
        response = tagged(request, self._documents[key])
        if response.status == OK:
            response.headers["Content-Type"] = f"{media};g={group};v={version};as={kind}"
        response.headers["Vary"] = "Accept"
        return response

    def _openapi(self, request: web.BaseRequest, path: str) -> web.Response:
        catalog = self._endpoints.catalog
        if path == "/openapi/v2":
            header = request.headers.get("Accept", "")
            protobuf = "proto-openapi.spec.v2" in header and "application/json" not in header
            return self._v2(protobuf=protobuf)
        if path == "/openapi/v3":
            return text(msgspec.json.encode(openapi.index(catalog)).decode())
        parts = path.removeprefix("/openapi/v3/").split("/")
        if path not in self._documents:
            document: dict[str, Any] | None = None
            if parts[0] == "api" and len(parts) == 2:
                document = openapi.v3(catalog, "", parts[1])
            elif parts[0] == "apis" and len(parts) == 3:
                document = openapi.v3(catalog, parts[1], parts[2])
            elif parts[0] in ("api", "apis", "version", "logs", "openid", ".well-known"):
                document = {"openapi": "3.0.0", "info": {"title": "Kubernetes"}, "paths": {}}
            if document is None:
                return text("404 page not found\n", 404)
            self._documents[path] = msgspec.json.encode(document)
        return raw(self._documents[path])

    def _v2(self, *, protobuf: bool) -> web.Response:
        key = "v2.protobuf" if protobuf else "v2.json"
        if key not in self._documents:
            catalog = self._endpoints.catalog
            self._documents[key] = (
                openapi.v2_protobuf(catalog) if protobuf
                else msgspec.json.encode(openapi.v2(catalog))
            )  # fmt: skip
        response = raw(self._documents[key])
        if protobuf:
            kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            response.headers["Content-Type"] = kind
        return response


def _aggregated_form(header: str) -> Accepted | None:
    """Return JSON or YAML when one of an Accept header's clauses asks for all groups at once."""
    for clause in parse_accept(header):
        if tuple(clause.values.get(name) for name in ("g", "v", "as")) != DISCOVERY:
            continue
        for media in ("application/json", "application/yaml"):
            if clause.matches(media):
                return Accepted(yaml=media.endswith("yaml"))
    return None


def _paths(catalog: Catalog) -> list[str]:
    """Return the paths that lead on, as the server's root names them."""
    found = {"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz"}
    found.add("/version")
    for resource in catalog:
        found.add(f"/apis/{resource.group}" if resource.group else "/api")
        found.add(f"/apis/{resource.api_version}" if resource.group else "/api/v1")
    return sorted(found)
