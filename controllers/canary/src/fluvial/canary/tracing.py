"""Ticks as spans of the commit that brought the new version."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fluvial.apis.flagger.canary import Canary
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import HELM_CHART, HELM_RELEASE, KUSTOMIZATION
from fluvial.canary.tick import Parts
from fluvial.toolkit import Client, ClientError
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.tracing import revision_of

__all__ = ["recorded"]

_APPLIERS: Final = (resource_of_kind(KUSTOMIZATION), resource_of_kind(HELM_RELEASE))
_CHARTS: Final = resource_of_kind(HELM_CHART)


@asynccontextmanager
async def recorded(parts: Parts, raw: Unstructured, canary: Canary) -> AsyncIterator[None]:
    """Record what is done meanwhile, if the Canary's status is written and traces are collected."""
    if parts.tracing is None:
        yield
        return
    began, before, failure = time.time_ns(), canary.status.last_transition_time, None
    try:
        yield
    except Exception as error:
        failure = str(error)
        raise
    finally:
        status = canary.status
        if status.last_transition_time != before or failure is not None:
            facts = {
                "fluvial.canary.phase": status.phase,
                "fluvial.canary.weight": str(status.canary_weight),
                "fluvial.canary.failed_checks": str(status.failed_checks),
            }
            ended = time.time_ns()
            revision = await _revision(parts.client, canary)
            parts.tracing.attempt(raw, revision, began, ended, error=failure, facts=facts)


async def _revision(client: Client, canary: Canary) -> str:
    """Find the revision that the target was applied from, by the labels of who applied it.

    Empty where that is nobody's, or nobody that may be read.
    """
    target = canary.spec.target_ref
    try:
        workload = {"apiVersion": target.api_version or "apps/v1", "kind": target.kind}
        resource = await client.resource_of(workload)
        live = await client.get(
            resource, target.name, canary.metadata.namespace, metadata_only=True
        )
        labels = live["metadata"].get("labels") or {}
        for resource in _APPLIERS:
            if name := labels.get(f"{resource.group}/name"):
                namespace = labels.get(f"{resource.group}/namespace")
                applier = await client.get(resource, name, namespace)
                chart = (applier.get("status") or {}).get("helmChart")
                if chart:
                    namespace, _, name = chart.partition("/")
                    applier = await client.get(_CHARTS, name, namespace)
                return revision_of(applier)
    except ClientError:
        return ""
    return ""
