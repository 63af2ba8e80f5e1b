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


SETS = {
    "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
    "a.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  finalizers: [x/one, x/two]
data: {k: v, l: w}
""",
    "p.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  finalizers: [x/new, x/two]
data: {k: other, l: w}
""",
}


@pytest.mark.parametrize(
    ("pointer", "origin", "reason"),
    [
        ("/metadata/finalizers/0", "p.yaml:5:16 (patch)", "an element of a set that is new"),
        ("/metadata/finalizers/1", "p.yaml:5:23 (patch)", "one that both have: the patch's"),
        ("/metadata/finalizers/2", "a.yaml:5:16 (resource)", "one that has moved"),
        ("/data/k", "p.yaml:6:8 (patch)", "a value that changed"),
        ("/data/l", "a.yaml:6:14 (resource)", "one that the patch has as it was"),
        ("/metadata/name", "a.yaml:4:3 (resource)", "the name, by which they met"),
    ],
)
def test_merged(pointer: str, origin: str, reason: str) -> None:
    (item,) = build(MemoryTree(SETS), options=Options(provenance=True))
    assert str(item.blame()[pointer]) == origin, reason


LISTS = """\
apiVersion: v1
kind: Thing
metadata: {name: a}
list: [a, b, {c: d}]
map: {e: f}
"""


@pytest.mark.parametrize(
    ("operations", "origins", "reason"),
    [
        (
            ["{op: add, path: /list/1, value: x}"],
            {
                "/list/0": "a.yaml:4",
                "/list/1": "patch",
                "/list/2": "a.yaml:4",
                "/list/3/c": "a.yaml:4:15",
            },
            "what stood behind moves on",
        ),
        (
            ["{op: remove, path: /list/0}"],
            {"/list/0": "a.yaml:4:11", "/list/1/c": "a.yaml:4:15"},
            "what stood behind moves up",
        ),
        (
            ["{op: replace, path: /list/2, value: {c: d}}"],
            {"/list/1": "a.yaml:4:11", "/list/2/c": "patch"},
            "all below is new",
        ),
        (
            ["{op: move, from: /map, path: /other}"],
            {"/other/e": "patch", "/list/0": "a.yaml:4:8"},
            "what was moved",
        ),
        (
            ["{op: copy, from: /map, path: /other}"],
            {"/other/e": "patch", "/map/e": "a.yaml:5:7"},
            "what was copied, and what it was copied from",
        ),
        (
            ['{op: replace, path: "", value: {apiVersion: v1, kind: T, metadata: {name: b}}}'],
            {"/kind": "patch", "/metadata/name": "patch"},
            "the whole object",
        ),
        (
            [
                "{op: remove, path: /map}",
                "{op: add, path: /map, value: {}}",
                "{op: add, path: /map/e, value: f}",
            ],
            {"/map": "patch", "/map/e": "patch"},
            "what was removed and came back",
        ),
    ],
)
def test_operations(operations: list[str], origins: dict[str, str], reason: str) -> None:
    patch = "".join(f"    - {operation}\n" for operation in operations)
    files = {
        "kustomization.yaml": (
            f"resources: [a.yaml]\npatches:\n- target: {{kind: Thing}}\n  patch: |\n{patch}"
        ),
        "a.yaml": LISTS,
    }
    (item,) = build(MemoryTree(files), options=Options(provenance=True))
    found = {pointer: str(item.blame()[pointer]) for pointer in origins}
    for pointer, part in origins.items():
        assert part in found[pointer], (reason, pointer, found)
