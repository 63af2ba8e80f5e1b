"""Where a value comes from: file, line, and what set it last."""

import pytest

from fluvial.render.kustomize import MemoryTree, Options, build

CONTAINERS = "/spec/template/spec/containers"
TREE = MemoryTree(
    {
        "prod/kustomization.yaml": """\
namePrefix: prod-
namespace: prod
resources:
- ../base
labels:
- pairs:
    tier: web
images:
- name: app
  newTag: "2"
replicas:
- name: web
  count: 5
patches:
- path: patch.yaml
- target:
    kind: Deployment
  patch: |
    - op: add
      path: /spec/paused
      value: true
    - op: add
      path: /spec/template/spec/containers/0
      value: {name: first}
configMapGenerator:
- name: settings
  literals: [a=b]
""",
        "prod/patch.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: sidecar
        image: side
      - name: app
        args: [x]
""",
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: app
        image: app:1
        envFrom:
        - configMapRef:
            name: settings
""",
    }
)


@pytest.mark.parametrize(
    ("pointer", "origin", "reason"),
    [
        ("/apiVersion", "base/web.yaml:1:1 (resource)", "as the file has it"),
        ("/metadata/name", "prod/kustomization.yaml:1:1 (namePrefix)", "renamed"),
        ("/metadata/namespace", "prod/kustomization.yaml:2:1 (namespace)", "moved"),
        ("/metadata/labels/tier", "prod/kustomization.yaml:6:3 (labels)", "labelled"),
        ("/spec/replicas", "prod/kustomization.yaml:12:3 (replicas)", "scaled"),
        ("/spec/paused", "prod/kustomization.yaml:16:3 (patch)", "set by an inline JSON patch"),
        (f"{CONTAINERS}/0/name", "prod/kustomization.yaml:16:3 (patch)", "inserted"),
        (f"{CONTAINERS}/1/image", "prod/patch.yaml:10:9 (patch)", "from a patch"),
        (f"{CONTAINERS}/2/args/0", "prod/patch.yaml:12:16 (patch)", "merged in"),
        (f"{CONTAINERS}/2/name", "base/web.yaml:10:9 (resource)", "moved in its list"),
        (f"{CONTAINERS}/2/image", "prod/kustomization.yaml:9:3 (images)", "tagged"),
        (
            f"{CONTAINERS}/2/envFrom/0/configMapRef/name",
            "base/web.yaml:14:13 (name reference)",
            "followed the generated name",
        ),
    ],
)  # fmt: skip
def test_origin(pointer: str, origin: str, reason: str) -> None:
    deployment = build(TREE, "prod", options=Options(provenance=True))[0]
    assert str(deployment.blame()[pointer]) == origin, reason


def test_a_generated_object_comes_from_its_generator() -> None:
    _, generated = build(TREE, "prod", options=Options(provenance=True))
    blame = generated.blame()
    assert str(blame["/data/a"]) == "prod/kustomization.yaml:26:3 (ConfigMapGenerator)"
    assert blame["/metadata/name"].by == "content hash"


def test_no_provenance_unless_asked_for() -> None:
    assert all(item.provenance is None for item in build(TREE, "prod"))


def test_it_changes_no_output() -> None:
    plain = [item.data for item in build(TREE, "prod")]
    assert [item.data for item in build(TREE, "prod", options=Options(provenance=True))] == plain
