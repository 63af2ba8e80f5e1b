"""What must hold before anything is released: references, dependencies, a chart to release."""

from dataclasses import dataclass
from typing import Final

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Artifact
from fluvial.helm.flags import HelmFlags
from fluvial.helm.names import chart_name
from fluvial.helm.references import CHART_KINDS
from fluvial.toolkit import Client, NotFound, ReconcileError, Stalled, Transient, Waiting
from fluvial.toolkit.apply import Expression, ExpressionInvalid, HealthExpressions
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.dependencies import Dependency, unready
from fluvial.toolkit.tracing import revision_of

__all__ = [
    "ChartSource",
    "check_dependencies",
    "check_source",
    "check_spec",
    "observe_source",
]

_ACCESS: Final = "AccessDenied"


@dataclass(frozen=True, slots=True)
class ChartSource:
    """What offers the chart; `raw` is None when it is not there."""

    name: str
    raw: Unstructured | None
    artifact: Artifact | None = None
    error: str = ""

    @property
    def revision(self) -> str:
        """The revision that the chart was made from; its own where it is no HelmChart."""
        return revision_of(self.raw) if self.raw is not None else ""


def check_spec(obj: HelmRelease, flags: HelmFlags) -> ReconcileError | None:
    """Find what only an edit can cure: expressions, access, and what this version cannot do."""
    try:
        HealthExpressions(obj.spec.health_check_exprs)
        for reference in obj.spec.depends_on:
            if reference.ready_expr:
                Expression.check(reference.ready_expr, ("self", "dep"))
    except ExpressionInvalid as error:
        return Stalled("InvalidCELExpression", str(error))
    if flags.no_cross_namespace_refs:
        namespace, name = chart_name(obj)
        references = {name: namespace, **{str(one): one.namespace for one in obj.spec.depends_on}}
        for name, namespace in references.items():
            if namespace not in {"", obj.metadata.namespace}:
                return Stalled(
                    _ACCESS,
                    f"can't access '{namespace}/{name}', cross-namespace references have been "
                    "blocked",
                )
    return _unsupported(obj, flags)


def _unsupported(obj: HelmRelease, flags: HelmFlags) -> ReconcileError | None:
    """Refuse what this version does not do, rather than do it half: nothing is released then."""
    spec = obj.spec
    kind = spec.chart_ref.kind if spec.chart_ref else ""
    if kind == "ExternalArtifact" and not flags.enabled("ExternalArtifact"):
        return Stalled(_ACCESS, "spec.chartRef.kind: needs the feature gate ExternalArtifact")
    drift = spec.drift_detection.mode if spec.drift_detection else ""
    legacy = spec.wait_strategy is not None and spec.wait_strategy.name == "legacy"
    client_side = (spec.install is not None and spec.install.server_side_apply is False) or any(
        one is not None and one.server_side_apply == "disabled"
        for one in (spec.upgrade, spec.rollback)
    )
    refused = {
        "spec.test.enable: this version does not run tests": spec.test and spec.test.enable,
        "spec.driftDetection.mode: this version does not look for drift": drift
        not in {"", "disabled"},
        "spec.waitStrategy.name: this version only knows the poller": legacy,
        "serverSideApply: this version always applies on the server's side": client_side,
    }
    for message, wanted in refused.items():
        if wanted:
            return Stalled("ReconcileError", message)
    return None


def check_dependencies(
    obj: HelmRelease, raw: Unstructured, dependencies: list[Dependency], flags: HelmFlags
) -> ReconcileError | None:
    """Find the first dependency that is not ready."""
    additive = flags.enabled("AdditiveCELDependencyCheck")
    for one in dependencies:
        ref = one.reference
        if problem := unready(raw, one.raw, ref.ready_expr, additive=additive):
            name = f"{ref.namespace or obj.metadata.namespace}/{ref.name}"
            return Waiting("DependencyNotReady", f"dependency '{name}' {problem}")
    return None


async def observe_source(client: Client, obj: HelmRelease) -> ChartSource:
    """Read what offers the chart."""
    kind = CHART_KINDS[obj.spec.chart_ref.kind if obj.spec.chart_ref else "HelmChart"]
    namespace, name = chart_name(obj)
    title = f"{kind.kind}/{namespace}/{name}"
    try:
        raw = await client.get(resource_of_kind(kind), name, namespace)
    except NotFound:
        return ChartSource(title, None)
    try:
        return ChartSource(title, raw, decode(kind, raw).status.artifact)
    except DecodeError as error:
        return ChartSource(title, raw, error=str(error))


def check_source(source: ChartSource) -> Artifact | ReconcileError:
    """Return the artifact with the chart, or why there is none that can be used.

    A source is usable when its generation was observed, it is not stalled, and has an artifact;
    whether it is ready does not matter.
    """
    if source.error:
        return Transient("SourceNotReady", source.error)
    if source.raw is None:
        return Waiting("SourceNotReady", f"{source.name} not found")
    if source.raw["kind"] == "OCIRepository":
        # Helm's layer of an OCI artifact is unpacked by nobody here yet.
        return Stalled(
            "SourceNotReady", "spec.chartRef.kind: this version takes charts from a HelmChart only"
        )
    status = source.raw.get("status") or {}
    conditions = {one.get("type"): one for one in status.get("conditions") or ()}
    if source.raw["kind"] != "ExternalArtifact":
        stalled = conditions.get("Stalled")
        if stalled is not None and stalled.get("status") == "True":
            return Waiting("SourceNotReady", f"{source.name} is stalled: {stalled.get('message')}")
        if source.raw["metadata"].get("generation") != status.get("observedGeneration"):
            why = (conditions.get("Ready") or {}).get("message") or "it was not reconciled yet"
            return Waiting("SourceNotReady", f"{source.name} is not ready: {why}")
    if source.artifact is None:
        why = (conditions.get("Ready") or {}).get("message") or "it has no artifact yet"
        return Waiting("SourceNotReady", f"{source.name} is not ready: {why}")
    return source.artifact
