"""Each step of a build says of what it has set that it has set it."""

import pytest

from fluvial.render.kustomize import MemoryTree, Options, build
from fluvial.render.kustomize._model import Image
from fluvial.render.kustomize.flux import Layers, PostBuild, build_kustomization

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {host: "$(HOST)"}
spec:
  template:
    spec:
      containers:
      - name: main
        image: app:1
        args: ["$(HOST)", "${REGION}"]
"""


def origin(kustomization: str, pointer: str, **files: str) -> str:
    """Return the origin of a value of the first object."""
    names = {f"{name}.yaml": text for name, text in files.items()}
    tree = MemoryTree(
        {"kustomization.yaml": f"resources: [web.yaml]\n{kustomization}", "web.yaml": WEB, **names}
    )
    return str(build(tree, options=Options(provenance=True))[0].blame()[pointer])


TOP = "kustomization.yaml"
MAIN = "/spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("kustomization", "pointer", "expected", "reason"),
    [
        ("nameSuffix: -x", "/metadata/name", f"{TOP}:2:1 (nameSuffix)", "suffix"),
        (
            "commonLabels: {a: b}",
            "/spec/selector/matchLabels/a",
            f"{TOP}:2:1 (commonLabels)",
            "a label that a selector gets",
        ),
        (
            "commonAnnotations: {a: b}",
            "/spec/template/metadata/annotations/a",
            f"{TOP}:2:1 (commonAnnotations)",
            "an annotation of the template",
        ),
        (
            "labels:\n- pairs: {a/b: c}",
            "/metadata/labels/a~1b",
            f"{TOP}:3:3 (labels)",
            "a key with a slash",
        ),
        (
            (
                "replacements:\n- sourceValue: z\n  targets:\n  - select: {kind: Deployment}\n"
                "    fieldPaths: [spec.template.spec.containers.0.image]"
            ),
            f"{MAIN}/image",
            f"{TOP}:2:1 (replacements)",
            "a replacement",
        ),
        (
            "vars:\n- {name: HOST, objref: {apiVersion: apps/v1, kind: Deployment, name: web}}",
            f"{MAIN}/args",
            "web.yaml:12:9 (vars)",
            "a variable, where the reference is written",
        ),
        (
            (
                "transformers:\n- |\n  apiVersion: builtin\n  kind: PrefixTransformer\n"
                "  metadata: {name: it}\n  prefix: t-\n  fieldSpecs: [{path: metadata/name}]"
            ),
            "/metadata/name",
            f"{TOP}:2:1 (PrefixTransformer)",
            "a configured transformer",
        ),
        (
            (
                "patchesStrategicMerge:\n- |\n  apiVersion: apps/v1\n  kind: Deployment\n"
                "  metadata: {name: web}\n  spec: {paused: true}"
            ),
            "/spec/paused",
            f"{TOP}:3:3 (patch)",
            "an inline patch of the deprecated field",
        ),
        (
            (
                "patches:\n- target: {kind: Deployment}\n  patch: |\n"
                "    - {op: move, from: /spec/template/spec/containers/0/image, path: /spec/image}"
            ),
            "/spec/image",
            f"{TOP}:3:3 (patch)",
            "a moved value",
        ),
    ],
)
def test_step(kustomization: str, pointer: str, expected: str, reason: str) -> None:
    assert origin(kustomization, pointer) == expected, reason


def test_a_step_that_changes_nothing_says_nothing() -> None:
    assert origin("images: [{name: other, newTag: x}]", f"{MAIN}/image") == (
        "web.yaml:11:9 (resource)"
    )


@pytest.mark.parametrize(
    ("pointer", "by", "reason"),
    [
        ("/metadata/name", "namePrefix", "layered over the file"),
        ("/metadata/namespace", "namespace", "the target namespace"),
        (f"{MAIN}/image", "images", "an image of the spec"),
        (f"{MAIN}/args/1", "substitution", "a substituted variable"),
        (f"{MAIN}/args/0", "resource", "beside it nothing changed"),
    ],
)
def test_layers_of_flux(pointer: str, by: str, reason: str) -> None:
    layers = Layers(namePrefix="f-", targetNamespace="n", images=(Image(name="app", newTag="2"),))
    (rendered,) = build_kustomization(
        MemoryTree({"web.yaml": WEB}),
        "",
        layers,
        post_build=PostBuild(variables={"REGION": "north"}),
        options=Options(provenance=True),
    )
    assert rendered.blame()[pointer].by == by, reason
