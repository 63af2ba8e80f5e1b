import pytest

from fluvial.canary.errors import NotSupported
from fluvial.canary.routers import (
    GatewayRouter,
    KubernetesRouter,
    UnsupportedProvider,
    Weights,
    router_for,
    service_names,
)


def test_known_providers_have_routers(client):
    assert isinstance(router_for("kubernetes", client), KubernetesRouter)
    assert isinstance(router_for("gatewayapi:v1", client), GatewayRouter)


@pytest.mark.parametrize("provider", ["istio", "gatewayapi:v1beta1", "gatewayapi", "", "nginx"])
def test_an_unknown_provider_is_refused_with_the_ones_that_are_known(client, provider):
    with pytest.raises(UnsupportedProvider, match=r"use one of gatewayapi:v1, kubernetes") as error:
        router_for(provider, client)
    assert isinstance(error.value, NotSupported)
    assert repr(provider) in str(error.value)


@pytest.mark.parametrize(
    ("iterations", "weights", "reason"),
    [
        (0, Weights(100, 0), "before the first iteration nobody reaches the canary"),
        (1, Weights(0, 100), "from the first one on upstream reports the canary as live"),
    ],
)
async def test_kubernetes_reports_weights_by_iterations(
    canary, client, iterations, weights, reason
):
    released = canary(status={"iterations": iterations})
    assert await router_for("kubernetes", client).get(released) == weights, reason


async def test_kubernetes_touches_nothing(api, client, canary):
    router = router_for("kubernetes", client)
    await router.reconcile(canary())
    await router.set(canary(), Weights(0, 100))
    await router.finalize(canary())
    assert api.requests == []


def test_services_are_named_by_the_service_or_the_target(canary):
    assert service_names(canary()) == ("podinfo", "podinfo-primary", "podinfo-canary")
    named = canary(service={"name": "web"})
    assert service_names(named) == ("web", "web-primary", "web-canary")
