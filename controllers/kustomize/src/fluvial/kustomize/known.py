"""What watches have shown already: answers that cost no request."""

from collections.abc import Iterable, Mapping

from fluvial.apis.ids import Unstructured
from fluvial.toolkit import Informer, Resource, Watch
from fluvial.toolkit.runtime import Runtime

__all__ = ["Known", "Unknown"]


class Unknown(Exception):  # noqa: N818 - no failure: somebody has to be asked
    """No watch that is alive shows the object: it may or may not be there."""


class Known:
    """Reads from informers, as long as their watches are alive."""

    def __init__(self, informers: Mapping[Resource, Informer]) -> None:
        self._informers = informers

    @classmethod
    def of(cls, runtime: Runtime, watches: Iterable[Watch]) -> "Known":
        """Read from the informers that a controller has for its watches."""
        namespace = runtime.flags.watch_namespace
        return cls(
            {watch.resource: runtime.informers.get(watch.selection(namespace)) for watch in watches}
        )

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None
    ) -> Unstructured:
        """Return an object as it was shown last; it is shared. Raises Unknown."""
        informer = self._informers.get(resource)
        found = (
            informer.store.get(namespace or "", name)
            if informer is not None and informer.alive()
            else None
        )
        if found is None:
            raise Unknown(f"{resource} {name}")
        return found

    async def versions(self, names: Iterable[tuple[Resource, str, str]]) -> list[str] | None:
        """Return uid and version of each (endpoint, name, namespace); None if one is not known."""
        try:
            found = [(await self.get(*one))["metadata"] for one in names]
        except Unknown:
            return None
        return [f"{one.get('uid')}/{one.get('resourceVersion')}" for one in found]
