"""The client to the API server: see docs/decisions/2026-11-24-client.md.

```python
async with Client(await ClusterConfig.discover()) as client:
    deployments = await client.mapper.resource("apps", "Deployment")
    live = await client.get(deployments, "podinfo", "default")
    await client.patch(deployments, "podinfo", {"metadata": {"labels": {"a": "b"}}}, "default")
    async with aclosing(client.watch(deployments)) as events:
        async for event in events:
            ...
    tenant = client.impersonate("system:serviceaccount:apps:deployer")
```
"""

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.client.client import Client
from fluvial.toolkit.client.config import ClusterConfig, Credentials, StaticToken, TokenFile
from fluvial.toolkit.client.errors import (
    AlreadyExists,
    ApiError,
    Cause,
    ClientError,
    ConfigError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    LeaseLost,
    NotFound,
    ServerUnavailable,
    Timeout,
    TooManyRequests,
    TransportError,
    Unauthorized,
    UnknownKind,
)
from fluvial.toolkit.client.mapper import RESTMapper
from fluvial.toolkit.client.resource import (
    ObjectList,
    PatchType,
    Propagation,
    Resource,
    WatchEvent,
)
from fluvial.toolkit.client.transport import Guard
from fluvial.toolkit.client.typed import TypedClient, resource_of_kind

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Cause",
    "Client",
    "ClientError",
    "ClusterConfig",
    "ConfigError",
    "Conflict",
    "Credentials",
    "Forbidden",
    "Gone",
    "Guard",
    "Invalid",
    "LeaseLost",
    "NotFound",
    "ObjectList",
    "PatchType",
    "Propagation",
    "RESTMapper",
    "Resource",
    "ServerUnavailable",
    "StaticToken",
    "Timeout",
    "TokenFile",
    "TooManyRequests",
    "TransportError",
    "TypedClient",
    "Unauthorized",
    "UnknownKind",
    "Unstructured",
    "WatchEvent",
    "resource_of_kind",
]
