"""What a reconcile finds before it starts, and the decision whether it may go on."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from fluvial.apis.decoding import DecodeError
from fluvial.apis.duration import parse_duration
from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import Kustomization
from fluvial.apis.meta import Artifact
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.references import source_reference
from fluvial.toolkit import ReconcileError, Stalled, Transient, Waiting
from fluvial.toolkit.apply import Expression, ExpressionInvalid, HealthExpressions
from fluvial.toolkit.dependencies import Dependency, unready

__all__ = ["Action", "Proceed", "Refuse", "State", "decide", "retry_interval"]

_ACCESS: Final = "AccessDenied"
_ARTIFACT: Final = "ArtifactFailed"
_BROKEN: Final = "InvalidCELExpression"
_DEPENDENCY: Final = "DependencyNotReady"
_TERMINAL: Final = "Reconciliation failed terminally due to configuration error"


@dataclass(frozen=True, slots=True)
class State:
    """What was observed.

    `source` is the artifact that the source offers, None when it has none or is not there;
    `source_error` is set when the source is there and cannot be read.
    """

    obj: Kustomization
    raw: Unstructured
    source: Artifact | None
    source_found: bool
    source_error: DecodeError | None = None
    dependencies: tuple[Dependency, ...] = ()


@dataclass(frozen=True, slots=True)
class Proceed:
    """Deploy this artifact."""

    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not go on; the error's class says until when."""

    error: ReconcileError


Action: TypeAlias = Proceed | Refuse


def retry_interval(obj: Kustomization) -> float:
    """Seconds until another try after a failure: `spec.retryInterval`, else the interval."""
    return parse_duration(obj.spec.retry_interval or obj.spec.interval)


def decide(state: State, flags: KustomizeFlags) -> Action:
    """Say what to do, from what was observed and nothing else.

    The checks come in upstream's order, but what only an edit can cure comes first.
    """
    problem = (
        _expressions(state.obj)
        or _access(state.obj, flags)
        or _unsupported(state.obj)
        or _source(state)
        or _dependencies(state, flags)
    )
    if problem is not None:
        return Refuse(problem)
    assert state.source is not None, "a missing artifact was refused above"
    return Proceed(state.source)


def _expressions(obj: Kustomization) -> ReconcileError | None:
    """Compile every expression; one that is wrong stays wrong until the spec changes."""
    try:
        HealthExpressions(obj.spec.health_check_exprs)
        for reference in obj.spec.depends_on:
            if reference.ready_expr:
                Expression.check(reference.ready_expr, ("self", "dep"))
    except ExpressionInvalid as error:
        return Stalled(_BROKEN, f"{_TERMINAL}: {error}")
    return None


def _access(obj: Kustomization, flags: KustomizeFlags) -> ReconcileError | None:
    if flags.no_cross_namespace_refs:
        names = {
            source_reference(obj): obj.spec.source_ref.namespace,
            **{f"{obj.kind}/{one}": one.namespace for one in obj.spec.depends_on},
        }
        for name, namespace in names.items():
            if namespace not in {"", obj.metadata.namespace}:
                return Stalled(
                    _ACCESS,
                    f"can't access '{name}', cross-namespace references have been blocked",
                )
    if obj.spec.source_ref.kind == "ExternalArtifact" and not flags.enabled("ExternalArtifact"):
        return Stalled(
            _ACCESS, "spec.sourceRef.kind: ExternalArtifact needs the feature gate ExternalArtifact"
        )
    return None


def _unsupported(obj: Kustomization) -> ReconcileError | None:
    """Refuse what this version cannot do, rather than do it half: nothing is applied then."""
    if obj.spec.decryption is not None:
        return Stalled("BuildFailed", "spec.decryption: this version does not decrypt files")
    return None


def _source(state: State) -> ReconcileError | None:
    reference = source_reference(state.obj)
    if state.source_error is not None:
        return Transient(_ARTIFACT, str(state.source_error), retry_after=retry_interval(state.obj))
    if not state.source_found:
        return Waiting(
            _ARTIFACT,
            f"Source '{reference}' not found",
            requeue_after=retry_interval(state.obj),
        )
    if state.source is None:
        return Waiting(
            _ARTIFACT, f"Source artifact not found, retrying: '{reference}' has none yet"
        )
    return None


def _dependencies(state: State, flags: KustomizeFlags) -> ReconcileError | None:
    for dependency in state.dependencies:
        problem = _unready(state, dependency, flags)
        if problem:
            return Waiting(_DEPENDENCY, f"dependency '{_name(state, dependency)}' {problem}")
    return None


def _name(state: State, dependency: Dependency) -> str:
    namespace = dependency.reference.namespace or state.obj.metadata.namespace
    return f"{namespace}/{dependency.reference.name}"


def _unready(state: State, dependency: Dependency, flags: KustomizeFlags) -> str:
    """Say what a dependency lacks; empty when it is ready."""
    raw, expression = dependency.raw, dependency.reference.ready_expr
    additive = flags.enabled("AdditiveCELDependencyCheck")
    if problem := unready(state.raw, raw, expression, additive=additive):
        return problem
    if raw is None or (expression and not additive):
        return ""
    status = raw.get("status") or {}
    if _same_source(state.obj, raw) and state.source is not None:
        applied = status.get("lastAppliedRevision") or "none"
        if applied != state.source.revision:
            return f"revision is not up to date: has {applied}, waits for {state.source.revision}"
    return ""


def _same_source(obj: Kustomization, dependency: Unstructured) -> bool:
    theirs = dependency["spec"].get("sourceRef") or {}
    namespace = theirs.get("namespace") or dependency["metadata"].get("namespace") or ""
    return f"{theirs.get('kind')}/{namespace}/{theirs.get('name')}" == source_reference(obj)
