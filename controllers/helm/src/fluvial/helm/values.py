"""Reading what the values of a release are put together from."""

from typing import Any

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import ValuesReference
from fluvial.render.helm import ValuesError
from fluvial.render.helm.flux import compose, text_of
from fluvial.toolkit import Client, NotFound, Transient
from fluvial.toolkit.references import CONFIG_MAP, SECRET

__all__ = ["load_values"]


async def load_values(client: Client, obj: HelmRelease) -> dict[str, Any]:
    """Read what `valuesFrom` names, in the release's namespace, and compose.

    Raises Transient with the reason ValuesError; its message never quotes a value.
    """
    namespace = obj.metadata.namespace
    seen: dict[tuple[str, str], Unstructured | None] = {}
    found: list[tuple[ValuesReference, str | None]] = []
    try:
        for ref in obj.spec.values_from:
            key = (ref.kind, ref.name)
            if key not in seen:
                seen[key] = await _get(client, ref, namespace)
            found.append((ref, text_of(ref, seen[key], namespace)))
        return compose(found, obj.spec.values)
    except ValuesError as error:
        raise Transient("ValuesError", f"could not resolve values: {error}") from error


async def _get(client: Client, ref: ValuesReference, namespace: str) -> Unstructured | None:
    """Return the object; None when it is not there."""
    resource = SECRET if ref.kind == "Secret" else CONFIG_MAP
    try:
        return await client.get(resource, ref.name, namespace)
    except NotFound:
        return None
