"""T2, T3, T4: a tenant gets what its own account may, and never the controller's rights."""

from delivery import KUSTOMIZATIONS
from namespaces import ACCOUNTS, bind

from fluvial.toolkit import CONFIG_MAP, Resource

SECRETS = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  key: hunter2\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  key: '1'\n"


async def test_t2_a_reference_to_another_namespace_stalls(team):
    reference = {"kind": "GitRepository", "name": "app", "namespace": "default"}
    await team.kustomization(sourceRef=reference)
    await team.until_ready("False", "AccessDenied", part="default/app")
    obj = await team.get(KUSTOMIZATIONS, "app")
    assert any(one["type"] == "Stalled" for one in obj["status"]["conditions"])
    asked = len([r for r in team.harness.requests() if f"/{team.name}/" in r["path"]])
    await team.kustomization("beside", sourceRef=reference)
    await team.until_ready("False", "AccessDenied", name="beside")
    again = [r for r in team.harness.requests() if f"/{team.name}/kustomizations/app" in r["path"]]
    assert asked >= len([r for r in again if r["userAgent"].startswith("kustomize-controller")])


async def test_t3_what_the_account_may_not_touch_fails_by_name(team):
    await bind(team, "deployer", "configmaps")
    team.repository.push({"c.yaml": CONFIG, "s.yaml": SECRETS})
    await team.source()
    await team.kustomization(serviceAccountName="deployer")
    message = await team.until_ready("False", "ReconciliationFailed", part="Secret")
    assert f"system:serviceaccount:{team.name}:deployer" in message
    assert "hunter2" not in message
    found = await team.client.list(Resource("", "v1", "secrets", "Secret"), team.name)
    assert "s" not in {obj["metadata"]["name"] for obj in found.items}


async def test_t4_without_its_account_an_object_is_freed_and_nothing_deleted(team):
    await bind(team, "deployer", "configmaps")
    team.repository.push({"c.yaml": CONFIG})
    await team.source()
    await team.kustomization(serviceAccountName="deployer")
    await team.until_ready()
    await team.client.delete(ACCOUNTS, "deployer", team.name)
    await team.until(ACCOUNTS, "deployer", gone=True)
    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    assert (await team.get(CONFIG_MAP, "c"))["data"] == {"key": "1"}
