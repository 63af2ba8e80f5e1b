"""The target and its primary where the target is a Deployment: reads and writes."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.flagger.canary import Canary
from fluvial.apis.ids import Unstructured
from fluvial.canary.errors import MissingObject
from fluvial.canary.primary import SUFFIX, Selector, Transformation
from fluvial.canary.resources import DEPLOYMENTS, FIELD_MANAGER
from fluvial.canary.routers import PodSelection, owner_reference
from fluvial.toolkit import Client, NotFound
from fluvial.toolkit.client import AlreadyExists
from fluvial.toolkit.status import merge_patch

__all__ = ["DeploymentWorkload", "discovered_ports"]

_SIDECARS: Final = frozenset({"istio-proxy", "envoy"})


class DeploymentWorkload:
    """One Canary's target and primary."""

    def __init__(self, client: Client, canary: Canary) -> None:
        self._client = client
        self._canary = canary
        self._namespace = canary.metadata.namespace
        self.name = canary.spec.target_ref.name
        self.primary_name = self.name + SUFFIX

    async def target(self) -> Unstructured:
        """Read the target. Raises MissingObject."""
        try:
            return await self._client.get(DEPLOYMENTS, self.name, self._namespace)
        except NotFound as error:
            raise MissingObject(
                f"Deployment {self._namespace}/{self.name}, the target, does not exist"
            ) from error

    async def primary(self) -> Unstructured | None:
        """Read the primary, or None while there is none."""
        with contextlib.suppress(NotFound):
            return await self._client.get(DEPLOYMENTS, self.primary_name, self._namespace)
        return None

    async def create_primary(self, target: Unstructured, change: Transformation) -> None:
        """Create the primary from the target as it is now."""
        primary = change.create(target, owner_reference(self._canary))
        # Another replica may have been quicker.
        with contextlib.suppress(AlreadyExists):
            await self._client.create(DEPLOYMENTS, primary, field_manager=FIELD_MANAGER)

    async def promote(self, target: Unstructured, change: Transformation) -> None:
        """Give the primary the target's template and settings; its pods roll."""
        primary = await self.primary()
        if primary is None:
            await self.create_primary(target, change)
            return
        scaled = self._canary.spec.autoscaler_ref is not None
        metadata, spec = change.promote(target, primary, scaled=scaled)
        live = primary["metadata"]
        patch = {
            "metadata": {
                key: merge_patch(live.get(key) or {}, value) for key, value in metadata.items()
            },
            "spec": {key: _difference(primary["spec"].get(key), spec[key]) for key in spec},
        }
        await self._client.patch(
            DEPLOYMENTS, self.primary_name, patch, self._namespace, field_manager=FIELD_MANAGER
        )

    async def scale(self, target: Unstructured, replicas: int) -> None:
        """Set the target's replicas, unless they are that already."""
        if target["spec"].get("replicas", 1) == replicas:
            return
        await self._client.patch(
            DEPLOYMENTS,
            self.name,
            {"spec": {"replicas": replicas}},
            self._namespace,
            field_manager=FIELD_MANAGER,
        )

    async def scale_up(self, target: Unstructured, *, least: int | None = None) -> None:
        """Give the target pods: its own number if it has one, else the autoscaler's `least`.

        Without an autoscaler (None) as many as the primary has, and at least one.
        """
        wanted = target["spec"].get("replicas", 1) or least
        if not wanted:
            primary = await self.primary()
            wanted = (primary["spec"].get("replicas", 1) if primary else 0) or 1
        await self.scale(target, wanted)


def discovered_ports(canary: Canary, target: Unstructured, selector: Selector) -> PodSelection:
    """Return the pods' selection, with the further ports where `portDiscovery` asks for them."""
    service = canary.spec.service
    ports: dict[str, int] = {}
    if service is not None and service.port_discovery:
        known = {service.port, service.target_port}
        for container in target["spec"]["template"]["spec"].get("containers") or ():
            if container["name"] in _SIDECARS:
                continue
            for index, port in enumerate(container.get("ports") or ()):
                number, name = port["containerPort"], port.get("name") or ""
                if number not in known and name not in known - {""}:
                    ports[name or f"tcp-{container['name']}-{index}"] = number
    return PodSelection(selector.key, selector.value, ports)


def _difference(before: Any, after: Any) -> Any:
    """Return what a merge patch has to say to make `after` of `before`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return merge_patch(before, after)
    return after
