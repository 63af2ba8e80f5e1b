"""The primary's copy of the target's HorizontalPodAutoscaler.

The target's own needs no pause: it is inactive while the target has no replicas.
"""

import contextlib
from typing import Any, Final

from fluvial.apis.flagger.canary import AutoscalerReference, Canary
from fluvial.apis.ids import Unstructured
from fluvial.canary.errors import MissingObject
from fluvial.canary.primary import SUFFIX, TOOLKIT
from fluvial.canary.resources import FIELD_MANAGER, SCALERS
from fluvial.canary.routers import owner_reference
from fluvial.toolkit import Client, NotFound
from fluvial.toolkit.client import AlreadyExists
from fluvial.toolkit.status import merge_patch

__all__ = ["Scaler"]

_COPIED: Final = ("minReplicas", "maxReplicas", "metrics", "behavior")


class Scaler:
    """One Canary's autoscaler; without `autoscalerRef` every method does nothing."""

    def __init__(self, client: Client, canary: Canary) -> None:
        self._client = client
        self._canary = canary
        self._reference = canary.spec.autoscaler_ref
        self._namespace = canary.metadata.namespace

    async def create(self) -> None:
        """Create the primary's copy where there is none; one that is there stays as it is."""
        if self._reference is None:
            return
        with contextlib.suppress(NotFound):
            await self._client.get(SCALERS, self._reference.name + SUFFIX, self._namespace)
            return
        wanted = self._copy(self._reference, await self._source(self._reference))
        with contextlib.suppress(AlreadyExists):
            await self._client.create(SCALERS, wanted, field_manager=FIELD_MANAGER)

    async def update(self) -> None:
        """Bring the primary's copy to where the target's is: with a promotion, never before."""
        if self._reference is None:
            return
        name = self._reference.name + SUFFIX
        try:
            present = await self._client.get(SCALERS, name, self._namespace)
        except NotFound:
            await self.create()
            return
        wanted = self._copy(self._reference, await self._source(self._reference))
        changed = merge_patch(
            {key: present["spec"][key] for key in _COPIED if key in present["spec"]},
            {key: wanted["spec"][key] for key in _COPIED if key in wanted["spec"]},
        )
        if changed:
            await self._client.patch(
                SCALERS, name, {"spec": changed}, self._namespace, field_manager=FIELD_MANAGER
            )

    async def least(self) -> int | None:
        """Return the number of replicas that a run begins with; None without an autoscaler."""
        if self._reference is None:
            return None
        source = await self._source(self._reference)
        least: int = source["spec"].get("minReplicas", 1)
        return max(1, least)

    async def _source(self, reference: AutoscalerReference) -> Unstructured:
        try:
            return await self._client.get(SCALERS, reference.name, self._namespace)
        except NotFound as error:
            raise MissingObject(
                f"HorizontalPodAutoscaler {self._namespace}/{reference.name}, which"
                " spec.autoscalerRef names, does not exist"
            ) from error

    def _copy(self, reference: AutoscalerReference, source: Unstructured) -> Unstructured:
        spec: dict[str, Any] = {
            key: source["spec"][key] for key in _COPIED if key in source["spec"]
        }
        bounds = reference.primary_scaler_replicas
        if bounds is not None and bounds.min_replicas is not None:
            spec["minReplicas"] = bounds.min_replicas
        if bounds is not None and bounds.max_replicas is not None:
            spec["maxReplicas"] = bounds.max_replicas
        scaled = source["spec"]["scaleTargetRef"]
        spec["scaleTargetRef"] = {**scaled, "name": self._canary.spec.target_ref.name + SUFFIX}
        labels = source["metadata"].get("labels") or {}
        return {
            "apiVersion": SCALERS.api_version,
            "kind": SCALERS.kind,
            "metadata": {
                "name": reference.name + SUFFIX,
                "namespace": self._namespace,
                "labels": {key: value for key, value in labels.items() if TOOLKIT not in key},
                "ownerReferences": [owner_reference(self._canary)],
            },
            "spec": spec,
        }
