"""What exists upstream and is not here: connections into pods, and aggregated APIs.

Each is refused with 501 and a Status that names the way out.
"""

from __future__ import annotations

from fluvial.cluster.endpoints import Endpoints, Target
from fluvial.cluster.errors import not_implemented

__all__ = ["check_aggregated", "check_connection"]

_APISERVICES = "apiregistration.k8s.io/apiservices"
_COMMANDS = "pods are local processes or simulated, and no command is run beside them"
_ADDRESS = "connect to it from this machine at the pod's own address, status.podIP"
_INSTEAD = {
    "attach": f"{_COMMANDS}; use `kubectl logs -f` for the output of sample images",
    "exec": f"{_COMMANDS}; use `kubectl logs` for the output of sample images",
    "portforward": _ADDRESS,
    "proxy": _ADDRESS,
}


def check_connection(endpoints: Endpoints, target: Target) -> None:
    """Refuse to connect to what a pod, service or node runs: 404 when it is not there, else 501."""
    instead = _INSTEAD.get(target.subresource)
    if instead is None:
        return
    endpoints.access.find(target)
    if target.resource.prefix != "/pods":
        instead = "connect to the address of a pod behind it, status.podIP"
    raise not_implemented(f"{target.resource.plural}/{target.subresource}", instead)


def check_aggregated(endpoints: Endpoints, group: str, version: str) -> None:
    """Refuse requests to a group version that an APIService gives to another server."""
    name = f"{version}.{group}"
    entry = endpoints.store.get(_APISERVICES, ("", name))
    if entry is None or (entry.object.get("spec") or {}).get("service") is None:
        return
    raise not_implemented(
        f"the aggregated API {group}/{version} (APIService {name})",
        "requests are not passed on to its Service; install a CustomResourceDefinition, or try it "
        "on a real cluster",
    )
