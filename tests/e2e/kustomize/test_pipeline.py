"""From a push to the cluster, with real processes for everything."""

from fluvial.toolkit import Resource

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - name: web
          image: {image}
          ports: [{{containerPort: 8080}}]
"""


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
