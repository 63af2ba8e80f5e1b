"""The health paths: `/healthz`, `/livez`, `/readyz` and one path below them for each check.

The answers have the form of `apiserver/pkg/server/healthz`. A server that answers at all is well,
so every check passes; `exclude` and `verbose` are honoured.
"""

from __future__ import annotations

import msgspec
from aiohttp import web
from multidict import MultiMapping

from fluvial.cluster.http.answers import text

__all__ = ["health"]

_CHECKS = {
    "healthz": ("ping", "log", "etcd"),
    "livez": ("ping", "log", "etcd"),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", "shutdown"),
}


def health(path: str, query: MultiMapping[str]) -> web.Response | None:
    """Answer a health path; None when it is none, or names no check."""
    root, _, name = path.strip("/").partition("/")
    checks = _CHECKS.get(root)
    if checks is None or (name and name not in checks):
        return None
    if name or "verbose" not in query:
        return text("ok")
    excluded = set(query.getall("exclude", []))
    lines = [
        f"[+]{check} excluded: ok\n" if check in excluded else f"[+]{check} ok\n"
        for check in checks
    ]
    unknown = sorted(excluded.difference(checks))
    if unknown:
        shown = ",".join(msgspec.json.encode(name).decode() for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {shown}\n")
    return text("".join(lines) + f"{root} check passed\n")
