"""Hooks: in order, waited for, and cleaned up as their policies say."""

from fluvial.apis.kinds import HELM_RELEASE
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

RELEASES = resource_of_kind(HELM_RELEASE)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
JOBS = Resource("batch", "v1", "jobs", "Job")


def job(name, event, weight="0", policy="", exit_code="0"):
    policy = f"    helm.sh/hook-delete-policy: {policy}\n" if policy else ""
    return f"""apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations:
    helm.sh/hook: {event}
    helm.sh/hook-weight: "{weight}"
{policy}spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {{fluvial.dev/exit-code: "{exit_code}", fluvial.dev/run-for: 100ms}}
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: "example.com/job:1"}}]
"""


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"


def ready(obj):
    return next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")


async def test_hooks_run_by_weight_before_and_after_the_release(team):
    await team.offer(
        {
            "templates/config.yaml": CONFIG,
            "templates/late.yaml": job("late", "post-install", policy="hook-failed"),
            "templates/second.yaml": job("second", "pre-install", "5"),
            "templates/first.yaml": job("first", "pre-install", "-5", "hook-succeeded"),
        }
    )
    await team.release()
    obj = await team.until_ready()
    jobs = {one["metadata"]["name"]: one for one in (await team.client.list(JOBS, team.name)).items}
    assert set(jobs) == {"late", "second"}
    entries = [entry["id"] for entry in obj["status"]["inventory"]["entries"]]
    assert entries == [f"{team.name}_config__ConfigMap"]
    labels = jobs["late"]["metadata"]["labels"]
    assert labels["helm.toolkit.fluxcd.io/name"] == "app"
    assert "app.kubernetes.io/managed-by" not in labels
    paths = [
        line["path"].partition("?")[0]
        for line in team.harness.requests()
        if line["verb"] == "patch"
    ]
    own = [path.rpartition("/")[2] for path in paths if f"/namespaces/{team.name}/" in path]
    requests = [name for name in own if name in {"first", "second", "late", "config"}]
    assert requests == ["first", "second", "config", "late"]


async def test_a_failed_hook_fails_the_install_before_anything_is_applied(team):
    await team.offer(
        {
            "templates/config.yaml": CONFIG,
            "templates/check.yaml": job("check", "pre-install", exit_code="3"),
        }
    )
    await team.release()
    obj = await team.until_ready("False", "InstallFailed")
    message = ready(obj)["message"]
    assert "failed pre-install: hook app/templates/check.yaml: " in message
    assert (
        await team.client.list(CONFIG_MAPS, team.name, field_selector="metadata.name=config")
    ).items == []
    history = await team.helm("history", "app")
    assert "failed pre-install" in history


async def test_a_hook_that_ran_before_is_replaced(team):
    await team.offer({"templates/job.yaml": job("job", "pre-install,pre-upgrade")})
    await team.release()
    await team.until_ready()
    first = await team.get(JOBS, "job")
    await team.release(values={"a": 1})
    await team.until_ready(reason="UpgradeSucceeded")
    second = await team.get(JOBS, "job")
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


async def test_hooks_of_the_deletion_run_and_may_be_switched_off(team):
    await team.offer({"templates/bye.yaml": job("bye", "pre-delete")})
    await team.release()
    await team.until_ready()
    await team.client.delete(RELEASES, "app", team.name)
    await team.until(RELEASES, "app", gone=True)
    assert (await team.get(JOBS, "bye"))["status"]["succeeded"] == 1

    await team.offer({"templates/bad.yaml": job("bad", "pre-install", exit_code="1")}, "2.0.0")
    await team.release("quiet", install={"disableHooks": True})
    await team.until_ready(name="quiet")


CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


async def test_definitions_come_first_and_stay(team):
    group = f"{team.name}.example.com"
    thing = f"apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: one}}\n"
    await team.offer(
        {"crds/thing.yaml": CRD.replace("GROUP", group), "templates/thing.yaml": thing}
    )
    await team.release()
    await team.until_ready()
    things = Resource(group, "v1", "things", "Thing")
    await team.until(things, "one")
    await team.client.delete(RELEASES, "app", team.name)
    await team.until(RELEASES, "app", gone=True)
    assert (await team.client.list(things, team.name)).items == []
