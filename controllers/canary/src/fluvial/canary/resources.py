"""The endpoints of the kinds that a release reads and writes."""

from typing import Final

from fluvial.apis.kinds import CANARY
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

__all__ = ["CANARIES", "CONFIG_MAPS", "DEPLOYMENTS", "FIELD_MANAGER", "SCALERS", "SECRETS"]

FIELD_MANAGER: Final = "flagger"
"""Equal to the Go controller's."""

CANARIES: Final = resource_of_kind(CANARY)
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
SCALERS: Final = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
