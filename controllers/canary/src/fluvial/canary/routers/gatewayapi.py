"""The Gateway API: an HTTPRoute named as the apex Service, with both versions as its backends."""

from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.flagger import Canary
from fluvial.apis.ids import Unstructured
from fluvial.canary.resources import FIELD_MANAGER
from fluvial.canary.routers._httproute import cookies_of, route_spec, weights_of
from fluvial.canary.routers.affinity import Cookies, next_cookies
from fluvial.canary.routers.metadata import annotations_of, changes, labels_of, owner_reference
from fluvial.canary.routers.model import RouteNotReady, Weights, service_names
from fluvial.toolkit.client import Client, NotFound, Resource

__all__ = ["GatewayRouter"]

_ROUTES: Final = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
_RUNNING: Final = frozenset({"Waiting", "Progressing", "WaitingPromotion"})
_PARENT: Final = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}


class GatewayRouter:
    """The provider `gatewayapi:v1`: weights, A/B tests, mirroring, session affinity.

    Writes are merge patches that carry the version they were decided on: what another writer did
    in between raises Conflict, and the next tick decides anew.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def reconcile(self, canary: Canary) -> None:
        """Create the route, or correct its spec and labels; annotations of others stay.

        Present weights stay, and so does mirroring while a release runs. Weights that do not add
        up are set to what the status says.
        """
        found = await self._find(canary)
        custom = canary.spec.service.apex if canary.spec.service else None
        labels, annotations = labels_of(custom), annotations_of(custom)
        if found is None:
            route = {
                "apiVersion": _ROUTES.api_version,
                "kind": _ROUTES.kind,
                "metadata": {
                    "name": service_names(canary).apex,
                    "namespace": canary.metadata.namespace,
                    "labels": labels,
                    "annotations": annotations,
                    "ownerReferences": [owner_reference(canary)],
                },
                "spec": route_spec(canary, Weights(100, 0), Cookies()),
            }
            await self._client.create(_ROUTES, route, field_manager=FIELD_MANAGER)
            return
        weights = _kept(canary, found)
        cookies = _cookies(canary, found, weights)
        wanted = route_spec(canary, weights, cookies)
        metadata = found["metadata"]
        patch = {
            "spec": _difference(found["spec"], wanted),
            "metadata": {
                "labels": changes(metadata.get("labels") or {}, labels),
                "annotations": changes(
                    metadata.get("annotations") or {},
                    {**(metadata.get("annotations") or {}), **annotations},
                ),
            },
        }
        if patch["spec"] or any(patch["metadata"].values()):
            await self._patch(found, patch)

    async def get(self, canary: Canary) -> Weights:
        """Read the weights; raises RouteNotReady while a parent has not accepted them."""
        names = service_names(canary)
        route = await self._client.get(_ROUTES, names.apex, canary.metadata.namespace)
        _check_accepted(route)
        weights = weights_of(route, names)
        if weights is None:
            raise RouteNotReady(
                f"HTTPRoute {names.apex}.{canary.metadata.namespace} has no rule with the "
                f"backends {names.primary} and {names.canary}"
            )
        return weights

    async def set(self, canary: Canary, weights: Weights) -> None:
        """Write the whole spec with the weights.

        With session affinity the cookies in `canary.status` are changed to those of the new route;
        the caller writes them with the next status patch.
        """
        names = service_names(canary)
        route = await self._client.get(_ROUTES, names.apex, canary.metadata.namespace)
        cookies = _cookies(canary, route, weights)
        wanted = route_spec(canary, weights, cookies)
        patch = _difference(route["spec"], wanted)
        if patch:
            await self._patch(route, {"spec": patch})

    async def finalize(self, canary: Canary) -> None:
        """Do nothing: the route is the Canary's own and is collected with it."""

    async def _find(self, canary: Canary) -> Unstructured | None:
        try:
            return await self._client.get(
                _ROUTES, service_names(canary).apex, canary.metadata.namespace
            )
        except NotFound:
            return None

    async def _patch(self, route: Unstructured, patch: dict[str, Any]) -> None:
        metadata = route["metadata"]
        version = {"resourceVersion": metadata["resourceVersion"]}
        patch = {**patch, "metadata": {**patch.get("metadata", {}), **version}}
        await self._client.patch(
            _ROUTES, metadata["name"], patch, metadata["namespace"], field_manager=FIELD_MANAGER
        )


def _kept(canary: Canary, route: Unstructured) -> Weights:
    """Return the weights that a correction leaves in place."""
    weights = weights_of(route, service_names(canary))
    if weights is None or weights.primary + weights.canary != 100:
        share = min(max(canary.status.canary_weight, 0), 100)
        weights = Weights(100 - share, share, weights.mirrored if weights else False)
    running = canary.spec.analysis.mirror and canary.status.phase in _RUNNING
    return Weights(weights.primary, weights.canary, weights.mirrored and running)


def _cookies(canary: Canary, route: Unstructured, weights: Weights) -> Cookies:
    """Return the cookies for these weights and put them into the status.

    Where the status has none, those that the route hands out go on.
    """
    affinity = canary.spec.analysis.session_affinity
    if affinity is None:
        return Cookies()
    status, handed = Cookies.of(canary), cookies_of(route, service_names(canary))
    known = Cookies(
        status.canary or handed.canary, status.primary or handed.primary, status.previous
    )
    cookies = next_cookies(affinity, known, weights.canary)
    cookies.write(canary)
    return cookies


def _difference(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch between two specs; lists are replaced as a whole."""
    patch: dict[str, Any] = {key: None for key in present if key not in wanted}
    patch |= {key: value for key, value in wanted.items() if present.get(key) != value}
    return patch


def _check_accepted(route: Unstructured) -> None:
    metadata = route["metadata"]
    generation = metadata.get("generation", 0)
    parents = [{**_PARENT, **parent} for parent in route["spec"].get("parentRefs") or ()]
    for status in (route.get("status") or {}).get("parents") or ():
        parent = {**_PARENT, **status["parentRef"]}
        if parent not in parents:
            continue
        for condition in status.get("conditions") or ():
            observed = condition.get("observedGeneration", 0)
            accepted = condition["status"] == "True" and observed >= generation
            if condition["type"] == "Accepted" and not accepted:
                raise RouteNotReady(
                    f"HTTPRoute {metadata['name']}.{metadata['namespace']} parent "
                    f"{parent['name']} is not ready (status: {condition['status']}, observed "
                    f"generation: {observed}, current generation: {generation})"
                )
