"""Objects on their way to a webhook and back: shown in the version that was matched."""

from __future__ import annotations

from fluvial.cluster import schemas
from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Match
from fluvial.cluster.endpoints.target import WriteOptions
from fluvial.cluster.errors import internal
from fluvial.cluster.fields.managed import Managers
from fluvial.cluster.objects import Object

__all__ = ["Versions"]

_RESET = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an "
    "outdated mutating admission controller; please fix your requests: {}"
)


class Versions:
    """Converts objects of one control plane between the versions of their kinds."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def shown(self, obj: Object | None, match: Match) -> Object | None:
        """Return a copy of an object in the version that was matched."""
        if obj is None:
            return None
        return convert(self._access.copy(obj), match.kind.api_version)

    def taken(self, patched: Object, asked: Attributes, match: Match) -> Object:
        """Return what a webhook made of an object, in the version of the request.

        Unknown fields are dropped and defaults filled in. Field managers that can no longer be
        read are those of before, and the client is warned.
        """
        assert asked.object is not None
        kind = f"{match.kind.api_version}, Kind={match.kind.kind}"
        if (patched.get("apiVersion"), patched.get("kind")) != (
            match.kind.api_version,
            match.kind.kind,
        ):
            raise internal(f"expected {kind}, got {patched.get('apiVersion')}, Kind="
                           f"{patched.get('kind')}")  # fmt: skip
        obj = convert(patched, asked.kind.api_version)
        if asked.kind.kind == asked.resource.kind:
            quiet = WriteOptions(validation="Ignore")
            schemas.decode(asked.resource, obj, quiet, self._access.strategy(asked.resource))
        self._restore_managers(obj, asked)
        return obj

    @staticmethod
    def _restore_managers(obj: Object, asked: Attributes) -> None:
        assert asked.object is not None
        meta = obj.setdefault("metadata", {})
        try:
            Managers.decode(meta.get("managedFields"))
        except ValueError as error:
            asked.warnings.append(_RESET.format(error))
            before = (asked.object.get("metadata") or {}).get("managedFields")
            if before is None:
                meta.pop("managedFields", None)
            else:
                meta["managedFields"] = before
