"""Objects on their way to a webhook and back: shown in the version that was matched."""

from __future__ import annotations

from fluvial.cluster import schemas
from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes, Kind
from fluvial.cluster.endpoints.admission.matching import Match
from fluvial.cluster.endpoints.conversion.review import ConversionError
from fluvial.cluster.endpoints.target import WriteOptions
from fluvial.cluster.errors import internal
from fluvial.cluster.fields.managed import Managers
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["Versions"]

_RESET = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an "
    "outdated mutating admission controller; please fix your requests: {}"
)


class Versions:
    """Converts objects of one control plane between the versions of their kinds."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def shown(self, obj: Object | None, match: Match) -> Object | None:
        """Return a copy of an object in the version that was matched.

        Raises an internal error when the webhook that converts it fails.
        """
        if obj is None:
            return None
        return await self._converted(self._access.copy(obj), match.resource, match.kind)

    async def _converted(self, obj: Object, resource: Resource, kind: Kind) -> Object:
        if not resource.converts or kind.kind != resource.kind:
            return convert(obj, kind.api_version)
        try:
            (found,) = await self._access.endpoints.conversions.convert(resource, [obj])
        except ConversionError as error:
            raise internal(str(error)) from None
        return found

    async def taken(self, patched: Object, asked: Attributes, match: Match) -> Object:
        """Return what a webhook or a policy made of an object, in the version of the request.

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
        obj = await self._converted(patched, asked.resource, asked.kind)
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
