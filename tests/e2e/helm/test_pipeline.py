"""From a push to a release, with source-controller making the chart; and a kill in between."""

import os

import pytest
import pytest_asyncio
from harness import until

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_CHART, HELM_RELEASE
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

RELEASES = resource_of_kind(HELM_RELEASE)
CHARTS = resource_of_kind(HELM_CHART)
GIT = resource_of_kind(GIT_REPOSITORY)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
JOBS = Resource("batch", "v1", "jobs", "Job")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

CHART = "apiVersion: v2\nname: app\nversion: VERSION\n"
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {color: "{{ .Values.color }}"}
"""
SLOW = """apiVersion: batch/v1
kind: Job
metadata:
  name: slow
  annotations: {helm.sh/hook: pre-install}
spec:
  template:
    metadata:
      annotations: {fluvial.dev/run-for: 300s}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example.com/job:1"}]
"""


@pytest.fixture(scope="module")
def pipeline(make_harness):
    harness = make_harness("helm-pipeline")
    harness.start_plane()
    harness.define()
    harness.start_githost()
    harness.start_source("--max-retry-delay=2s", "--requeue-dependency=1s")
    harness.start_controller("fluvial.helm", "--requeue-dependency=1s", "--max-retry-delay=2s")
    return harness


def files(version="1.0.0", **more):
    chart = {
        "charts/app/Chart.yaml": CHART.replace("VERSION", version),
        "charts/app/values.yaml": "color: blue\n",
        "charts/app/templates/config.yaml": CONFIG,
    }
    return {**chart, **{f"charts/app/templates/{name}.yaml": text for name, text in more.items()}}


@pytest_asyncio.fixture
async def client(pipeline):
    async with pipeline.client() as client:
        yield client


@pytest_asyncio.fixture
async def namespace(client, request):
    name = f"pipe-{os.getpid()}-{abs(hash(request.node.name)) % 10000}"
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await client.create(NAMESPACES, obj)
    return name


async def apply(client, resource, name, namespace, spec):
    obj = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    await client.patch(
        resource, name, obj, namespace, type="apply", field_manager="kubectl", force=True
    )


async def start(pipeline, client, namespace, content):
    repository = pipeline.repository(namespace)
    repository.push(content)
    git = {"interval": "10m", "url": repository.url, "ref": {"branch": "main"}}
    await apply(client, GIT, "charts", namespace, git)
    source = {"kind": "GitRepository", "name": "charts"}
    chart = {"spec": {"chart": "charts/app", "sourceRef": source}}
    await apply(client, RELEASES, "app", namespace, {"interval": "10m", "chart": chart})
    return repository


def is_ready(obj):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in obj["status"]["conditions"])


async def test_a_push_of_a_new_chart_version_upgrades_the_release(pipeline, client, namespace):
    repository = await start(pipeline, client, namespace, files())
    obj = await until(client, RELEASES, "app", namespace, is_ready)
    assert obj["status"]["helmChart"] == f"{namespace}/{namespace}-app"
    chart = await client.get(CHARTS, f"{namespace}-app", namespace)
    assert chart["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] == "app"
    assert chart["spec"]["interval"] == "10m"

    repository.push({**files("1.1.0"), "charts/app/values.yaml": "color: green\n"})
    token = {"reconcile.fluxcd.io/requestedAt": "push"}
    await client.patch(GIT, "charts", {"metadata": {"annotations": token}}, namespace)
    await until(client, CONFIG_MAPS, "config", namespace, lambda o: o["data"] == {"color": "green"})
    obj = await until(
        client,
        RELEASES,
        "app",
        namespace,
        lambda o: o["status"]["history"][0]["chartVersion"] == "1.1.0" and is_ready(o),
    )
    assert obj["status"]["lastAttemptedRevision"] == "1.1.0"

    await client.delete(RELEASES, "app", namespace)
    await until(client, CHARTS, f"{namespace}-app", namespace, None, gone=True)
    await until(client, RELEASES, "app", namespace, None, gone=True)


async def test_a_controller_that_is_killed_in_an_install_unlocks_and_finishes_it(
    pipeline, client, namespace
):
    repository = await start(pipeline, client, namespace, files(slow=SLOW))
    await until(client, JOBS, "slow", namespace, lambda o: o["status"]["active"])
    process = pipeline.process("fluvial.helm")
    process.kill()
    repository.push(files("1.0.1"))
    token = {"reconcile.fluxcd.io/requestedAt": "push"}
    await client.patch(GIT, "charts", {"metadata": {"annotations": token}}, namespace)
    await until(
        client,
        CHARTS,
        f"{namespace}-app",
        namespace,
        lambda o: o["status"]["artifact"]["revision"] == "1.0.1",
    )
    pipeline.restart("fluvial.helm")
    obj = await until(client, RELEASES, "app", namespace, is_ready)
    assert obj["status"]["history"][0]["chartVersion"] == "1.0.1"
    assert await client.get(CONFIG_MAPS, "config", namespace)
