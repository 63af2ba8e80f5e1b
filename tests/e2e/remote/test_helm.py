"""A HelmRelease whose release is in another cluster."""

from delivery import RELEASES
from namespaces import bind

from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.references import SECRET

CHART = {
    "values.yaml": "color: blue\n",
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"
        'data: {color: "{{ .Values.color }}"}\n'
    ),
}


async def records(namespace):
    found = await namespace.client.list(SECRET, namespace.name, label_selector="owner=helm")
    return [secret["metadata"]["name"] for secret in found.items]


async def test_it_is_installed_upgraded_and_uninstalled_there(team):
    await team.offers.chart(team, CHART)
    await team.access()
    await team.release()
    await team.until_ready(RELEASES, part="Helm install succeeded")
    assert (await team.far.get(CONFIG_MAP, "config"))["data"] == {"color": "blue"}
    assert await records(team.far) == ["sh.helm.release.v1.app.v1"]
    assert await records(team) == [], "nothing of it is here"

    await team.release(values={"color": "red"})
    await team.until_ready(RELEASES, part="Helm upgrade succeeded")
    assert (await team.far.get(CONFIG_MAP, "config"))["data"] == {"color": "red"}

    await team.client.delete(RELEASES, "app", team.name)
    await team.until(RELEASES, "app", gone=True)
    await team.far.until(CONFIG_MAP, "config", gone=True)
    assert await records(team.far) == []


async def test_the_account_is_impersonated_there(team):
    await team.offers.chart(team, CHART)
    await team.access()
    await team.release(serviceAccountName="deployer")
    await team.until_ready(RELEASES, status="False", part=f"{team.name}:deployer")
    await bind(team.far, "deployer", "configmaps", "secrets")
    await team.until_ready(RELEASES, part="Helm install succeeded")


async def test_without_the_secret_the_release_is_left_and_the_object_goes(team):
    await team.offers.chart(team, CHART)
    await team.release()
    await team.until_ready(RELEASES, status="False", part=f"Secret '{team.name}/far' not found")
    await team.access()
    await team.until_ready(RELEASES, part="Helm install succeeded")
    await team.client.delete(SECRET, "far", team.name)
    await team.client.delete(RELEASES, "app", team.name)
    await team.until(RELEASES, "app", gone=True)
    assert (await team.far.get(CONFIG_MAP, "config"))["data"] == {"color": "blue"}
