"""What a URL is about."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.auth.rbac import Attributes

__all__ = ["RequestInfo", "parse"]

_NAMESPACE_PARTS = ("status", "finalize")


@dataclasses.dataclass(frozen=True, slots=True)
class RequestInfo:
    """A parsed path; `resource` is empty for URLs that name no resource."""

    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    watch: bool = False
    scope: str = ""
    """The namespace of the object's key, unlike `namespace`, which authorization sees."""

    def attributes(self, verb: str) -> Attributes:
        """Return what authorization is asked."""
        if not self.resource:
            return Attributes(verb, path=self.path)
        return Attributes(
            verb, self.group, self.resource, self.subresource, self.namespace, self.name
        )


def parse(path: str) -> RequestInfo:
    """Read a decoded path; anything that is no resource keeps only its path."""
    parts = path.strip("/").split("/")
    if "" in parts:
        parts = [part for part in parts if part]
        known = len(parts) > 2 and parts[0] in ("api", "apis")
        return RequestInfo(path, "", "v1", resource="//") if known else RequestInfo(path)
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(path)
    watch = rest[0] == "watch" and len(rest) > 1
    if watch:
        rest = rest[1:]
    namespace = scope = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
            scope, rest = rest[1], rest[2:]
    resource, *more = rest
    return RequestInfo(
        path,
        group,
        version,
        namespace,
        resource,
        more[0] if more else "",
        more[1] if len(more) > 1 else "",
        "/".join(more[2:]),
        watch,
        scope,
    )
