"""Answers: bodies, media types, warnings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from fluvial.cluster.http.negotiation import Accepted
from fluvial.cluster.objects import Object
from fluvial.render import yaml

__all__ = ["answer", "raw", "tagged", "text", "warning_header"]

JSON = "application/json"


def warning_header(message: str) -> str:
    """Return the value of a Warning header (RFC 7234, code 299)."""
    clean = re.sub(r"[\x00-\x1f\x7f]", "", message)
    quoted = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'


def raw(data: bytes, *, status: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    """Answer with JSON bytes."""
    response = web.Response(body=data, status=status, content_type=JSON)
    for message in dict.fromkeys(warnings):
        response.headers.add("Warning", warning_header(message))
    response.headers["Cache-Control"] = "no-cache, private"
    return response


def tagged(request: web.BaseRequest, data: bytes) -> web.Response:
    """Answer with JSON bytes and their digest as ETag; with 304 to whom has these bytes already."""
    tag = f'"{hashlib.sha512(data).hexdigest().upper()}"'
    if request.headers.get("If-None-Match") == tag:
        response = web.Response(status=304)
        response.headers.popall("Content-Type", None)
    else:
        response = raw(data)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "public"
    return response


def answer(
    obj: Any,
    *,
    status: int = 200,
    warnings: Iterable[str] = (),
    accepted: Accepted | None = None,
) -> web.Response:
    """Answer with an object as JSON, or as YAML when that was asked for."""
    if accepted is not None and accepted.yaml:
        response = raw(yaml.dump(_sorted(obj)).encode(), status=status, warnings=warnings)
        response.content_type = "application/yaml"
        return response
    return raw(msgspec.json.encode(obj), status=status, warnings=warnings)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def text(body: str, status: int = 200) -> web.Response:
    """Answer with plain text."""
    return web.Response(text=body, status=status, content_type="text/plain", charset="utf-8")


def partial(obj: Object, version: str = "v1") -> Object:
    """Return the `PartialObjectMetadata` of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }
