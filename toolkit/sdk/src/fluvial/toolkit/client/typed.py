"""Access to one kind as its model, for code that reads fields rather than passing objects on."""

from typing import TYPE_CHECKING, Generic, TypeVar

from fluvial.apis.decoding import decode
from fluvial.apis.definition import Kind
from fluvial.apis.meta import Resource as Model
from fluvial.toolkit.client.resource import Resource

if TYPE_CHECKING:
    from fluvial.toolkit.client.client import Client

__all__ = ["TypedClient", "resource_of_kind"]

M = TypeVar("M", bound=Model)


def resource_of_kind(kind: Kind[M]) -> Resource:
    """Return the endpoint of a kind of `fluvial.apis`, without asking discovery."""
    return Resource(
        kind.group,
        kind.version,
        kind.plural,
        kind.kind,
        namespaced=kind.namespaced,
        subresources=frozenset({"status"}),
    )


class TypedClient(Generic[M]):
    """Reads of one kind. Writes go through patches, which need no model."""

    def __init__(self, client: "Client", kind: Kind[M]) -> None:
        self._client = client
        self._kind = kind
        self.resource = resource_of_kind(kind)
        """The endpoint of the kind."""

    async def get(self, name: str, namespace: str | None = None) -> M:
        """Read one object. Raises ValueError where it does not fit the model."""
        return decode(self._kind, await self._client.get(self.resource, name, namespace))

    async def list(self, namespace: str | None = None, *, label_selector: str = "") -> list[M]:
        """Read all objects of a namespace, or of all namespaces."""
        found = await self._client.list(self.resource, namespace, label_selector=label_selector)
        return [decode(self._kind, item) for item in found.items]
