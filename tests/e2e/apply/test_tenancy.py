"""T3: everything is done with the tenant's rights, and with no others."""

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.toolkit.apply import Action, Applier, ApplyFailed, Owner, PruneOptions, State, wait

GROUP = "kustomize.toolkit.fluxcd.io"
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture
async def tenant(client, applier):
    """Act as a service account with all rights on ConfigMaps of `default` but watch."""
    await applier.apply(
        [
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "Role",
                "metadata": {"name": "tenant", "namespace": "default"},
                "rules": [
                    {
                        "apiGroups": [""],
                        "resources": ["configmaps"],
                        "verbs": ["get", "create", "patch", "delete"],
                    }
                ],
            },
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "tenant", "namespace": "default"},
                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "tenant"},
                "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": "default"}],
            },
        ]
    )
    return client.impersonate("system:serviceaccount:default:tenant")


@pytest.fixture
def tenants_applier(tenant):
    return Applier(tenant, "kustomize-controller", Owner(GROUP, "apps", "default"))


async def test_within_its_rights(tenants_applier, tenant, live, config_map):
    changes = await tenants_applier.apply([config_map()])
    healths = await wait(tenant, changes.checked, timeout=5)
    pruned = await tenants_applier.prune(changes.inventory, PruneOptions(everything=True))

    assert [change.action for change in changes.changes] == [Action.CREATED]
    assert [health.state for health in healths] == [State.CURRENT]
    assert pruned.failures == []
    assert await live("v1", "ConfigMap", "a") is None


async def test_beyond_them_each_object_fails_by_itself(
    tenants_applier, live, config_map, deployment
):
    with pytest.raises(ApplyFailed) as raised:
        await tenants_applier.apply([config_map(), deployment(), config_map("b", "kube-system")])

    texts = [str(error) for error in raised.value.errors]
    assert len(texts) == 2
    assert texts[0].startswith("ConfigMap/kube-system/b dry-run failed (Forbidden): ")
    assert texts[1].startswith("Deployment/default/web dry-run failed (Forbidden): ")
    assert all("system:serviceaccount:default:tenant" in text for text in texts)
    assert await live("v1", "ConfigMap", "a") is None, "the stage is all or nothing"


async def test_what_it_may_not_delete_stays_in_the_inventory(
    client, tenants_applier, live, deployment
):
    full = Applier(client, "kustomize-controller", Owner(GROUP, "apps", "default"))
    stale = (await full.apply([deployment()])).inventory

    pruned = await tenants_applier.prune(stale, PruneOptions(everything=True))

    assert pruned.kept == stale
    assert "delete failed" in str(pruned.failures[0])
    assert await live("apps/v1", "Deployment", "web")


async def test_health_that_it_may_not_see_is_unknown(tenant, deployment, applier):
    await applier.apply([deployment()])

    [health] = await wait(tenant, [ObjectId("apps", "Deployment", "default", "web")], timeout=0)

    assert health.state is State.UNKNOWN
    assert "forbidden" in health.message
