import pytest

from fluvial.canary.errors import InvalidSpec, NotSupported
from fluvial.canary.validation import validate

SCALER = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "web"}
ELSEWHERE = {"name": "m", "namespace": "other"}


def test_a_plain_canary_is_fine(canary):
    validate(canary(), no_cross_namespace=True)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        (
            {"targetRef": {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web"}},
            NotSupported,
            "targetRef.kind DaemonSet",
        ),
        ({"autoscalerRef": SCALER}, NotSupported, "autoscalerRef.kind ScaledObject"),
        ({"service": None}, InvalidSpec, "spec.service is missing"),
        (
            {"analysis": {"sessionAffinity": {"cookieName": "a", "primaryCookieName": "a"}}},
            InvalidSpec,
            "cookieName and primaryCookieName are equal",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(canary, changes, error, match):
    with pytest.raises(error, match=match):
        validate(canary(**changes))


@pytest.mark.parametrize(
    ("analysis", "match"),
    [
        ({"metrics": [{"name": "m", "templateRef": ELSEWHERE}]}, r"metrics\[m\].templateRef"),
        ({"alerts": [{"name": "a", "providerRef": ELSEWHERE}]}, r"alerts\[a\].providerRef"),
    ],
)
def test_other_namespaces_can_be_forbidden(canary, analysis, match):
    validate(canary(analysis=analysis))
    with pytest.raises(InvalidSpec, match=match):
        validate(canary(analysis=analysis), no_cross_namespace=True)
