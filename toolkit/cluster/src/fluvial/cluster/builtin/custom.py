"""The rules of custom resources, as their definition gives them."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import TYPE_CHECKING

from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import StatusError, bad_request
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

if TYPE_CHECKING:
    from fluvial.cluster.crd.schema import CustomVersion

__all__ = ["CustomStrategy"]


class CustomStrategy(Strategy):
    """Rules of one served version."""

    needs_version = True

    def __init__(self, version: CustomVersion) -> None:
        self._version = version
        self.status = version.has_status
        self.field_labels = version.selectable

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Drop the status where it is a subresource."""
        if self.status:
            obj.pop("status", None)

    def unknown_field_label(self, resource: Resource, label: str) -> StatusError:
        """Return the 400 of custom resources."""
        return bad_request(f"field label not supported: {label}")
