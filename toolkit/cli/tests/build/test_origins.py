"""`fluvial build kustomize --provenance`: from a field to the line and to what set it last."""

import json

import pytest

from fluvial.cli.main import main

FILES = {
    "base/kustomization.yaml": "resources: [app.yaml]\n",
    "base/app.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      volumes: []
      containers:
        - name: app
          image: web:1
""",
    "prod/kustomization.yaml": """resources: [../base]
namespace: prod
namePrefix: a-
images: [{name: web, newTag: "2"}]
patches:
  - path: scale.yaml
configMapGenerator:
  - name: settings
    literals: [a/b=1]
""",
    "prod/scale.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
""",
}

ORIGINS = """\
v1 ConfigMap prod/a-settings-ctfh8798tt
  /apiVersion: prod/kustomization.yaml:8:5 (ConfigMapGenerator)
  /kind: prod/kustomization.yaml:8:5 (ConfigMapGenerator)
  /metadata/name: prod/kustomization.yaml (content hash)
  /metadata/namespace: prod/kustomization.yaml:2:1 (namespace)
  /data/a~1b: prod/kustomization.yaml:8:5 (ConfigMapGenerator)
apps/v1 Deployment prod/a-web
  /apiVersion: base/app.yaml:1:1 (resource)
  /kind: base/app.yaml:2:1 (resource)
  /metadata/name: prod/kustomization.yaml:3:1 (namePrefix)
  /metadata/namespace: prod/kustomization.yaml:2:1 (namespace)
  /spec/replicas: prod/scale.yaml:6:3 (patch)
  /spec/template/spec/volumes: base/app.yaml:9:7 (resource)
  /spec/template/spec/containers/0/name: base/app.yaml:11:11 (resource)
  /spec/template/spec/containers/0/image: prod/kustomization.yaml:4:10 (images)
"""


@pytest.fixture
def build(tmp_path, capsys):
    (tmp_path / ".git").mkdir()
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def build(*flags):
        assert main(["build", "kustomize", str(tmp_path / "prod"), *flags]) == 0
        return capsys.readouterr().out

    return build


def test_for_people(build):
    assert build("--provenance") == ORIGINS


def test_for_programs(build):
    _, deployment = map(json.loads, build("--provenance=json").splitlines())
    assert (deployment["apiVersion"], deployment["name"]) == ("apps/v1", "a-web")
    place = {"file": "prod/scale.yaml", "line": 6, "column": 3, "by": "patch"}
    assert deployment["fields"]["/spec/replicas"] == place


def test_without_it_the_objects_are_printed(build):
    assert build().startswith("apiVersion: v1\ndata:\n")
