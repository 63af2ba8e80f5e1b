"""Releases from install to uninstall, read back with the real helm."""

import msgspec

from fluvial.apis.kinds import HELM_RELEASE
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

RELEASES = resource_of_kind(HELM_RELEASE)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
JOBS = Resource("batch", "v1", "jobs", "Job")

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-config
data:
  greeting: {{ .Values.greeting | quote }}
  revision: {{ .Release.Revision | quote }}
"""
BASE = {"values.yaml": "greeting: hello\n", "templates/config.yaml": CONFIG}
LONG = "# a comment that makes parsing it worth keeping\n" * 9
BROKEN = "kind: ConfigMap\nname: x\nvalue: {{ .Values.a.b.c }}\n"
NEVER_READY = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {fluvial.dev/never-ready: "true"}
    spec:
      containers: [{name: web, image: "example.com/web:1"}]
"""


def condition(obj, type):
    return next(c for c in obj["status"]["conditions"] if c["type"] == type)


def is_stalled(obj):
    return any(c["type"] == "Stalled" for c in obj["status"]["conditions"])


async def test_a_release_is_installed_upgraded_and_uninstalled(team):
    await team.offer(BASE)
    await team.release(values={"greeting": "hi"})
    obj = await team.until_ready()
    assert condition(obj, "Ready")["message"] == (
        f"Helm install succeeded for release {team.name}/app.v1 with chart app@1.0.0"
    )
    config = await team.get(CONFIG_MAPS, "app-config")
    assert config["data"] == {"greeting": "hi", "revision": "1"}
    labels = config["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "Helm"
    assert labels["helm.toolkit.fluxcd.io/name"] == "app"
    assert config["metadata"]["annotations"]["meta.helm.sh/release-name"] == "app"
    entries = [entry["id"] for entry in obj["status"]["inventory"]["entries"]]
    assert entries == [f"{team.name}_app-config__ConfigMap"]

    await team.release(values={"greeting": "hey"})
    obj = await team.until_ready(reason="UpgradeSucceeded")
    assert [one["version"] for one in obj["status"]["history"]] == [2, 1]
    assert [one["status"] for one in obj["status"]["history"]] == ["deployed", "superseded"]
    config = await team.get(CONFIG_MAPS, "app-config")
    assert config["data"] == {"greeting": "hey", "revision": "2"}

    await team.client.delete(RELEASES, "app", team.name)
    await team.until(RELEASES, "app", gone=True)
    await team.until(CONFIG_MAPS, "app-config", gone=True)
    left = await team.client.list(SECRETS, team.name, label_selector="owner=helm")
    assert left.items == []


async def test_the_real_helm_reads_what_was_released(team):
    await team.offer(BASE)
    await team.release(values={"greeting": "hi", "count": 3})
    await team.until_ready()
    await team.offer(BASE, "1.1.0")
    await team.until_ready(reason="UpgradeSucceeded")

    (listed,) = msgspec.json.decode(await team.helm("list", "-o", "json"))
    assert (listed["name"], listed["revision"], listed["status"]) == ("app", "2", "deployed")
    assert (listed["chart"], listed["app_version"]) == ("app-1.1.0", "7")
    values = msgspec.json.decode(await team.helm("get", "values", "app", "-o", "json"))
    assert values == {"greeting": "hi", "count": 3}
    history = msgspec.json.decode(await team.helm("history", "app", "-o", "json"))
    found = [(one["revision"], one["status"], one["description"]) for one in history]
    assert found == [(1, "superseded", "Install complete"), (2, "deployed", "Upgrade complete")]
    manifest = await team.helm("get", "manifest", "app")
    assert manifest.startswith("---\n# Source: app/templates/config.yaml\napiVersion: v1\n")


async def test_a_rollback_by_the_real_helm_is_noticed_and_undone(team):
    await team.offer(BASE)
    await team.release(values={"greeting": "one"})
    await team.until_ready()
    await team.release(values={"greeting": "two"})
    await team.until_ready(reason="UpgradeSucceeded")
    await team.helm("rollback", "app", "1", "--wait=hookOnly", "--force-conflicts")
    token = {"reconcile.fluxcd.io/requestedAt": "now"}
    await team.client.patch(RELEASES, "app", {"metadata": {"annotations": token}}, team.name)
    obj = await team.until(RELEASES, "app", lambda o: o["status"]["history"][0]["version"] == 4)
    assert obj["status"]["history"][0]["name"] == "app"
    config = await team.until(CONFIG_MAPS, "app-config", lambda o: o["data"]["greeting"] == "two")
    assert config["data"]["revision"] == "4"


async def test_a_template_error_names_its_file_and_line(team):
    await team.offer({"templates/bad.yaml": BROKEN})
    await team.release()
    obj = await team.until_ready("False", "InstallFailed")
    message = condition(obj, "Ready")["message"]
    assert "app/templates/bad.yaml:3" in message
    assert message.startswith(f"Helm install failed for release {team.name}/app with chart")
    assert condition(obj, "Released")["reason"] == "InstallFailed"
    assert obj["status"].get("installFailures", 0) == 0


async def test_a_failed_upgrade_is_rolled_back(team):
    await team.offer(BASE)
    await team.release(
        values={"greeting": "good"}, upgrade={"timeout": "1s", "remediation": {"retries": 1}}
    )
    await team.until_ready()
    await team.offer({**BASE, "templates/web.yaml": NEVER_READY}, "2.0.0")
    obj = await team.until(RELEASES, "app", is_stalled)
    ready = condition(obj, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "RollbackSucceeded")
    assert condition(obj, "Stalled")["message"] == "Failed to upgrade after 2 attempt(s)"
    assert condition(obj, "Remediated")["status"] == "True"
    assert obj["status"]["upgradeFailures"] == 2
    await team.until(DEPLOYMENTS, "web", gone=True)
    history = msgspec.json.decode(await team.helm("history", "app", "-o", "json"))
    assert [one["status"] for one in history][-1] == "deployed"
    assert history[-1]["description"].startswith("Rollback to ")


async def test_a_failed_install_without_retries_is_left_to_look_at(team):
    await team.offer({**BASE, "templates/web.yaml": NEVER_READY})
    await team.release(install={"timeout": "1s"})
    obj = await team.until(RELEASES, "app", is_stalled)
    assert condition(obj, "Ready")["reason"] == "InstallFailed"
    assert "Deployment" in condition(obj, "Ready")["message"]
    assert await team.get(DEPLOYMENTS, "web")
    # A fixed chart is a new input: the counters start again, and the failed release is upgraded.
    await team.offer(BASE, "1.0.1")
    obj = await team.until_ready(reason="UpgradeSucceeded")
    assert obj["status"].get("installFailures", 0) == 0
    await team.until(DEPLOYMENTS, "web", gone=True)


async def test_a_failed_install_is_uninstalled_and_tried_again(team):
    await team.offer({**BASE, "templates/web.yaml": NEVER_READY})
    await team.release(install={"timeout": "1s", "remediation": {"retries": 1}})
    obj = await team.until(RELEASES, "app", is_stalled)
    assert obj["status"]["installFailures"] == 2
    assert condition(obj, "Stalled")["message"] == "Failed to install after 2 attempt(s)"


async def test_what_the_chart_no_longer_has_goes_unless_it_asks_to_stay(team):
    kept = CONFIG.replace("-config", "-kept").replace(
        "metadata:\n", "metadata:\n  annotations: {helm.sh/resource-policy: keep}\n"
    )
    more = {"templates/b.yaml": CONFIG.replace("-config", "-b"), "templates/kept.yaml": kept}
    await team.offer({**BASE, **more})
    await team.release()
    await team.until_ready()
    await team.offer(BASE, "1.1.0")
    await team.until_ready(reason="UpgradeSucceeded")
    await team.until(CONFIG_MAPS, "app-b", gone=True)
    assert await team.get(CONFIG_MAPS, "app-kept")


async def test_values_come_from_config_maps_and_secrets(team):
    for resource, name, data in (
        (CONFIG_MAPS, "v", {"data": {"values.yaml": "greeting: from-map\nn: 1"}}),
        (SECRETS, "s", {"stringData": {"word": "from-secret"}}),
    ):
        await team.client.create(
            resource,
            {
                "apiVersion": "v1",
                "kind": resource.kind,
                "metadata": {"name": name, "namespace": team.name},
                **data,
            },
        )
    await team.offer(BASE)
    refs = [
        {"kind": "ConfigMap", "name": "v"},
        {"kind": "Secret", "name": "s", "valuesKey": "word", "targetPath": "greeting"},
        {"kind": "ConfigMap", "name": "missing", "optional": True},
    ]
    await team.release(valuesFrom=refs)
    await team.until_ready()
    assert (await team.get(CONFIG_MAPS, "app-config"))["data"]["greeting"] == "from-secret"
    await team.release("other", valuesFrom=[{"kind": "ConfigMap", "name": "missing"}])
    obj = await team.until_ready("False", "ValuesError", name="other")
    assert f"ConfigMap '{team.name}/missing' not found" in condition(obj, "Ready")["message"]


async def test_an_unchanged_release_is_left_alone(team):
    await team.offer(BASE)
    await team.release()
    before = await team.until_ready()
    token = {"reconcile.fluxcd.io/requestedAt": "again"}
    await team.client.patch(RELEASES, "app", {"metadata": {"annotations": token}}, team.name)
    after = await team.until(
        RELEASES, "app", lambda o: o["status"]["lastHandledReconcileAt"] == "again"
    )
    after["status"].pop("lastHandledReconcileAt")
    assert after["status"] == before["status"]


async def test_a_dependent_waits(team):
    await team.offer(BASE)
    await team.release("second", dependsOn=[{"name": "app"}])
    await team.until_ready("False", "DependencyNotReady", name="second")
    await team.release()
    await team.until_ready(name="second")


async def test_a_namespace_may_be_created_for_the_release(team):
    target = f"{team.name}-target"
    await team.offer(BASE)
    await team.release(targetNamespace=target, install={"createNamespace": True})
    obj = await team.until_ready()
    assert obj["status"]["history"][0]["name"] == f"{target}-app"
    assert await team.client.get(CONFIG_MAPS, f"{target}-app-config", target)


async def test_what_is_not_supported_is_refused_before_anything_is_done(team):
    await team.offer(BASE)
    await team.release(test={"enable": True})
    obj = await team.until_ready("False", "ReconcileError")
    assert "spec.test.enable" in condition(obj, "Ready")["message"]
    assert not obj["status"].get("history")


async def test_parsed_templates_are_kept_for_this_user_alone(team):
    await team.offer({**BASE, "templates/long.yaml": CONFIG.replace("-config", "-long") + LONG})
    await team.release(values={"greeting": "hi"})
    await team.until_ready()
    (folder,) = (team.harness.folder / "tmp").glob("helm-controller-templates-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    kept = list(folder.iterdir())
    assert kept
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
