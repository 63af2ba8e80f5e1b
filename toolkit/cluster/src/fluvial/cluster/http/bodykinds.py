"""Whether a body is of the kind that its endpoint takes, in the words of upstream's decoders."""

from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import StatusError, bad_request, invalid
from fluvial.cluster.http.bodies import unrecognized
from fluvial.cluster.kinds import mismatch, split_version
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["check_kind"]

_OLD_EVICTION = ("policy/v1beta1", "Eviction")
"""A kind that is taken in two versions, alone of all."""


def check_kind(obj: Object, resource: Resource, api_version: str, kind: str, body: bytes) -> None:
    """Fill in a missing apiVersion and kind; refuse those of another endpoint with 400.

    Custom resources must name both, and are refused as invalid (422) for another kind.
    """
    if resource.custom is not None and kind == resource.kind:
        _check_custom(obj, resource, body)
        return
    given = obj.get("apiVersion") or api_version, obj.get("kind") or kind
    if given not in {(api_version, kind), _OLD_EVICTION}:
        why = mismatch(resource, obj, given, (api_version, kind))
        if not why:
            raise _other_version(given[0], api_version)
        version = split_version(given[0])[1]
        raise bad_request(f'{given[1]} in version "{version}" cannot be handled as a {kind}: {why}')
    obj["apiVersion"], obj["kind"] = api_version, kind


def _other_version(given: str, wanted: str) -> StatusError:
    return bad_request(
        f"the API version in the data ({given}) does not match the expected API version ({wanted})"
    )


def _check_custom(obj: Object, resource: Resource, body: bytes) -> None:
    given, kind = obj.get("apiVersion") or "", obj.get("kind")
    if not kind:
        shown = body.decode(errors="replace")
        raise unrecognized(resource.kind, f"Object 'Kind' is missing in '{shown}'", body)
    if given != resource.api_version:
        raise _other_version(given, resource.api_version)
    if kind != resource.kind:
        meta = obj.get("metadata")
        name = meta.get("name") if isinstance(meta, dict) else None
        cause = fielderrors.invalid("kind", kind, f"must be {resource.kind}")
        raise invalid(resource.group, kind, name if isinstance(name, str) else "", [cause])
