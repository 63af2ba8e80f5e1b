"""Whether a body is about the object of its path, and about the version that is stored."""

from __future__ import annotations

import secrets

from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, bad_request, conflict
from fluvial.cluster.objects import Object

__all__ = [
    "another_namespace",
    "another_uid",
    "check_name",
    "generated",
    "modified",
    "place",
]

_MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The alphabet of generated names: no vowels, nothing that looks like another."""


def generated(prefix: str) -> str:
    """Return a name of a prefix (cut to 58 characters) and five random characters."""
    return prefix[:58] + "".join(secrets.choice(_NAME_LETTERS) for _ in range(5))


def check_name(target: Target, name: str) -> None:
    """Refuse a body with another name than the path's, or with none."""
    if not name:
        text = "was undeterminable: name must be provided"
        raise bad_request(f"the name of the object ({target.name} based on URL) {text}")
    if name != target.name:
        text = f"does not match the name on the URL ({target.name})"
        raise bad_request(f"the name of the object ({name}) {text}")


def another_namespace() -> StatusError:
    """Return the 400 for a body of another namespace than the path's."""
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def place(target: Target, obj: Object) -> None:
    """Give a body the namespace of its path; one that has another is refused."""
    meta = obj["metadata"]
    given = meta.get("namespace")
    if given and target.resource.namespaced and given != target.namespace:
        raise another_namespace()
    if target.resource.namespaced:
        meta["namespace"] = target.namespace
    else:
        meta.pop("namespace", None)


def modified(target: Target) -> StatusError:
    """Return the 409 for a write of an older version than the stored one."""
    resource = target.resource
    return conflict(resource.group, resource.plural, target.name, _MODIFIED)


def another_uid(target: Target, given: str, found: str) -> StatusError:
    """Return the 409 for a write of another object of the same name."""
    resource = target.resource
    why = f"Precondition failed: UID in precondition: {given}, UID in object meta: {found}"
    return conflict(resource.group, resource.plural, target.name, why)
