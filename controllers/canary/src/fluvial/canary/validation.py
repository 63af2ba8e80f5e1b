"""What a Canary must satisfy beyond its schema. Pure."""

from collections.abc import Iterator

from fluvial.apis.flagger.canary import Canary
from fluvial.canary.errors import CanaryError, InvalidSpec, NotSupported

__all__ = ["validate"]


def validate(canary: Canary, *, no_cross_namespace: bool = False) -> None:
    """Check a spec. Raises InvalidSpec, or NotSupported for what this controller does not do."""
    for error in _errors(canary, no_cross_namespace=no_cross_namespace):
        raise error


def _errors(canary: Canary, *, no_cross_namespace: bool) -> Iterator[CanaryError]:
    spec, name = canary.spec, str(canary)
    if spec.target_ref.kind != "Deployment":
        yield NotSupported(
            f"{name}: spec.targetRef.kind {spec.target_ref.kind} is not supported; use a Deployment"
        )
    scaler = spec.autoscaler_ref
    if scaler is not None and scaler.kind != "HorizontalPodAutoscaler":
        yield NotSupported(
            f"{name}: spec.autoscalerRef.kind {scaler.kind} is not supported;"
            " use a HorizontalPodAutoscaler"
        )
    if spec.service is None:
        yield InvalidSpec(f"{name}: spec.service is missing; give at least its port")
    affinity = spec.analysis.session_affinity
    if affinity is not None and affinity.cookie_name == affinity.primary_cookie_name:
        yield InvalidSpec(
            f"{name}: spec.analysis.sessionAffinity: cookieName and primaryCookieName are equal"
        )
    if no_cross_namespace:
        for field, namespace in _references(canary):
            if namespace and namespace != canary.metadata.namespace:
                yield InvalidSpec(
                    f"{name}: {field} is in namespace {namespace}, and references to other"
                    " namespaces are switched off (-no-cross-namespace-refs)"
                )


def _references(canary: Canary) -> Iterator[tuple[str, str]]:
    spec = canary.spec
    if spec.upstream_ref is not None:
        yield "spec.upstreamRef", spec.upstream_ref.namespace
    for metric in spec.analysis.metrics:
        if metric.template_ref is not None:
            yield f"spec.analysis.metrics[{metric.name}].templateRef", metric.template_ref.namespace
    for alert in spec.analysis.alerts:
        yield f"spec.analysis.alerts[{alert.name}].providerRef", alert.provider_ref.namespace
