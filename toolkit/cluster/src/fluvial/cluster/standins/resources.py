"""The endpoints that the stand-ins read and write, as `Api` names them."""

from __future__ import annotations

__all__ = [
    "API_SERVICES",
    "AUTOSCALERS",
    "CLAIMS",
    "CONFIG_MAPS",
    "CRON_JOBS",
    "DAEMON_SETS",
    "DEPLOYMENTS",
    "DISRUPTION_BUDGETS",
    "ENDPOINTS",
    "ENDPOINT_SLICES",
    "JOBS",
    "NAMESPACES",
    "NODES",
    "PODS",
    "QUOTAS",
    "REPLICA_SETS",
    "REVISIONS",
    "SECRETS",
    "SERVICES",
    "SERVICE_ACCOUNTS",
    "STATEFUL_SETS",
    "VALIDATING_POLICIES",
    "VOLUMES",
]

API_SERVICES = "apiregistration.k8s.io/v1/apiservices"
AUTOSCALERS = "autoscaling/v2/horizontalpodautoscalers"
CLAIMS = "v1/persistentvolumeclaims"
CONFIG_MAPS = "v1/configmaps"
CRON_JOBS = "batch/v1/cronjobs"
DAEMON_SETS = "apps/v1/daemonsets"
DEPLOYMENTS = "apps/v1/deployments"
DISRUPTION_BUDGETS = "policy/v1/poddisruptionbudgets"
ENDPOINTS = "v1/endpoints"
ENDPOINT_SLICES = "discovery.k8s.io/v1/endpointslices"
JOBS = "batch/v1/jobs"
NAMESPACES = "v1/namespaces"
NODES = "v1/nodes"
PODS = "v1/pods"
QUOTAS = "v1/resourcequotas"
REPLICA_SETS = "apps/v1/replicasets"
REVISIONS = "apps/v1/controllerrevisions"
SECRETS = "v1/secrets"
SERVICES = "v1/services"
SERVICE_ACCOUNTS = "v1/serviceaccounts"
STATEFUL_SETS = "apps/v1/statefulsets"
VALIDATING_POLICIES = "admissionregistration.k8s.io/v1/validatingadmissionpolicies"
VOLUMES = "v1/persistentvolumes"
