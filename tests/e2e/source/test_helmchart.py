"""HelmChart end to end: a push of a chart becomes a package that the real helm renders."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio
from namespaces import Namespace, new_namespace

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_CHART
from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
CHARTS = resource_of_kind(HELM_CHART)
HELM = Path(__file__).parents[3] / ".venv" / "oracles" / "helm"


def chart(version, color="blue"):
    return {
        "charts/app/Chart.yaml": f"apiVersion: v2\nname: app\nversion: {version}\n",
        "charts/app/values.yaml": f"color: {color}\n",
        "charts/app/templates/config.yaml": (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
            "data:\n  color: {{ .Values.color }}\n  version: {{ .Chart.Version | quote }}\n"
        ),
    }


@pytest.fixture(scope="module")
def harness(make_harness):
    harness = make_harness("charts")
    harness.start_plane(standins=False)
    harness.define()
    harness.start_githost()
    harness.start_source("--max-retry-delay=2s", "--requeue-dependency=1s")
    return harness


class Team(Namespace):
    """A namespace with a repository, for one test."""

    def __init__(self, harness, client, name):
        super().__init__(harness, client, name)
        self.repository = harness.repository(name)

    async def apply(self, resource, name, spec):
        await self.put(resource, name, spec={"interval": "1h", **spec})

    async def source(self):
        await self.apply(GIT, "apps", {"url": self.repository.url, "ref": {"branch": "main"}})

    async def chart(self, **spec):
        reference = {"kind": "GitRepository", "name": "apps"}
        await self.apply(CHARTS, "app", {"chart": "charts/app", "sourceRef": reference, **spec})

    async def push(self, files):
        revision = self.repository.push(files)
        await self.request(GIT, "apps")
        return revision

    async def until_ready(self, version):
        def holds(obj):
            return (
                ready(obj)["status"] == "True" and obj["status"]["artifact"]["revision"] == version
            )

        return (await self.until(CHARTS, "app", holds))["status"]


def ready(obj):
    return next(c for c in obj["status"]["conditions"] if c["type"] == "Ready")


@pytest_asyncio.fixture
async def team(harness):
    async with new_namespace(harness) as (client, name):
        yield Team(harness, client, name)


def template(path, home):
    return subprocess.run(
        [str(HELM), "template", "demo", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    ).stdout


async def rendered(artifact, folder):
    """Fetch a package as a consumer does, and let the real helm render it."""
    if not HELM.exists():
        pytest.skip(f"{HELM.name} is missing from .venv/oracles")
    async with (
        Fetcher(folder) as fetcher,
        fetcher.file(artifact["url"], artifact["digest"]) as path,
    ):
        return await asyncio.to_thread(template, path, folder)


async def test_a_push_of_a_version_becomes_a_package(team, tmp_path):
    first = team.repository.push(chart("1.0.0"))
    await team.chart()  # before its source: it waits
    await team.source()
    status = await team.until_ready("1.0.0")
    assert status["observedSourceArtifactRevision"] == first
    assert "color: blue" in await rendered(status["artifact"], tmp_path / "first")

    await team.push(chart("1.1.0", "green"))
    status = await team.until_ready("1.1.0")
    assert status["conditions"][0]["message"] == "packaged 'app' chart with version '1.1.0'"
    text = await rendered(status["artifact"], tmp_path / "second")
    assert "color: green" in text
    assert 'version: "1.1.0"' in text


async def test_values_of_an_environment_and_every_revision(team, tmp_path):
    files = {**chart("1.0.0"), "prod.yaml": "color: red\n"}
    commit = team.repository.push(files).rpartition(":")[2]
    await team.source()
    await team.chart(valuesFiles=["prod.yaml"], reconcileStrategy="Revision")
    version = f"1.0.0+{commit[:12]}.1"
    status = await team.until_ready(version)
    text = await rendered(status["artifact"], tmp_path / "first")
    assert "color: red" in text
    assert f'version: "{version}"' in text


async def test_a_missing_chart_stalls_until_it_is_pushed(team):
    team.repository.push({"README.md": "soon"})
    await team.source()
    await team.chart()
    obj = await team.until(
        CHARTS, "app", lambda obj: ready(obj)["reason"] == "InvalidChartReference"
    )
    assert "charts/app" in ready(obj)["message"]
    await team.push(chart("1.0.0"))
    await team.until_ready("1.0.0")
