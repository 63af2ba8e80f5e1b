"""A Kustomization whose objects are in another cluster."""

import base64

from delivery import KUSTOMIZATIONS
from namespaces import ACCOUNTS, bind

from fluvial.render import yaml
from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.references import SECRET


def config_map(name, value="1"):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '{value}'\n"


async def ours(namespace):
    found = await namespace.client.list(CONFIG_MAP, namespace.name)
    return {o["metadata"]["name"]: o["data"]["key"] for o in found.items if "key" in o["data"]}


async def test_it_is_applied_pruned_and_deleted_there(team):
    await team.offers.tree(team, {"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    await team.access()
    await team.kustomization()
    applied = await team.until_ready()
    assert await ours(team.far) == {"a": "1", "b": "1"}
    assert await ours(team) == {}, "nothing of it is here"
    inventory = [entry["id"] for entry in applied["status"]["inventory"]["entries"]]
    assert inventory == [f"{team.name}_a__ConfigMap", f"{team.name}_b__ConfigMap"]

    revision = await team.offers.tree(team, {"a.yaml": config_map("a", "2")})
    await team.until_ready(part=revision)
    assert await ours(team.far) == {"a": "2"}

    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    await team.far.until(CONFIG_MAP, "a", gone=True)


async def test_variables_are_of_this_cluster(team):
    await team.offers.tree(team, {"a.yaml": config_map("a", "${color}")})
    await team.put(CONFIG_MAP, "vars", data={"color": "blue"})
    await team.access()
    await team.kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    await team.until_ready()
    assert await ours(team.far) == {"a": "blue"}


async def test_the_account_is_impersonated_there(team):
    """It need not exist here; what it may not do there fails by name."""
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await team.access()
    await team.kustomization(serviceAccountName="deployer")
    await team.until_ready(status="False", part=f"system:serviceaccount:{team.name}:deployer")
    assert await ours(team.far) == {}
    await bind(team.far, "deployer", "configmaps")
    await team.until_ready()
    assert await ours(team.far) == {"a": "1"}

    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    await team.far.until(CONFIG_MAP, "a", gone=True)


async def test_health_is_asked_for_there(team):
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: disk\n"
        "spec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"
    )
    await team.offers.tree(team, {"a.yaml": claim})
    await team.access()
    await team.kustomization(wait=True, timeout="20s")
    resource = await team.far.client.mapper.resource("", "PersistentVolumeClaim")
    await team.far.until(resource, "disk")
    bound = {"status": {"phase": "Bound"}}
    await team.far.client.patch(resource, "disk", bound, team.name, subresource="status")
    await team.until_ready()


async def test_a_secret_that_comes_late_and_is_rotated(team):
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await team.kustomization()
    await team.until_ready(status="False", part=f"Secret '{team.name}/far' not found")
    # Without the label that makes the controller look at once, the retry finds it.
    await team.access(text="current-context: x\n")
    await team.until_ready(status="False", part="contexts has no entry 'x'")
    await team.access()
    await team.until_ready()


async def test_a_cluster_that_is_down_is_no_harm_to_the_others(team):
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    text = team.far.harness.kubeconfig.read_text()
    port = text.partition("https://127.0.0.1:")[2].partition("\n")[0]
    await team.access("down", text.replace(f"127.0.0.1:{port}", "127.0.0.1:1"))
    await team.access()
    await team.kustomization("down", kubeConfig={"secretRef": {"name": "down"}})
    await team.kustomization()
    await team.until_ready()
    await team.until_ready(name="down", status="False", part="cluster https://127.0.0.1:1")


async def test_a_deletion_waits_for_the_secret(team):
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await team.access()
    await team.kustomization()
    await team.until_ready()
    await team.client.delete(SECRET, "far", team.name)
    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", lambda o: o["metadata"]["deletionTimestamp"])
    assert await ours(team.far) == {"a": "1"}
    await team.access()
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    assert await ours(team.far) == {}


async def test_a_config_map_leads_to_a_cluster_that_trusts_our_tokens(team):
    """Here that is the same one: what counts is whose token it is sent."""
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await bind(team, "deployer", "configmaps")
    text = team.harness.kubeconfig.read_text()
    cluster = yaml.load(text)["clusters"][0]["cluster"]
    data = {
        "provider": "generic",
        "address": cluster["server"],
        "ca.crt": base64.b64decode(cluster["certificate-authority-data"]).decode(),
        "audiences": "https://kubernetes.default.svc\n",
        "serviceAccountName": "deployer",
    }
    await team.put(CONFIG_MAP, "cluster", data=data)
    await team.kustomization(kubeConfig={"configMapRef": {"name": "cluster"}})
    await team.until_ready()
    assert await ours(team) == {"a": "1"}
    user = f"system:serviceaccount:{team.name}:deployer"
    written = [r for r in team.harness.requests() if r["user"] == user and r["verb"] == "patch"]
    assert written


async def test_a_cluster_that_does_not_trust_them_refuses(team):
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await team.put(ACCOUNTS, "deployer")
    cluster = yaml.load(team.far.harness.kubeconfig.read_text())["clusters"][0]["cluster"]
    data = {
        "provider": "generic",
        "address": cluster["server"],
        "ca.crt": base64.b64decode(cluster["certificate-authority-data"]).decode(),
        "serviceAccountName": "deployer",
    }
    await team.put(CONFIG_MAP, "cluster", data=data)
    await team.kustomization(kubeConfig={"configMapRef": {"name": "cluster"}})
    await team.until_ready(status="False", part=f"cluster {cluster['server']}: ")


async def test_a_cloud_that_trusts_our_tokens_leads_to_its_cluster(team, clouds):
    """The account's token is exchanged for one that the other cluster knows."""
    await team.offers.tree(team, {"a.yaml": config_map("a")})
    await bind(team.far, "robot", "configmaps")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    robot = await team.far.client.create(
        ACCOUNTS, request, team.far.name, name="robot", subresource="token"
    )
    cluster = yaml.load(team.far.harness.kubeconfig.read_text())["clusters"][0]["cluster"]
    name = f"projects/p/locations/l/clusters/{team.name}"
    clouds.users[f"system:serviceaccount:{team.name}:deployer"] = robot["status"]["token"]
    clouds.clusters[f"/v1/{name}"] = {
        "endpoint": cluster["server"].removeprefix("https://"),
        "masterAuth": {"clusterCaCertificate": cluster["certificate-authority-data"]},
    }
    pool = "projects/1/locations/global/workloadIdentityPools/a/providers/b"
    annotations = {"gcp.auth.fluxcd.io/workload-identity-provider": pool}
    await team.put(ACCOUNTS, "deployer", metadata={"annotations": annotations})
    data = {"provider": "gcp", "cluster": name, "serviceAccountName": "deployer"}
    await team.put(CONFIG_MAP, "cluster", data=data)
    await team.kustomization(kubeConfig={"configMapRef": {"name": "cluster"}})
    await team.until_ready()
    assert await ours(team.far) == {"a": "1"}
    assert clouds.claims[-1]["aud"] == [f"//iam.googleapis.com/{pool}"]
