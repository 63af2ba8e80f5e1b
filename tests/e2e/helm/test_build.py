"""`fluvial build helmrelease` prints what the controller's own way of rendering makes."""

import asyncio
import base64
import contextlib
import importlib
import tarfile

import msgspec
import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.apis.meta import Artifact
from fluvial.cli.main import main
from fluvial.helm.flags import HelmFlags
from fluvial.helm.rendering import Renderer
from fluvial.helm.values import load_values
from fluvial.render.helm import HELM_4_2, Capabilities, listing
from fluvial.render.helm.flux import release_of
from fluvial.render.yaml import dump_all
from fluvial.toolkit import Client, Transient
from fluvial.toolkit.testing import FakeApi

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "values.yaml": "replicas: 1\nimage:\n  name: web\n  tag: v1\n",
    "values.schema.json": '{"properties": {"replicas": {"maximum": 9}}}',
    "templates/app.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  annotations: {upgrade: "{{ .Release.IsUpgrade }} {{ .Release.Revision }}"}
spec:
  template:
    spec:
      containers:
        - image: {{ .Values.image.name }}:{{ .Values.image.tag }}
          name: web
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-values}
data:
  values: {{ toJson .Values | quote }}
""",
    "templates/hook.yaml": """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}
  annotations: {helm.sh/hook: "pre-install,test", helm.sh/hook-weight: "3"}
""",
}


def config(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": name, "namespace": "shop"}}  # fmt: skip


def secret(name, **data):
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {**config(name, **encoded), "kind": "Secret"}


OBJECTS = [
    config("base", **{"values.yaml": "replicas: 3\nimage: {tag: v2}\nlist: [1, 2]\nbig: 1e9\n"}),
    config("more", extra="list: [3]\nnothing: null\nimage: {pull: yes}\n"),
    secret("login", token="hunter2", number="42", odd="{a,b}", tag="v8"),
]
FROM = [
    {"kind": "ConfigMap", "name": "base"},
    {"kind": "ConfigMap", "name": "more", "valuesKey": "extra"},
    {"kind": "ConfigMap", "name": "gone", "optional": True},
]


def at(key, path, **more):
    return {"kind": "Secret", "name": "login", "valuesKey": key, "targetPath": path, **more}


PATCH = {"target": {"kind": "Deployment"},
         "patch": "- {op: add, path: /spec/replicas, value: 4}\n"}  # fmt: skip
SPECS = [
    ("nothing but a chart", {}),
    ("values in order", {"valuesFrom": FROM, "values": {"image": {"tag": "v3"}, "n": 5}}),
    ("at paths", {"valuesFrom": [at("token", "auth.token"), *FROM, at("number", "list[0]")]}),
    ("inside of the inline values", {"valuesFrom": [at("tag", "image.tag"), *FROM],
                                     "values": {"image": {"tag": "v3"}}}),
    ("literally, and not", {"valuesFrom": [at("odd", "a", literal=True), at("odd", "b")]}),
    ("names", {"targetNamespace": "prod", "storageNamespace": "store"}),
    ("a long name", {"targetNamespace": "n" * 60}),
    ("a name of its own", {"releaseName": "other"}),
    ("common metadata", {"commonMetadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}),
    ("post-renderers", {"postRenderers": [
        {"kustomize": {"patches": [PATCH]}},
        {"kustomize": {"images": [{"name": "web", "newTag": "v7"}]}},
    ]}),
    ("hooks by themselves", {"postRenderStrategy": "separate"}),
    ("hooks untouched", {"postRenderStrategy": "nohooks"}),
    ("a schema that is not asked", {"values": {"replicas": 99},
                                    "install": {"disableSchemaValidation": True},
                                    "upgrade": {"disableSchemaValidation": True}}),
]  # fmt: skip


class Here:
    """Stands for fetcher and pool: the chart is on this disk, and jobs run in this process."""

    def __init__(self, chart):
        self._chart = chart

    @contextlib.asynccontextmanager
    async def file(self, *_):
        yield self._chart

    async def run(self, job, request, reply, **_):
        module, _, name = job.partition(":")
        carried = msgspec.msgpack.decode(msgspec.msgpack.encode(request), type=type(request))
        answer = getattr(importlib.import_module(module), name)(carried)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=reply)


@pytest.fixture
def chart(tmp_path, monkeypatch):
    monkeypatch.setenv("FLUVIAL_TEMPLATE_CACHE", "off")
    for name, text in CHART.items():
        file = tmp_path / "web" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with tarfile.open(tmp_path / "web.tgz", "w:gz") as archive:
        archive.add(tmp_path / "web", "web")
    return tmp_path / "web.tgz"


def release(spec):
    chart = {"spec": {"chart": "web", "sourceRef": {"kind": "GitRepository", "name": "fleet"}}}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "interval": "1h",
            "chart": chart,
            **spec,
        },
    }


async def composed(obj):
    """Compose values as the controller does, from an API server."""
    async with FakeApi() as api:
        for one in OBJECTS:
            api.put(one)
        async with Client(api.config) as client:
            return await load_values(client, obj)


async def rendered(obj, chart, *, upgrade):
    """Render as the controller does; returns the manifests and hooks of its record."""
    here = Here(chart)
    renderer = Renderer(here, here, HelmFlags())
    artifact = Artifact(
        path="", url="", revision="", digest=f"sha256:{chart}", last_update_time="", size=0
    )
    return await renderer.render(
        obj,
        await renderer.load(obj, artifact),
        await composed(obj),
        release_of(obj, 2 if upgrade else 1, upgrade=upgrade),
        Capabilities(kube_version=HELM_4_2.kube_version),
    )


@pytest.mark.parametrize("upgrade", [False, True], ids=["install", "upgrade"])
@pytest.mark.parametrize(("reason", "spec"), SPECS, ids=[reason for reason, _ in SPECS])
def test_the_command_prints_what_the_controller_releases(
    chart, tmp_path, capsys, *, reason, spec, upgrade
):
    raw = release(spec)
    (tmp_path / "all.yaml").write_text(dump_all([raw, *OBJECTS]))
    line = ["build", "helmrelease", str(tmp_path / "all.yaml"), "--chart", str(chart)]
    assert main([*line, *(["--is-upgrade"] if upgrade else [])]) == 0
    reply = asyncio.run(rendered(decode(HELM_RELEASE, raw), chart, upgrade=upgrade))
    hooks = listing([], [(hook.path, hook.manifest) for hook in reply.hooks]).lstrip()
    assert capsys.readouterr().out == f"{reply.manifest.strip()}\n{hooks}"


@pytest.mark.parametrize(
    "reference",
    [
        {"kind": "ConfigMap", "name": "gone"},
        {"kind": "ConfigMap", "name": "base", "valuesKey": "gone"},
        {"kind": "Secret", "name": "login", "valuesKey": "token"},
        at("odd", "a[x]"),
        at("token", "image.name.deep"),
    ],
)
def test_both_refuse_values_in_the_same_words(chart, tmp_path, capsys, reference):
    raw = release({"valuesFrom": [reference], "values": {"image": {"name": "web"}}})
    (tmp_path / "all.yaml").write_text(dump_all([raw, *OBJECTS]))
    assert main(["build", "helmrelease", str(tmp_path / "all.yaml"), "--chart", str(chart)]) == 1
    with pytest.raises(Transient) as caught:
        asyncio.run(composed(decode(HELM_RELEASE, raw)))
    words = caught.value.message.removeprefix("could not resolve values: ")
    assert capsys.readouterr().err == f"fluvial build helmrelease: {words}\n"
