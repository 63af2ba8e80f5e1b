"""A namespace of the cluster for one test, and what every test does in it."""

import base64
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness import Harness, until

from fluvial.apis.ids import Unstructured
from fluvial.toolkit import SECRET, Client, Resource

__all__ = ["ACCOUNTS", "NAMESPACES", "Namespace", "bind", "new_namespace"]

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")

_ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")

_numbers = itertools.count(1)


class Namespace:
    """What tests do in a namespace; suites extend it by what their kinds need."""

    def __init__(self, harness: Harness, client: Client, name: str) -> None:
        self.harness = harness
        self.client = client
        self.name = name
        self._tokens = itertools.count(1)

    async def put(self, resource: Resource, name: str, **fields: Any) -> Unstructured:
        """Apply an object as kubectl would; `metadata` may be among the fields."""
        metadata = fields.pop("metadata", {})
        obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": self.name, **metadata},
            **fields,
        }
        return await self.client.patch(
            resource, name, obj, self.name, type="apply", field_manager="kubectl", force=True
        )

    async def secret(self, name: str, **data: str) -> None:
        """Apply a Secret."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        await self.put(SECRET, name, data=encoded)

    async def request(self, resource: Resource, name: str, token: str = "") -> str:
        """Ask for a reconcile, as a webhook would; returns the token."""
        token = token or f"request-{next(self._tokens)}"
        edit = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}}
        await self.client.patch(resource, name, edit, self.name)
        return token

    async def get(self, resource: Resource, name: str) -> Unstructured:
        """Read an object."""
        return await self.client.get(resource, name, self.name)

    async def until(
        self,
        resource: Resource,
        name: str,
        holds: Callable[[Unstructured], Any] = lambda _: True,
        *,
        gone: bool = False,
    ) -> Unstructured:
        """Wait until an object is as wanted, or gone; see `harness.until`."""
        return await until(self.client, resource, name, self.name, holds, gone=gone)


async def bind(team: Namespace, account: str, *resources: str) -> None:
    """Give a namespace an account that may do everything with these resources of the core group."""
    await team.put(ACCOUNTS, account)
    await team.put(
        _ROLES, account, rules=[{"apiGroups": [""], "resources": list(resources), "verbs": ["*"]}]
    )
    await team.put(
        _BINDINGS,
        account,
        roleRef={"apiGroup": _ROLES.group, "kind": "Role", "name": account},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": team.name}],
    )


@asynccontextmanager
async def new_namespace(harness: Harness) -> AsyncIterator[tuple[Client, str]]:
    """Connect, and create a namespace that no other test has; yields the client and its name."""
    async with harness.client() as client:
        name = f"team-{os.getpid()}-{next(_numbers)}"
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await client.create(NAMESPACES, obj)
        yield client, name
        await client.delete(NAMESPACES, name)
