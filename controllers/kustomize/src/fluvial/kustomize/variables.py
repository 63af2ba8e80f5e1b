"""The variables of post-build substitution."""

import base64
import binascii

from fluvial.apis.kustomize import Kustomization
from fluvial.toolkit import ApiError, Client, NotFound, Transient, TransportError
from fluvial.toolkit.references import CONFIG_MAP, SECRET

__all__ = ["load_variables"]


async def load_variables(client: Client, obj: Kustomization, retry: float) -> dict[str, str] | None:
    """Read the variables of `spec.postBuild` as `client`; None means that nothing is substituted.

    Later entries of `substituteFrom` win over earlier ones, and `substitute` over all; line breaks
    go out of every value. Each object is read once, and `optional` forgives only that it is
    missing. Raises Transient (BuildFailed, again after `retry` seconds) that never has a value.
    """
    spec = obj.spec.post_build
    if spec is None:
        return None
    variables: dict[str, str] = {}
    for reference in spec.substitute_from:
        resource = SECRET if reference.kind == "Secret" else CONFIG_MAP
        name = f"{reference.kind} '{obj.metadata.namespace}/{reference.name}'"
        try:
            found = await client.get(resource, reference.name, obj.metadata.namespace)
        except NotFound as error:
            if reference.optional:
                continue
            raise Transient(
                "BuildFailed", f"substitute from {name}: not found", retry_after=retry
            ) from error
        except (ApiError, TransportError) as error:
            raise Transient(
                "BuildFailed", f"substitute from {name}: {error}", retry_after=retry
            ) from error
        for key, value in (found.get("data") or {}).items():
            variables[key] = _decoded(value, name, key, retry) if resource is SECRET else value
    variables.update(spec.substitute)
    if not variables and spec.substitute_strategy != "Always":
        return None
    return {name: value.replace("\n", "") for name, value in variables.items()}


def _decoded(value: str, name: str, key: str, retry: float) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Transient(
            "BuildFailed", f"substitute from {name}: key {key} is no text", retry_after=retry
        ) from error
