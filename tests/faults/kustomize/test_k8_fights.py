"""K8: somebody else sets a field that Git sets: no hot loop, and told once with the name."""

import asyncio
from contextlib import aclosing

import pytest
from delivery import KUSTOMIZATIONS

from fluvial.toolkit import Resource

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
EVENTS = Resource("", "v1", "events", "Event")
ROUNDS = 4

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
          image: fluvial.dev/sample/webapp:6.0.0
          resources: {requests: {cpu: 10m}}
"""


async def scale(client, name, namespace):
    await client.patch(
        DEPLOYMENTS,
        name,
        {"spec": {"replicas": 0}},
        namespace,
        subresource="scale",
        field_manager="kube-controller-manager",
    )


async def resize(client, name, namespace):
    operation = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/resources/requests/cpu",
        "value": "20m",
    }
    await client.patch(
        DEPLOYMENTS, name, [operation], namespace, type="json", field_manager="vpa-updater"
    )


async def edit(client, name, namespace):
    await client.patch(
        DEPLOYMENTS, name, {"spec": {"replicas": 0}}, namespace, field_manager="kubectl-edit"
    )


@pytest.mark.parametrize(
    ("fight", "manager", "field"),
    [
        (scale, "kube-controller-manager", "/spec/replicas"),
        pytest.param(
            resize,
            "vpa-updater",
            "/spec/template/spec/containers/0/resources/requests/cpu",
            marks=pytest.mark.thorough,
        ),
        pytest.param(edit, "kubectl-edit", "/spec/replicas", marks=pytest.mark.thorough),
    ],
    ids=["HPA", "VPA", "kubectl edit"],
)
async def test_k8_a_fight_is_told_once_and_is_no_hot_loop(team, fight, manager, field):
    team.repository.push({"web.yaml": WEB})
    await team.source()
    await team.kustomization(interval="1s")
    await team.until_ready()
    before = len(team.harness.requests())
    # The other one sets its value back as soon as ours is written, for ever.
    await fight(team.client, "web", team.name)
    mended = 0
    started = asyncio.get_running_loop().time()
    async with (
        asyncio.timeout(60),
        aclosing(team.client.watch(DEPLOYMENTS, team.name)) as changes,
    ):
        async for event in changes:
            if event.type != "MODIFIED" or not _is_ours(event.object):
                continue
            mended += 1
            if mended == ROUNDS:
                break
            await fight(team.client, "web", team.name)
    took = asyncio.get_running_loop().time() - started
    writes = [
        request
        for request in team.harness.requests()[before:]
        if request["verb"] == "patch"
        and request["userAgent"].startswith("kustomize-controller")
        and f"/{team.name}/deployments/web" in request["path"]
        and "dryRun" not in request["path"]
        and "application/json-patch" not in request.get("contentType", "")
    ]
    # An interval is one second with 5 % of jitter; taking over from kubectl is a write of its own.
    assert len(writes) <= 2 * (took / 0.95 + 1)
    listed = await team.client.list(EVENTS, team.name)
    told = [event for event in listed.items if event["reason"] == "FieldConflict"]
    assert [event.get("count", 1) for event in told] == [1]
    assert f"{field} was changed by {manager} and is set back" in told[0]["message"]
    assert told[0]["involvedObject"]["kind"] == KUSTOMIZATIONS.kind


def _is_ours(deployment):
    spec = deployment["spec"]
    requests = spec["template"]["spec"]["containers"][0]["resources"]["requests"]
    return spec["replicas"] == 1 and requests["cpu"] == "10m"
