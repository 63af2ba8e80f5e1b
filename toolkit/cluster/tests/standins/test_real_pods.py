"""Pods of the sample image: real processes at addresses of their own."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

PODS = "v1/pods"
IMAGE = "fluvial.dev/sample/webapp:1.2.3"
READY = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}


def pod_spec(port=9898, **container):
    return {
        "terminationGracePeriodSeconds": 5,
        "containers": [
            {
                "name": "web",
                "image": IMAGE,
                "ports": [{"name": "http", "containerPort": port}],
                "readinessProbe": READY,
                **container,
            }
        ],
    }


def ready(pod):
    found = ((pod or {}).get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


async def run_pod(cluster, spec, name="a", **meta):
    await cluster.create("Pod", name, spec, api="v1", **meta)
    return await cluster.until(lambda: ready(pod := cluster.peek(PODS, name)) and pod)


async def fetch(address, port, path="/"):
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), body
    finally:
        writer.close()
        await writer.wait_closed()


async def page(pod, port=9898):
    code, body = await fetch(pod["status"]["podIP"], port)
    assert code == 200
    return json.loads(body)


def processes_under(directory):
    """Return the pids whose environment names the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(directory) in (entry / "environ").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def test_serves_at_its_own_address_with_its_own_configuration(real_cluster):
    spec = pod_spec(
        env=[
            {"name": "COLOR", "value": "green"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]
    )
    one = await run_pod(real_cluster, spec, "a")
    two = await run_pod(real_cluster, spec, "b")
    assert one["status"]["podIP"] != two["status"]["podIP"]
    assert await page(one) == {
        "version": "1.2.3",
        "color": "green",
        "message": "Hello",
        "pod": "a",
    }
    assert (await page(two))["pod"] == "b"
    (entry,) = one["status"]["containerStatuses"]
    assert (entry["ready"], entry["started"], entry["restartCount"]) == (True, True, 0)
    assert one["status"]["phase"] == "Running"
    kept = [each["type"] for each in one["status"]["conditions"]]
    assert kept == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]


async def test_mounted_configuration_is_private_and_follows_its_config_map(real_cluster):
    config = await real_cluster.create(
        "ConfigMap", "settings", api="v1", data={"message": "from a file"}
    )
    await real_cluster.create("Secret", "token", api="v1", data={"token": "c2VjcmV0"})
    spec = pod_spec(
        volumeMounts=[
            {"name": "settings", "mountPath": "/etc/webapp"},
            {"name": "token", "mountPath": "/run/token"},
        ]
    )
    spec["volumes"] = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "token", "secret": {"secretName": "token"}},
    ]
    pod = await run_pod(real_cluster, spec)
    assert (await page(pod))["message"] == "from a file"
    root = real_cluster.standins.directory / "pods" / pod["metadata"]["uid"]
    secret = root / "roots" / "web" / "run" / "token" / "token"
    assert secret.read_text() == "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert config["data"]
    await real_cluster.patch("v1/configmaps", "settings", {"data": {"message": "changed"}})
    async with asyncio.timeout(10):
        while True:
            if (await page(pod))["message"] == "changed":
                break
    await real_cluster.api.delete(PODS, "default", "a")
    await real_cluster.until(lambda: real_cluster.peek(PODS, "a") is None)
    assert not root.exists()


@pytest.mark.parametrize(
    ("container", "volumes", "reason", "message"),
    [
        (
            {"envFrom": [{"configMapRef": {"name": "settings"}}]},
            [],
            "CreateContainerConfigError",
            'configmap "settings" not found',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/etc/webapp"}]},
            [{"name": "v", "configMap": {"name": "settings"}}],
            "ContainerCreating",
            'configmap "settings" not found',
        ),
    ],
    ids=["environment", "volume"],
)
async def test_waits_for_what_it_refers_to(real_cluster, container, volumes, reason, message):
    spec = pod_spec(**container) | {"volumes": volumes}
    await real_cluster.create("Pod", "a", spec, api="v1")

    def waiting():
        statuses = (real_cluster.peek(PODS, "a").get("status") or {}).get("containerStatuses")
        return statuses and statuses[0]["state"].get("waiting", {}).get("message") and statuses[0]

    entry = await real_cluster.until(waiting)
    assert entry["state"]["waiting"] == {"reason": reason, "message": message}
    await real_cluster.create("ConfigMap", "settings", api="v1", data={"MESSAGE": "now"})
    pod = await real_cluster.until(lambda: ready(p := real_cluster.peek(PODS, "a")) and p)
    assert (await page(pod))["message"] == "now"


