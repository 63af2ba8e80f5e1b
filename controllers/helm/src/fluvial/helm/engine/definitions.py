"""The chart's `crds/`: applied before the release, never removed with it."""

from collections.abc import Sequence

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.helm.engine.objects import MANAGER, Objects
from fluvial.helm.errors import ActionFailed
from fluvial.render.helm.flux import origin_labels
from fluvial.toolkit import ApiError, NotFound, TransportError
from fluvial.toolkit.apply import normalize, verdict, wait

__all__ = ["apply_definitions"]

_ESTABLISHED = 60.0


async def apply_definitions(
    objects: Objects, definitions: Sequence[Unstructured], policy: str, obj: HelmRelease
) -> None:
    """Apply definitions by policy and wait until they are served.

    `Skip` does nothing, `Create` (also when empty) makes what is missing, `CreateReplace` also
    changes what is there. They get the origin labels, and no sign of belonging to a release.
    Raises ActionFailed.
    """
    if policy == "Skip" or not definitions:
        return
    written: list[ObjectId] = []
    for definition in definitions:
        name = str(definition["metadata"].get("name"))
        try:
            resource, placed = await objects.placed(definition)
            if policy != "CreateReplace" and await _exists(objects, definition):
                continue
            await objects.client.patch(
                resource,
                name,
                normalize(placed, labels=origin_labels(obj)),
                type="apply",
                field_manager=MANAGER,
                force=True,
            )
        except (ApiError, TransportError) as error:
            raise ActionFailed(f"failed to apply CustomResourceDefinition/{name}: {error}") from (
                error
            )
        written.append(ObjectId.from_object(placed))
    if written:
        trouble = verdict(await wait(objects.client, written, _ESTABLISHED, clock=objects.clock))
        if trouble:
            raise ActionFailed(f"failed to apply CustomResourceDefinitions: {trouble}")
        await objects.client.mapper.refresh()


async def _exists(objects: Objects, definition: Unstructured) -> bool:
    resource, placed = await objects.placed(definition)
    try:
        await objects.client.get(resource, placed["metadata"]["name"], metadata_only=True)
    except NotFound:
        return False
    return True
