"""From a push to the cluster, with real processes for everything."""

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: IMAGE
"""
SAMPLE = "fluvial.dev/sample/webapp:6.0.0"


def config_map(name, value="1"):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '{value}'\n"


async def test_a_push_is_applied_and_what_goes_from_git_goes_from_the_cluster(team):
    team.repository.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    await team.source()
    await team.kustomization()
    first = await team.until_ready()
    assert first.startswith("Applied revision: main@sha1:")

    revision = await team.push({"a.yaml": config_map("a", "2")})
    assert await team.until_ready(revision=revision) == f"Applied revision: {revision}"
    changed = await team.client.get(CONFIG_MAPS, "a", team.name)
    assert changed["data"] == {"key": "2"}
    await team.until(CONFIG_MAPS, "b", gone=True)
    status = await team.status()
    assert [entry["id"] for entry in status["inventory"]["entries"]] == [
        f"{team.name}_a__ConfigMap"
    ]
    assert status["history"][0]["metadata"] == {"revision": revision}


async def test_ready_means_that_the_deployment_runs(team):
    team.repository.push({"web.yaml": WEB})
    await team.source()
    await team.kustomization(wait=True, images=[{"name": "IMAGE", "newName": SAMPLE}])
    await team.until_ready()
    web = await team.client.get(DEPLOYMENTS, "web", team.name)
    assert web["status"]["availableReplicas"] == 1
    healthy = next(c for c in (await team.status())["conditions"] if c["type"] == "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("True", "Succeeded")
    listed = team.harness.kubectl("get", "kustomization", "app", "-n", team.name)
    assert "True" in listed
    assert "Applied revision: main@sha1:" in listed


async def test_a_path_that_is_not_there_is_named(team):
    team.repository.push({"apps/a.yaml": config_map("a")})
    await team.source()
    await team.kustomization(path="./app")
    message = await team.until_ready("False", "ArtifactFailed", part="path")
    assert message == "kustomization path not found: stat app: no such file or directory"


async def test_a_broken_file_is_named_by_its_line_while_the_others_go_on(team):
    team.repository.push({"good/a.yaml": config_map("a"), "bad/b.yaml": "kind: X\na: b: c\n"})
    await team.source()
    await team.kustomization("bad", path="./bad")
    await team.kustomization("good", path="./good")
    assert "bad/b.yaml:2:5: " in await team.until_ready("False", "BuildFailed", name="bad")
    await team.until_ready(name="good")


async def test_a_dependent_is_woken_by_what_it_waits_for(team):
    team.repository.push({"base/a.yaml": config_map("a"), "apps/b.yaml": config_map("b")})
    await team.source()
    await team.kustomization("apps", path="./apps", dependsOn=[{"name": "base"}])
    await team.until_ready("False", "DependencyNotReady", name="apps")
    await team.kustomization("base", path="./base")
    await team.until_ready(name="apps")
    revision = await team.push(
        {"base/a.yaml": config_map("a", "2"), "apps/b.yaml": config_map("b", "2")}
    )
    await team.until_ready(name="apps", revision=revision)


async def test_an_account_without_rights_applies_nothing(team):
    team.repository.push({"a.yaml": config_map("a")})
    await team.source()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    await team.client.create(ACCOUNTS, account, team.name)
    await team.kustomization(serviceAccountName="nobody")
    message = await team.until_ready("False", "ReconciliationFailed")
    assert f"system:serviceaccount:{team.name}:nobody" in message
    assert "forbidden" in message
    assert "inventory" not in await team.status()


async def test_deleting_takes_the_objects_along(team):
    team.repository.push({"a.yaml": config_map("a")})
    await team.source()
    await team.kustomization()
    await team.until_ready()
    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    await team.until(CONFIG_MAPS, "a", gone=True)
