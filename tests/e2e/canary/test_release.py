"""Releases on provider kubernetes, with real processes for everything."""

from fluvial.apis.kinds import CANARY
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

CANARIES = resource_of_kind(CANARY)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
SERVICES = Resource("", "v1", "services", "Service")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
EVENTS = Resource("", "v1", "events", "Event")


async def test_a_good_revision_is_checked_and_promoted(release):
    await release.deploy("1")
    await release.canary(("rollout", "check"), ("post-rollout", "after"))
    status = await release.until_phase("Initialized")
    assert status["conditions"][0]["status"] == "True"
    assert status["lastPromotedSpec"] == status["lastAppliedSpec"]
    assert await release.image("web-primary") == "example.com/web:1"
    target = await release.get(DEPLOYMENTS, "web")
    assert target["spec"]["replicas"] == 0
    apex = await release.get(SERVICES, "web")
    assert apex["spec"]["selector"] == {"app": "web-primary"}
    assert (await release.get(SERVICES, "web-canary"))["spec"]["selector"] == {"app": "web"}

    await release.deploy("2")
    await release.until_phase("Progressing")
    status = await release.until_phase("Succeeded", "Failed")
    assert (status["phase"], status["failedChecks"]) == ("Succeeded", 0)
    assert await release.image("web-primary") == "example.com/web:2"
    await release.until(DEPLOYMENTS, "web", lambda o: o["status"].get("replicas", 0) == 0)
    paths = [path for path, _ in release.receiver.calls]
    # The first iteration comes before any rollout hook; the third look is the one that promotes.
    assert paths.count("check") == 3
    assert paths[-1] == "after"
    bodies = [body for path, body in release.receiver.calls if path == "check"]
    assert {body["phase"] for body in bodies} == {"Progressing"}
    assert len({body["checksum"] for body in bodies}) == 1

    events = (await release.client.list(EVENTS, release.name)).items
    told = [e for e in events if e["involvedObject"]["kind"] == "Canary"]
    assert {e["reason"] for e in told} == {"Synced"}
    assert {e["source"]["component"] for e in told} == {"flagger"}


async def test_a_bad_revision_is_rolled_back_and_the_next_one_gets_its_chance(release):
    await release.deploy("1")
    await release.canary(("rollout", "check"))
    await release.until_phase("Initialized")
    release.receiver.status["check"] = 500
    await release.deploy("2")
    status = await release.until_phase("Failed")
    assert status["conditions"][0]["status"] == "False"
    assert await release.image("web-primary") == "example.com/web:1"
    await release.until(DEPLOYMENTS, "web", lambda o: o["spec"]["replicas"] == 0)

    release.receiver.status.clear()
    await release.deploy("3")
    await release.until_phase("Succeeded")
    assert await release.image("web-primary") == "example.com/web:3"


async def test_a_changed_config_map_is_a_new_revision(release):
    await release.put(CONFIG_MAPS, "settings", data={"colour": "blue"})
    container = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    await release.deploy("1", container=container)
    await release.canary(("rollout", "check"))
    status = await release.until_phase("Initialized")
    assert list(status["trackedConfigs"]) == ["configmap/settings"]
    primary = await release.get(DEPLOYMENTS, "web-primary")
    [used] = primary["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert used["configMapRef"]["name"] == "settings-primary"

    await release.put(CONFIG_MAPS, "settings", data={"colour": "green"})
    await release.until_phase("Progressing")
    assert (await release.get(CONFIG_MAPS, "settings-primary"))["data"] == {"colour": "blue"}
    await release.until_phase("Succeeded")
    assert (await release.get(CONFIG_MAPS, "settings-primary"))["data"] == {"colour": "green"}


async def test_the_primary_has_an_autoscaler_of_its_own(release):
    await release.deploy("1")
    await release.put(
        SCALERS,
        "web",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 3,
        },
    )
    reference = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "web"}
    await release.canary(iterations=1, autoscalerRef=reference)
    await release.until_phase("Initialized")
    copy = await release.get(SCALERS, "web-primary")
    assert copy["spec"]["scaleTargetRef"]["name"] == "web-primary"
    # The stand-in keeps the limits: the primary gets its two replicas from its autoscaler.
    await release.until(DEPLOYMENTS, "web-primary", lambda o: o["spec"]["replicas"] == 2)
    await release.deploy("2")
    await release.until_phase("Progressing")
    await release.until(DEPLOYMENTS, "web", lambda o: o["spec"]["replicas"] == 2)
    await release.until_phase("Succeeded")
    await release.until(DEPLOYMENTS, "web", lambda o: o["spec"]["replicas"] == 0)
    assert (await release.get(DEPLOYMENTS, "web-primary"))["spec"]["replicas"] == 2


async def test_a_killed_controller_goes_on_where_it_was(release):
    await release.deploy("1")
    await release.canary(("confirm-promotion", "gate"))
    await release.until_phase("Initialized")
    release.receiver.status["gate"] = 403
    await release.deploy("2")
    await release.until_phase("WaitingPromotion")
    release.harness.process("fluvial.canary").kill()
    release.receiver.status.clear()
    release.harness.restart("fluvial.canary")
    status = await release.until_phase("Succeeded", "Failed", "Initialized")
    assert status["phase"] == "Succeeded"
    assert await release.image("web-primary") == "example.com/web:2"


async def test_a_deleted_canary_gives_its_target_back(release):
    await release.deploy("1")
    await release.put(
        SERVICES, "web", spec={"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}
    )
    await release.canary(revertOnDeletion=True)
    await release.until_phase("Initialized")
    await release.client.delete(CANARIES, "web", release.name)
    await release.until(CANARIES, "web", gone=True)
    target = await release.get(DEPLOYMENTS, "web")
    assert target["status"]["availableReplicas"] == 1
    assert (await release.get(SERVICES, "web"))["spec"]["selector"] == {"app": "web"}
    await release.until(DEPLOYMENTS, "web-primary", gone=True)
