"""Token requests: the bodies of `serviceaccounts/token`, checked and answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from fluvial.cluster import fielderrors, fields
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import Cause, bad_request, conflict, invalid, not_implemented
from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.resources import Gvr

__all__ = ["TokenIssuer", "TokenRequests"]

TokenIssuer = Callable[[Object, list[str], int, Object | None], str]
"""Makes a token for a service account: account, audiences, seconds, bound object."""

_GROUP, _KIND = "authentication.k8s.io", "TokenRequest"
_VERSION = f"{_GROUP}/v1"
_AUDIENCES = ["https://kubernetes.default.svc"]
_SECONDS = 3600
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class TokenRequests:
    """Answers requests for tokens. `issue` is set by authentication."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.issue: TokenIssuer | None = None

    def check_names(self, target: Target, body: Object) -> None:
        """Refuse a request that names another account than its path."""
        name = body["metadata"].get("name")
        if name and name != target.name:
            text = "must match the service account name if specified"
            cause = fielderrors.invalid("metadata.name", name, text)
            raise invalid(_GROUP, _KIND, target.name, [cause])

    def answer(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Return the request with its token; raises 400, 404, 409 and 422."""
        account = self._access.find(target).object
        spec = dict(body.get("spec") or {})
        seconds, bound = spec.get("expirationSeconds", _SECONDS), spec.get("boundObjectRef")
        _check_seconds(seconds)
        if bound is not None:
            self._check_bound(target, bound)
        audiences = spec.get("audiences") or _AUDIENCES
        if self.issue is None:
            raise not_implemented("serviceaccounts/token without authentication")
        token = self.issue(account, audiences, seconds, bound)
        expires = self._access.endpoints.clock() + dt.timedelta(seconds=seconds)
        meta = account["metadata"]
        return {
            "kind": _KIND,
            "apiVersion": _VERSION,
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "creationTimestamp": self._access.now(),
                **self._tracked({**spec, "expirationSeconds": seconds}, options),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": bound,
            },
            "status": {"token": token, "expirationTimestamp": rfc3339(expires)},
        }

    def _tracked(self, spec: Object, options: WriteOptions) -> Object:
        """Return metadata that says what the client has set."""
        review: Object = {"kind": _KIND, "apiVersion": _VERSION, "metadata": {}, "spec": spec}
        tracked = fields.track_update(
            None, review, manager=options.manager, subresource="token",
            schema=fields.schema_for_builtin(_GROUP, "v1", _KIND), now=self._access.now(),
            version=_VERSION,
        )  # fmt: skip
        found: Object = tracked["metadata"]
        return found

    def _check_bound(self, target: Target, bound: Object) -> None:
        kind, name = bound.get("kind", ""), bound.get("name", "")
        group, _, version = bound.get("apiVersion", "").rpartition("/")
        plural = None if group else _BOUND.get(kind)
        if plural is None:
            shown = f"{group}/{version}, Kind={kind}"
            raise bad_request(f"cannot bind token to object of type {shown}")
        resource = self._access.endpoints.catalog.find(Gvr("", "v1", plural))
        assert resource is not None
        place = "" if plural == "nodes" else target.namespace
        found = self._access.find(Target(resource, place, name)).object
        account = (found.get("spec") or {}).get("serviceAccountName", "")
        if plural == "pods" and account != target.name:
            raise bad_request(
                f'cannot bind token for serviceaccount "{target.name}" to pod running with '
                f'serviceaccount "{account}"'
            )
        if bound.get("uid") and bound["uid"] != found["metadata"]["uid"]:
            why = (
                f"the UID in the bound object reference ({bound['uid']}) does not match the UID "
                "in record. The object might have been deleted and then recreated"
            )
            raise conflict("", kind, name, why)


def _check_seconds(seconds: int) -> None:
    causes: list[Cause] = []
    if seconds < 600:
        text = "may not specify a duration less than 10 minutes"
        causes.append(fielderrors.invalid("spec.expirationSeconds", seconds, text))
    if seconds > 2**32:
        text = "may not specify a duration larger than 2^32 seconds"
        causes.append(fielderrors.invalid("spec.expirationSeconds", seconds, text))
    if causes:
        raise invalid(_GROUP, _KIND, "", causes)