async def test_a_failing_liveness_probe_restarts_the_container(real_cluster):
    probe = {"httpGet": {"path": "/missing", "port": 9898}, "periodSeconds": 1}
    spec = pod_spec(livenessProbe=probe | {"failureThreshold": 1})
    await real_cluster.create("Pod", "a", spec, api="v1")

    def restarted():
        statuses = (real_cluster.peek(PODS, "a").get("status") or {}).get("containerStatuses")
        return statuses and statuses[0]["restartCount"] >= 1 and statuses[0]

    entry = await real_cluster.until(restarted)
    assert entry["lastState"]["terminated"]["finishedAt"]


async def test_not_ready_while_its_probe_fails_and_ready_again(real_cluster):
    config = {"FAULT_NOT_READY": "true"}
    await real_cluster.create("ConfigMap", "settings", api="v1", data=config)
    mount = {"name": "v", "mountPath": "/etc/webapp"}
    spec = pod_spec(
        volumeMounts=[mount],
        readinessProbe=READY | {"failureThreshold": 1},
    )
    spec["volumes"] = [{"name": "v", "configMap": {"name": "settings"}}]
    await real_cluster.create("Pod", "a", spec, api="v1")

    def started():
        status = real_cluster.peek(PODS, "a").get("status") or {}
        return (status.get("containerStatuses") or [{}])[0].get("started") and status

    status = await real_cluster.until(started)
    found = {each["type"]: each for each in status["conditions"]}
    assert found["Ready"]["reason"] == "ContainersNotReady"
    assert found["Ready"]["message"] == "containers with unready status: [web]"
    await real_cluster.patch("v1/configmaps", "settings", {"data": {"FAULT_NOT_READY": "no"}})
    await real_cluster.until(lambda: ready(real_cluster.peek(PODS, "a")))


async def test_ends_in_good_order_and_leaves_nothing(real_cluster):
    directory = real_cluster.standins.directory
    pod = await run_pod(real_cluster, pod_spec())
    log = real_cluster.standins.kubelet.log_path("default", "a", "web")
    assert log.read_text().startswith(f"listening on {pod['status']['podIP']}:9898\n")
    assert processes_under(directory)
    await real_cluster.api.delete(PODS, "default", "a")
    await real_cluster.until(lambda: real_cluster.peek(PODS, "a") is None)
    assert processes_under(directory) == []
    with pytest.raises(ConnectionRefusedError):
        await fetch(pod["status"]["podIP"], 9898)


async def test_a_pod_deleted_by_force_loses_its_process_at_once(real_cluster):
    pod = await run_pod(real_cluster, pod_spec())
    directory = real_cluster.standins.directory / "pods" / pod["metadata"]["uid"]
    (pid,) = processes_under(directory)
    gone = os.pidfd_open(pid)
    await real_cluster.api.delete(PODS, "default", "a", grace=0)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(gone, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        loop.remove_reader(gone)
        os.close(gone)


async def test_a_rolling_update_keeps_serving(real_cluster):
    def template(version):
        container = pod_spec(env=[{"name": "VERSION", "value": version}])["containers"][0]
        # As on any cluster: traffic stops a moment before the process does.
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": 1}}}
        return {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
        }

    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": template("1"),
    }
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    await real_cluster.create("Service", "web", service, api="v1")
    await real_cluster.create("Deployment", "web", spec)

    def addresses():
        found = real_cluster.peek("v1/endpoints", "web") or {}
        return [
            (address["ip"], subset["ports"][0]["port"])
            for subset in found.get("subsets") or []
            for address in subset.get("addresses") or []
        ]

    await real_cluster.until(lambda: len(addresses()) == 2)
    change = {"spec": {"template": template("2")}}
    await real_cluster.patch("apps/v1/deployments", "web", change)
    seen, number = [], 0

    def rolled():
        status = real_cluster.peek("apps/v1/deployments", "web")["status"]
        counts = [status.get(key) for key in ("updatedReplicas", "replicas", "availableReplicas")]
        return counts == [2, 2, 2] and status["observedGeneration"] == 2

    async with asyncio.timeout(30):
        while not rolled() or set(seen[-4:]) != {"2"}:
            current = addresses()
            number += 1
            code, body = await fetch(*current[number % len(current)])
            assert code == 200
            seen.append(json.loads(body)["version"])
    assert seen[0] == "1"
