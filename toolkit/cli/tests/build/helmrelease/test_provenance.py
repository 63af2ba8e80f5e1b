"""`fluvial build helmrelease --provenance`: from a field to object, key and line."""

import json

import pytest

MANIFESTS = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: shop
spec:
  interval: 10m
  chart:
    spec:
      chart: charts/web
      sourceRef: {kind: GitRepository, name: fleet}
  valuesFrom:
    - kind: ConfigMap
      name: web-values
    - kind: Secret
      name: web
      valuesKey: token
      targetPath: token
  values:
    image:
      tag: v3
  commonMetadata:
    labels:
      team: shop
  postRenderers:
    - kustomize:
        patches:
          - target: {kind: Deployment}
            patch: "- {op: add, path: /spec/paused, value: true}"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-values}
data:
  values.yaml: |
    # for production
    replicas: 3
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {token: hunter2}
"""
EXPECTED = """\
# Source: web/templates/secret.yaml
v1 Secret web
  /apiVersion: web/templates/secret.yaml:1:1
  /kind: web/templates/secret.yaml:2:1
  /metadata/labels/helm.toolkit.fluxcd.io~1name: HelmRelease shop/web (label of the owner)
  /metadata/labels/helm.toolkit.fluxcd.io~1namespace: HelmRelease shop/web (label of the owner)
  /metadata/labels/team: release.yaml:24:7 (spec.commonMetadata)
  /metadata/name: web/templates/secret.yaml:4:12
  /stringData/token: web/templates/secret.yaml:6:13, .Values.token of Secret shop/web token → token
# Source: web/templates/app.yaml
apps/v1 Deployment web
  /apiVersion: web/templates/app.yaml:1:1
  /kind: web/templates/app.yaml:2:1
  /metadata/labels/helm.toolkit.fluxcd.io~1name: HelmRelease shop/web (label of the owner)
  /metadata/labels/helm.toolkit.fluxcd.io~1namespace: HelmRelease shop/web (label of the owner)
  /metadata/labels/team: release.yaml:24:7 (spec.commonMetadata)
  /metadata/name: web/templates/app.yaml:4:12
  /metadata/namespace: web/templates/app.yaml:5:17
  /spec/containers/0/image: web/templates/app.yaml:14:42, .Values.image.name of \
web/values.yaml:3:3 (defaults), .Values.image.tag of release.yaml:21:7 (spec.values)
  /spec/containers/0/name: web/templates/app.yaml:13:1
  /spec/paused: release.yaml:28:13 (patch of spec.postRenderers)
  /spec/replicas: web/templates/app.yaml:7:16, .Values.replicas of \
ConfigMap shop/web-values values.yaml:2:1 (valuesFrom)
  /spec/revision: web/templates/app.yaml:8:16
"""


@pytest.fixture(autouse=True)
def manifests(folder):
    (folder / "release.yaml").write_text(MANIFESTS)


def test_a_field_leads_to_object_key_and_line(build):
    shown = build("release.yaml", "--source", ".", "--provenance", "--no-hooks")
    assert shown == EXPECTED


def test_programs_get_a_line_of_json_for_each_document(build):
    lines = build("release.yaml", "--source", ".", "--provenance=json", "--skip-tests").splitlines()
    secret, app = map(json.loads, lines)
    assert app["fields"]["/spec/replicas"]["values"] == [
        {"path": ".Values.replicas", "from": "ConfigMap shop/web-values values.yaml", "line": 2,
         "column": 1, "by": "valuesFrom"}
    ]  # fmt: skip
    assert secret["fields"]["/stringData/token"]["values"] == [
        {"path": ".Values.token", "from": "Secret shop/web token → token", "line": 0, "column": 0,
         "by": "valuesFrom"}
    ]  # fmt: skip
    assert app["fields"]["/spec/paused"] == {
        "from": "release.yaml", "line": 28, "column": 13, "by": "patch of spec.postRenderers"
    }  # fmt: skip
    assert "hunter2" not in str(lines)


def test_values_files_are_named(build, folder):
    (folder / "prod.yaml").write_text("replicas: 5\nimage:\n  name: shop\n")
    text = MANIFESTS.replace(
        "chart: charts/web", "chart: charts/web\n      valuesFiles: [prod.yaml]"
    )
    (folder / "release.yaml").write_text(text)
    shown = build("release.yaml", "--source", ".", "--provenance", "-s", "templates/app.yaml")
    assert ".Values.image.name of prod.yaml:3:3 (valuesFiles)" in shown


def test_a_release_in_a_list_has_its_lines(build, folder):
    separator = "---\n"
    release, *others = MANIFESTS.split(separator)
    indented = release.replace("\n", "\n    ")
    (folder / "release.yaml").write_text(
        f"apiVersion: v1\nkind: List\nitems:\n  - {indented.strip()}\n---\n{separator.join(others)}"
    )
    assert "image.tag of release.yaml:24:11 (spec.values)" in build(
        "release.yaml", "--source", ".", "--provenance"
    )
