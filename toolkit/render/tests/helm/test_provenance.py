"""Where rendered fields come from: the template's line, and the values with theirs."""

import pytest

from fluvial.render.gotemplate import Templates, Trace
from fluvial.render.helm import (
    Chart,
    File,
    Release,
    blame,
    chart_origins,
    render,
    set_origins,
    values_origins,
)

DEFAULTS = """replicas: 2
image:
  name: web
  tag: v1
labels:
  team: a
  tier: back
env:
  - name: A
    value: one
  - name: B
    value: two
"""
HELPERS = """{{ define "labels" -}}
app: {{ .Chart.Name }}
team: {{ .Values.labels.team }}
{{- end }}
{{ define "image" }}{{ .Values.image.name }}:{{ .Values.image.tag }}{{ end }}
"""
DEPLOYMENT = """kind: Deployment
apiVersion: apps/v1
metadata:
  name: {{ .Release.Name }}-web
  labels:
    {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    {{- toYaml .Values.labels | nindent 4 }}
  template:
    image: {{ include "image" . | quote }}
    env:
    {{- range .Values.env }}
    - name: {{ .name }}
      value: {{ .value }}
    {{- end }}
    {{- $tag := .Values.image.tag }}
    {{- with .Values.image }}
    tag: {{ $tag }}
    name: {{ .name }}
    {{- end }}
    made: {{ tpl "{{ .Values.replicas }}" . }}
"""


def a_chart():
    chart = Chart({"apiVersion": "v2", "name": "web", "version": "1.0.0"})
    chart.values = {
        "replicas": 2.0,
        "image": {"name": "web", "tag": "v1"},
        "labels": {"team": "a", "tier": "back"},
        "env": [{"name": "A", "value": "one"}, {"name": "B", "value": "two"}],
    }
    chart.raw = [File("values.yaml", DEFAULTS.encode())]
    chart.templates = [
        File("templates/_helpers.tpl", HELPERS.encode()),
        File("templates/d.yaml", DEPLOYMENT.encode()),
    ]
    return chart


@pytest.fixture(scope="module")
def origins():
    done = render(a_chart(), {"image": {"tag": "v2"}}, Release(name="r"), provenance=True)
    user = values_origins("my.yaml", "image:\n  tag: v2\n", "-f")
    return blame(done, done.manifests[0], chart_origins(done.chart) | user)


@pytest.mark.parametrize(
    ("pointer", "place", "by", "reason"),
    [
        ("/kind", 1, "template", "text of the template"),
        ("/metadata/name", 4, "template", "an action that reads no values"),
        ("/spec/replicas", 8, ".Values.replicas of web/values.yaml:1:1", "a value of the defaults"),
        ("/metadata/labels/app", 6, "through web/templates/_helpers.tpl:2:9",
         "an included line without values, indented"),
        ("/metadata/labels/team", 6,
         ".Values.labels.team of web/values.yaml:6:3, through web/templates/_helpers.tpl:3:10",
         "an included line with a value"),
        ("/spec/selector/tier", 10, ".Values.labels.tier of web/values.yaml:7:3",
         "a field of a map that is printed whole"),
        ("/spec/template/image", 12,
         (".Values.image.name of web/values.yaml:3:3, .Values.image.tag of my.yaml:2:3, "
          "through web/templates/_helpers.tpl:5:49"), "a value of the user, and two in one line"),
        ("/spec/template/env/1/value", 16, ".Values.env.1.value of web/values.yaml:12:5",
         "an item of a range"),
        ("/spec/template/tag", 20, ".Values.image.tag of my.yaml:2:3", "through a variable"),
        ("/spec/template/name", 21, ".Values.image.name of web/values.yaml:3:3", "within with"),
        ("/spec/template/made", 23,
         ".Values.replicas of web/values.yaml:1:1, through gotpl:1:4", "through tpl"),
    ],
)  # fmt: skip
def test_a_field_leads_back(origins, pointer, place, by, reason):
    found = origins
    while pointer not in found:
        pointer = pointer.rpartition("/")[0]
    origin = found[pointer]
    assert (origin.file, origin.line, origin.by) == ("web/templates/d.yaml", place, by), reason


def test_output_is_the_same_with_provenance():
    plain = render(a_chart(), {}, Release(name="r"))
    assert render(a_chart(), {}, Release(name="r"), provenance=True).manifest == plain.manifest
    assert plain.traces == {}
    assert blame(plain, plain.manifests[0], {}) == {}


def test_values_of_a_flag_have_its_name():
    origins = set_origins({"a": {"b": [1]}}, "--set a.b={1}")
    assert {".".join(path): origin.file for path, origin in origins.items()} == {
        "a": "--set a.b={1}", "a.b": "--set a.b={1}", "a.b.0": "--set a.b={1}"
    }  # fmt: skip


def test_values_of_a_subchart_have_their_path_in_the_parent():
    parent, child = a_chart(), a_chart()
    child.metadata["name"] = "sub"
    parent.templates = []
    parent.subcharts = [child]
    done = render(parent, {"sub": {"replicas": 5}}, Release(name="r"), provenance=True)
    user = set_origins({"sub": {"replicas": 5}}, "--set sub.replicas=5")
    found = blame(done, done.manifests[0], chart_origins(done.chart) | user)
    assert found["/spec/replicas"].by == ".Values.sub.replicas of --set sub.replicas=5"


def test_a_trace_keeps_one_origin_for_each_line():
    trace = Trace()
    templates = Templates(trace=trace)
    templates.add("t", "a\n{{ if .x }}b{{ .x }}\n{{ end }}\n\nc {{ range .l }}{{ . }}\n{{ end }}")
    data = {"x": 1, "l": [1, 2]}
    trace.know(data)
    assert templates.execute("t", data) == "a\nb1\n\n\nc 1\n2\n"
    assert [(line.place.line, line.reads) for line in trace.lines] == [
        (1, ()), (2, (("x",),)), (3, ()), (4, ()), (5, (("l", "0"),)), (5, (("l", "1"),)),
    ]  # fmt: skip
