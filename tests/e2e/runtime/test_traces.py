"""One commit is one trace, through controllers that know nothing of each other."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from harness import WITHIN, until
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_CHART, HELM_RELEASE, KUSTOMIZATION
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.tracing import trace_id

GIT = resource_of_kind(GIT_REPOSITORY)
CHART = "apiVersion: v2\nname: app\nversion: 0.1.0\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\n"


class Collector:
    """Takes spans as an OpenTelemetry collector does."""

    def __init__(self):
        self.spans = []
        self._moved = asyncio.Event()

    async def receive(self, request):
        for resource in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            service = next(
                one.value.string_value
                for one in resource.resource.attributes
                if one.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans += [(service, span) for span in scope.spans]
        self._moved.set()
        return web.Response(content_type="application/x-protobuf")

    async def until(self, wanted, revision):
        """Wait until the trace of a revision has spans of these services and names."""
        try:
            async with asyncio.timeout(WITHIN):
                while not wanted <= {(service, span.name) for service, span in self.of(revision)}:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            pytest.fail(f"spans: {[(s, one.name, one.trace_id.hex()) for s, one in self.spans]}")

    def of(self, revision):
        """List the spans of a revision's trace."""
        number = trace_id(revision).to_bytes(16)
        return [(service, span) for service, span in self.spans if span.trace_id == number]


@pytest.fixture
async def collector(monkeypatch):
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.receive)
    async with TestServer(app) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", str(server.make_url("")))
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        yield collector


def manifest(kind, name, spec):
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


async def test_a_commit_is_one_trace(make_harness, collector):
    harness = make_harness("traces")
    kinds = [GIT_REPOSITORY, HELM_CHART, HELM_RELEASE, KUSTOMIZATION]
    await asyncio.to_thread(harness.start_plane, standins=False)
    await harness.define_within(kinds)
    await asyncio.to_thread(harness.start_githost)
    await asyncio.to_thread(harness.start_source)
    for module in ("fluvial.kustomize", "fluvial.helm"):
        await asyncio.to_thread(harness.start_controller, module)
    repository = harness.repository("apps")
    revision = repository.push(
        {
            "deploy/config.yaml": CONFIG.format(name="plain"),
            "chart/Chart.yaml": CHART,
            "chart/templates/config.yaml": CONFIG.format(name="charted"),
        }
    )
    source = {"kind": "GitRepository", "name": "apps"}
    chart = {"spec": {"chart": "./chart", "sourceRef": source}}
    async with harness.client() as client:
        for kind, name, spec in (
            (
                GIT_REPOSITORY,
                "apps",
                {"url": repository.url, "interval": "1h", "ref": {"branch": "main"}},
            ),
            (
                KUSTOMIZATION,
                "apps",
                {"interval": "1h", "path": "./deploy", "prune": True, "sourceRef": source},
            ),
            (HELM_RELEASE, "release", {"interval": "1h", "chart": chart}),
            (
                KUSTOMIZATION,
                "lost",
                {"interval": "1h", "path": "./no", "prune": True, "sourceRef": source},
            ),
        ):
            await client.create(resource_of_kind(kind), manifest(kind, name, spec), "default")
        for kind, name in ((KUSTOMIZATION, "apps"), (HELM_RELEASE, "release")):
            await until(client, resource_of_kind(kind), name, "default", is_ready)

    wanted = {
        ("source-controller", "GitRepository/default/apps"),
        ("source-controller", "HelmChart/default/default-release"),
        ("kustomize-controller", "Kustomization/default/apps"),
        ("kustomize-controller", "Kustomization/default/lost"),
        ("helm-controller", "HelmRelease/default/release"),
    }
    await collector.until(wanted, revision)
    failed = [span for _, span in collector.of(revision) if span.name.endswith("/lost")]
    assert {span.status.code for span in failed} == {2}
    assert "./no" in failed[-1].status.message or "no such" in failed[-1].status.message
    sound = [span for _, span in collector.of(revision) if span.name.endswith("/apps")]
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in sound)


def is_ready(obj):
    conditions = obj["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
