"""From a field of a released document to the template, the post-renderer or the label."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.render.helm import HELM_4_2, ValueLayers, load_chart, post_render, render
from fluvial.render.helm.flux import ReleasePlace, ReleaseTrace, release_of
from fluvial.render.kustomize import MemoryTree
from fluvial.render.yaml import load_documents

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  interval: 1h
"""
APP = """\
apiVersion: v1
kind: Service
metadata:
  name: s
---
# the workload
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  labels: {}
spec:
  replicas: {{ .Values.replicas }}
  containers:
    - image: web:{{ .Values.tag }}
      name: web
      pull: Always
"""
HOOK = """\
apiVersion: v1
kind: Pod
metadata:
  generateName: t-
  annotations:
    helm.sh/hook: test
spec: {size: {{ .Values.size }}}
"""
PATCHES = """\
  postRenderers:
    - kustomize:
        patches:
          - target: {kind: Deployment}
            patch: |
              - {op: add, path: /spec/containers/0, value: {name: first, pull: Always}}
          - patch: |
              apiVersion: apps/v1
              kind: Deployment
              metadata:
                name: a
              spec:
                replicas: 4
    - {}
    - kustomize:
        images:
          - name: web
            newTag: v9
"""
IMAGES = """\
  postRenderers:
    - kustomize:
        images:
          - {name: web, newTag: v9}
"""
COMMON = """\
  commonMetadata:
    labels:
      team: shop
    annotations: {note: x}
"""
OWNER = "HelmRelease shop/web (label of the owner)"


@pytest.fixture
def explained():
    """Render and explain the release whose spec this is; returns origins as text, by kind."""

    def run(spec, templates=None, *, placed=True):
        files = {f"templates/{name}": text for name, text in (templates or TEMPLATES).items()}
        files |= {"Chart.yaml": "name: web\nversion: 1.0.0\n",
                  "values.yaml": "replicas: 1\ntag: v1\nsize: 2\n"}  # fmt: skip
        (document,) = load_documents(RELEASE + spec, file="hr.yaml", positions=True)
        obj = decode(HELM_RELEASE, document.value)
        chart = load_chart(MemoryTree(files), HELM_4_2)
        done = render(chart, {}, release_of(obj), helm_version=HELM_4_2, provenance=True)
        trace = ReleaseTrace(obj, ReleasePlace("hr.yaml", document) if placed else None)
        strategy = obj.spec.post_render_strategy
        final = post_render(done, trace.renderer(), strategy=strategy, helm_version=HELM_4_2)
        layers = ValueLayers()
        layers.add_chart(done.chart)
        origins = trace.explain(done, layers.origins)
        documents = [*final.manifests, *final.hooks]
        return {
            one.kind: {pointer: str(origin) for pointer, origin in origins.of(one).items()}
            for one in documents
        }

    return run


TEMPLATES = {"app.yaml": APP, "hook.yaml": HOOK}
REPLICAS = "web/templates/app.yaml:13:16, .Values.replicas of web/values.yaml:1:1 (defaults)"
PULL = "web/templates/app.yaml:17:1"


@pytest.mark.parametrize(
    ("spec", "kind", "expected", "reason"),
    [
        ("", "Deployment",
         {"/spec/replicas": REPLICAS, "/spec/containers/0/name": "web/templates/app.yaml:16:1",
          "/metadata/labels/helm.toolkit.fluxcd.io~1name": OWNER}, "templates, and the owner"),
        ("", "Service", {"/metadata/name": "web/templates/app.yaml:4:1"},
         "the first document of a template"),
        ("", "Pod",
         {"/metadata/annotations/helm.sh~1hook": "web/templates/hook.yaml:6:1",
          "/spec/size": "web/templates/hook.yaml:7:17, .Values.size of web/values.yaml:3:1 "
                        "(defaults)",
          "/metadata/labels/helm.toolkit.fluxcd.io~1namespace": OWNER},
         "a hook that the server is to name passes by the steps"),
        (COMMON, "Service",
         {"/metadata/labels/team": "hr.yaml:8:7 (spec.commonMetadata)",
          "/metadata/annotations/note": "hr.yaml:9:19 (spec.commonMetadata)"}, "common metadata"),
        (PATCHES, "Deployment",
         {"/spec/containers/0/name": "hr.yaml:9:13 (patch of spec.postRenderers)",
          "/spec/containers/0/pull": "hr.yaml:9:13 (patch of spec.postRenderers)",
          "/spec/replicas": "hr.yaml:12:13 (patch of spec.postRenderers)"}, "patches, each"),
        (PATCHES, "Deployment",
         {"/spec/containers/1/pull": PULL,
          "/spec/containers/1/name": "web/templates/app.yaml:16:1"},
         "what a patch has only moved is still the template's"),
        (PATCHES, "Deployment",
         {"/spec/containers/1/image": "hr.yaml:22:13 (images of spec.postRenderers)"},
         "an image of a later step; one that is empty counts"),
        (PATCHES, "Service", {"/kind": "web/templates/app.yaml:2:1"}, "what no patch is for"),
        (PATCHES + "  postRenderStrategy: nohooks\n", "Pod",
         {"/kind": "web/templates/hook.yaml:2:1", "/spec/size": "web/templates/hook.yaml:7:17, "
          ".Values.size of web/values.yaml:3:1 (defaults)"}, "hooks that no step sees"),
        (IMAGES + "  postRenderStrategy: separate\n", "Deployment",
         {"/spec/containers/0/image": "hr.yaml:9:13 (images of spec.postRenderers)",
          "/spec/replicas": REPLICAS}, "in two streams"),
    ],
)  # fmt: skip
def test_origins(explained, spec, kind, expected, reason):
    found = explained(spec)[kind]
    assert {pointer: found.get(pointer) for pointer in expected} == expected, reason


def test_every_field_has_an_origin_and_hooks_without_labels_have_none_of_them(explained):
    found = explained(PATCHES + COMMON + "  postRenderStrategy: nohooks\n")
    assert not any("/metadata/labels" in pointer for pointer in found["Pod"])
    assert set(found["Service"]) == {
        "/apiVersion", "/kind", "/metadata/name", "/metadata/labels/team",
        "/metadata/labels/helm.toolkit.fluxcd.io~1name",
        "/metadata/labels/helm.toolkit.fluxcd.io~1namespace", "/metadata/annotations/note",
    }  # fmt: skip


def test_a_list_that_was_taken_apart_leads_to_its_template(explained):
    items = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n"
    found = explained("", {"list.yaml": items})
    assert found["A"]["/metadata/name"] == "web/templates/list.yaml (template)"


def test_a_release_without_a_file_has_its_fields(explained):
    found = explained(PATCHES + COMMON, placed=False)["Deployment"]
    assert found["/spec/replicas"] == (
        "spec.postRenderers.0.kustomize.patches.1 (patch of spec.postRenderers)"
    )
    assert found["/metadata/labels/team"] == "spec.commonMetadata.labels.team (spec.commonMetadata)"
