"""Reading what a reconcile depends on; nothing is decided here."""

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.kustomize import Kustomization
from fluvial.apis.meta import Artifact
from fluvial.kustomize.references import SOURCE_KINDS
from fluvial.kustomize.state import State
from fluvial.toolkit import NotFound
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.dependencies import Reader, observe_dependencies

__all__ = ["observe"]


async def observe(reader: Reader, obj: Kustomization, raw: Unstructured) -> State:
    """Read the source and the dependencies: of a client, past every cache as upstream does."""
    found, artifact, broken = await _source(reader, obj)
    dependencies = await observe_dependencies(
        reader, resource_of_kind(KUSTOMIZATION), obj.spec.depends_on, obj.metadata.namespace
    )
    return State(obj, raw, artifact, found, broken, tuple(dependencies))


async def _source(
    reader: Reader, obj: Kustomization
) -> tuple[bool, Artifact | None, DecodeError | None]:
    reference = obj.spec.source_ref
    kind = SOURCE_KINDS.get(reference.kind)
    if kind is None:
        return False, None, None
    namespace = reference.namespace or obj.metadata.namespace
    try:
        source = await reader.get(resource_of_kind(kind), reference.name, namespace)
    except NotFound:
        return False, None, None
    try:
        artifact: Artifact | None = decode(kind, source).status.artifact
    except DecodeError as error:
        return True, None, error
    return True, artifact, None
