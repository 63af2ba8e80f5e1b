"""`fluvial build helm --provenance`: from a field to its template and to the values behind it."""

import json

import pytest

from fluvial.cli.main import main

CHART = {
    "Chart.yaml": """apiVersion: v2
name: shop
version: 1.0.0
dependencies: [{name: cache, version: 1.0.0, repository: ""}]
""",
    "values.yaml": "replicas: 1\nimage:\n  name: shop\n  tag: v1\nglobal:\n  zone: east\n"
    "cache:\n  memory: 64Mi\n",
    "templates/_names.tpl": '{{ define "image" }}{{ .Values.image.name }}:{{ .Values.image.tag }}'
    "{{ end }}\n",
    "templates/app.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  image: {{ include "image" . }}
  note: {{ .Values.note }}
  {{- if .Values.debug }}
  debug: true
  {{- end }}
""",
    "templates/hook.yaml": "kind: Job\nmetadata:\n  name: j\n  annotations:\n"
    '    helm.sh/hook: {{ .Values.when | default "test" }}\n',
    "charts/cache/Chart.yaml": "{apiVersion: v2, name: cache, version: 1.0.0}\n",
    "charts/cache/values.yaml": "memory: 32Mi\ncpu: 1\n",
    "charts/cache/templates/c.yaml": "kind: Cache\nmemory: {{ .Values.memory }}\n"
    "cpu: {{ .Values.cpu }}\nzone: {{ .Values.global.zone }}\n",
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name, text in CHART.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "base.yaml").write_text("image:\n  tag: v2\nreplicas: 2\n")
    (tmp_path / "prod.yaml").write_text("# of production\nimage: {tag: v3}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build(capsys, *flags):
    status = main(["build", "helm", "web", "shop", *flags])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return printed.out


ORIGINS = """\
# Source: shop/templates/app.yaml
apps/v1 Deployment web
  /apiVersion: shop/templates/app.yaml:1:1
  /kind: shop/templates/app.yaml:2:1
  /metadata/name: shop/templates/app.yaml:4:12
  /spec/replicas: shop/templates/app.yaml:6:16, .Values.replicas of --set replicas
  /spec/image: shop/templates/app.yaml:7:13, .Values.image.name of shop/values.yaml:3:3 \
(defaults), .Values.image.tag of prod.yaml:2:9 (-f), through shop/templates/_names.tpl:1:49
  /spec/note: shop/templates/app.yaml:8:12, .Values.note of --set-file note
  /spec/debug: shop/templates/app.yaml:10:1, if .Values.debug of --set-json debug
# Source: shop/charts/cache/templates/c.yaml
Cache
  /kind: shop/charts/cache/templates/c.yaml:1:1
  /memory: shop/charts/cache/templates/c.yaml:2:12, .Values.cache.memory of shop/values.yaml:8:3 \
(defaults)
  /cpu: shop/charts/cache/templates/c.yaml:3:9, .Values.cache.cpu of --set cache.cpu
  /zone: shop/charts/cache/templates/c.yaml:4:10, .Values.global.zone of --set-string global.zone
# Source: shop/templates/hook.yaml
Job j
  /kind: shop/templates/hook.yaml:1:1
  /metadata/name: shop/templates/hook.yaml:3:1
  /metadata/annotations/helm.sh~1hook: shop/templates/hook.yaml:5:22, .Values.when (not set)
"""


def test_every_field_leads_to_its_template_and_values(capsys):
    flags = ["-f", "base.yaml", "-f", "prod.yaml", "--set", "replicas=5,cache.cpu=2",
             "--set-file", "note=note.txt", "--set-json", '{"debug": true}',
             "--set-string", "global.zone=west"]  # fmt: skip
    assert build(capsys, "--provenance", *flags) == ORIGINS


def test_programs_get_a_line_of_json_for_each_document(capsys):
    lines = build(capsys, "--provenance=json", "-f", "base.yaml", "--no-hooks").splitlines()
    documents = [json.loads(line) for line in lines]
    assert [one["kind"] for one in documents] == ["Deployment", "Cache"]
    assert documents[0]["name"] == "web"
    assert documents[0]["fields"]["/spec/replicas"] == {
        "template": "shop/templates/app.yaml:6:16",
        "values": [
            {"path": ".Values.replicas", "from": "base.yaml", "line": 3, "column": 1, "by": "-f"}
        ],
        "through": [],
        "conditions": [],
    }
    (note,) = documents[0]["fields"]["/spec/note"]["values"]
    assert note == {"path": ".Values.note", "from": None}


def test_a_secret_on_the_command_line_is_not_shown(capsys):
    assert "hunter2" not in build(capsys, "--provenance", "--set", "note=hunter2")


def test_one_template_is_chosen(capsys):
    shown = build(capsys, "--provenance", "-s", "templates/app.yaml", "--skip-tests")
    assert shown.startswith("# Source: shop/templates/app.yaml\n")
    assert shown.count("# Source") == 1
    assert main(["build", "helm", "web", "shop", "--provenance", "-s", "templates/none.yaml"]) == 1
    assert "could not find template templates/none.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--provenance=xml"], "--provenance: 'xml' is none of text, json"),
        (["--provenance", "--output-dir", "out"], "--output-dir does not go with --provenance"),
        (["--provenance", "--include-crds"], "--include-crds does not go with --provenance"),
    ],
)
def test_what_does_not_go_together_is_refused(capsys, flags, message):
    assert main(["build", "helm", "web", "shop", *flags]) == 1
    assert message in capsys.readouterr().err
