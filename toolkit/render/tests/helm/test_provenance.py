"""Where rendered fields come from: the template's line, and the values with theirs."""

import pytest

from fluvial.render.gotemplate import Templates, Trace
from fluvial.render.helm import Release, ValueLayers, blame, explain, load_chart, render
from fluvial.render.kustomize import MemoryTree
from fluvial.render.objects import Provenance

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
ports:
  "http-main": 80
made: "{{ .Values.replicas }}"
base: &base
  deep:
    cpu: 1
derived:
  <<: *base
"""
HELPERS = """{{ define "labels" -}}
app: {{ .Chart.Name }}
team: {{ .Values.labels.team }}
{{- end }}
{{ define "image" }}{{ .Values.image.name }}:{{ .Values.image.tag }}{{ end }}
{{ define "spec" }}
  extra: {{ .replicas }}{{ end }}
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
    made: {{ tpl .Values.made . }}
    port: {{ index .Values.ports "http-main" }}
    got: {{ (get .Values "image").tag }}
    dug: {{ dig "name" "none" .Values.image }}
    text: |
      {{- range $key, $value := .Values.labels }}
      {{ $key }} is {{ $value }}
      {{- end }}
    {{- if .Values.debug }}
    debug: on
    {{- else if eq .Values.labels.team "a" }}
    team: its
    {{- end }}
    cpu: {{ .Values.derived.deep.cpu }}
    missing: {{ .Values.image.digest | default "none" }}
    {{- template "spec" .Values }}
"""


def tree(files):
    return load_chart(MemoryTree(files))


def a_chart():
    return tree({
        "Chart.yaml": "{apiVersion: v2, name: web, version: 1.0.0}",
        "values.yaml": DEFAULTS,
        "templates/_helpers.tpl": HELPERS,
        "templates/d.yaml": DEPLOYMENT,
    })  # fmt: skip


@pytest.fixture(scope="module")
def fields():
    done = render(a_chart(), {"image": {"tag": "v2"}}, Release(name="r"), provenance=True)
    layers = ValueLayers()
    layers.add_chart(done.chart)
    layers.add_file("my.yaml", "image:\n  tag: v2\n", "-f")
    return explain(done, done.manifests[0], layers.origins)


@pytest.mark.parametrize(
    ("pointer", "expected", "reason"),
    [
        ("/kind", "d.yaml:1:1", "text of the template"),
        ("/metadata/name", "d.yaml:4:12", "an action that reads no values"),
        ("/spec/replicas", "d.yaml:8:16, .Values.replicas of web/values.yaml:1:1 (defaults)",
         "a value of the defaults"),
        ("/metadata/labels/app", "d.yaml:6:9, through _helpers.tpl:2:9",
         "an included line without values, indented"),
        ("/metadata/labels/team",
         ("d.yaml:6:9, .Values.labels.team of web/values.yaml:6:3 (defaults), "
          "through _helpers.tpl:3:10"), "an included line with a value"),
        ("/spec/selector/tier",
         "d.yaml:10:9, .Values.labels.tier of web/values.yaml:7:3 (defaults)",
         "a field of a map that is printed whole"),
        ("/spec/template/image",
         ("d.yaml:12:15, .Values.image.name of web/values.yaml:3:3 (defaults), "
          ".Values.image.tag of my.yaml:2:3 (-f), through _helpers.tpl:5:49"),
         "a value of the user, and two in one line"),
        ("/spec/template/env/1/value",
         ("d.yaml:16:17, .Values.env[1].value of web/values.yaml:12:5 (defaults), "
          "if .Values.env of web/values.yaml:8:1 (defaults)"), "an item of a range"),
        ("/spec/template/tag",
         ("d.yaml:20:13, .Values.image.tag of my.yaml:2:3 (-f), "
          "if .Values.image of my.yaml:1:1 (-f)"), "through a variable, within `with`"),
        ("/spec/template/made",
         ("d.yaml:23:14, .Values.made of web/values.yaml:15:1 (defaults), "
          ".Values.replicas of web/values.yaml:1:1 (defaults), through gotpl:1:4"),
         "a text given to tpl, and what that reads"),
        ("/spec/template/port",
         'd.yaml:24:14, .Values.ports."http-main" of web/values.yaml:14:3 (defaults)',
         "what index finds"),
        ("/spec/template/got", "d.yaml:25:13, .Values.image.tag of my.yaml:2:3 (-f)",
         "a field of what get finds"),
        ("/spec/template/dug",
         "d.yaml:26:13, .Values.image.name of web/values.yaml:3:3 (defaults)", "what dig finds"),
        ("/spec/template/text",
         ("d.yaml:27:1, .Values.labels.team of web/values.yaml:6:3 (defaults), "
          ".Values.labels.tier of web/values.yaml:7:3 (defaults), "
          "if .Values.labels of web/values.yaml:5:1 (defaults)"), "every line of a text counts"),
        ("/spec/template/team",
         ("d.yaml:34:1, if .Values.debug (not set), "
          "if .Values.labels.team of web/values.yaml:6:3 (defaults)"),
         "what all the branches before asked, set or not"),
        ("/spec/template/cpu",
         "d.yaml:36:13, .Values.derived.deep.cpu of web/values.yaml:16:7 (defaults)",
         "what comes from a merge key has its place"),
        ("/spec/template/missing", "d.yaml:37:17, .Values.image.digest (not set)",
         "a value that nothing sets, in a map that is set"),
        ("/spec/extra",
         ("d.yaml:38:9, .Values.replicas of web/values.yaml:1:1 (defaults), "
          "through _helpers.tpl:7:13"),
         "what `template` writes in place"),
    ],
)  # fmt: skip
def test_a_field_leads_back(fields, pointer, expected, reason):
    assert str(fields[pointer]).replace("web/templates/", "") == expected, reason


def test_every_field_has_an_origin(fields):
    assert set(fields) >= {"", "/kind", "/metadata", "/spec/template/env/0", "/spec/template/text"}


def test_the_common_form_has_only_where_an_origin_starts():
    done = render(a_chart(), {}, Release(name="r"), provenance=True)
    layers = ValueLayers()
    layers.add_chart(done.chart)
    starts = blame(done, done.manifests[0], layers.origins)
    found = Provenance(starts)
    assert found["/spec/replicas"][:3] == ("web/templates/d.yaml", 8, 16)
    assert found["/spec/replicas"].by == ".Values.replicas of web/values.yaml:1:1 (defaults)"
    assert found["/kind"].by == "template"
    assert found["/spec/template/env/1/value"].line == 16
    assert "/kind" not in starts


def test_output_is_the_same_with_provenance():
    plain = render(a_chart(), {}, Release(name="r"))
    assert render(a_chart(), {}, Release(name="r"), provenance=True).manifest == plain.manifest
    assert plain.traces == {}
    assert explain(plain, plain.manifests[0], {}) == {}


@pytest.fixture(scope="module")
def family():
    """Render a parent with two children, one under an alias that hands values up."""
    done = render(
        tree({
            "Chart.yaml": """apiVersion: v2
name: top
version: 1.0.0
dependencies:
- {name: low, version: 1.0.0, repository: ""}
- {name: low, version: 1.0.0, repository: "", alias: twin, import-values: [data,
   {child: exports.own, parent: taken}]}
""",
            "values.yaml": "global: {zone: east}\nlow:\n  size: 3\nlocal: 1\n",
            "templates/t.yaml": "kind: T\ngot: {{ .Values.shared }}\nlocal: {{ .Values.local }}\n"
            "taken: {{ .Values.taken.x }}\nlow: {{ .Values.low.size }}\n",
            "charts/low/Chart.yaml": "{apiVersion: v2, name: low, version: 1.0.0}",
            "charts/low/values.yaml": "size: 1\ncolour: red\nglobal:\n  region: r\n"
            "exports:\n  data:\n    shared: 5\n    local: 6\n  own:\n    x: 7\n",
            "charts/low/templates/l.yaml": "kind: L\nsize: {{ .Values.size }}\n"
            "colour: {{ .Values.colour }}\nzone: {{ .Values.global.zone }}\n"
            "region: {{ .Values.global.region }}\nname: {{ .Values.global.name }}\n",
        }),
        {"twin": {"colour": "blue"}, "global": {"name": "n"}},
        Release(name="r"),
        provenance=True,
    )  # fmt: skip
    layers = ValueLayers()
    layers.add_chart(done.chart)
    layers.add_values({"twin": {"colour": "blue"}, "global": {"name": "n"}}, "--set")
    return {
        manifest.path: {
            pointer: "; ".join(map(str, field.values))
            for pointer, field in explain(done, manifest, layers.origins).items()
        }
        for manifest in done.manifests
    }


@pytest.mark.parametrize(
    ("path", "pointer", "source", "reason"),
    [
        ("charts/low/templates/l.yaml", "/size", ".Values.low.size of top/values.yaml:3:3",
         "a parent's default for its subchart"),
        ("charts/low/templates/l.yaml", "/colour",
         ".Values.low.colour of top/charts/low/values.yaml:2:1", "the subchart's own default"),
        ("charts/twin/templates/l.yaml", "/colour", ".Values.twin.colour of --set twin.colour",
         "a value of the user under the alias"),
        ("charts/twin/templates/l.yaml", "/size",
         ".Values.twin.size of top/charts/twin/values.yaml:1:1", "a default under the alias"),
        ("charts/low/templates/l.yaml", "/zone", ".Values.global.zone of top/values.yaml:1:10",
         "a global of the parent"),
        ("charts/low/templates/l.yaml", "/region",
         ".Values.low.global.region of top/charts/low/values.yaml:4:3", "a global of its own"),
        ("charts/low/templates/l.yaml", "/name", ".Values.global.name of --set global.name",
         "a global of the user"),
        ("templates/t.yaml", "/got", ".Values.shared of top/charts/twin/values.yaml:7:5",
         "what a subchart exports"),
        ("templates/t.yaml", "/taken", ".Values.taken.x of top/charts/twin/values.yaml:10:5",
         "what is imported to another place"),
        ("templates/t.yaml", "/local", ".Values.local of top/values.yaml:4:1",
         "the parent's own default wins over what it imports"),
        ("templates/t.yaml", "/low", ".Values.low.size of top/values.yaml:3:3",
         "a parent that reads its subchart's values"),
    ],
)  # fmt: skip
def test_values_of_subcharts(family, path, pointer, source, reason):
    found = family[f"top/{path}"][pointer].replace(" (defaults)", "")
    assert found == source, reason


@pytest.mark.parametrize(
    ("add", "expected", "reason"),
    [
        (lambda layers: layers.add_values({"a": {"b": 2}}, "--set"),
         {"a": "low:1:1", "a.b": "--set a.b", "a.c": "low:3:3", "l": "low:4:1", "l.0.x": "low:5:5",
          "l.0": "low:5:5", "l.1": "low:6:5"}, "a single value"),
        (lambda layers: layers.add_values({"l": [None, "y"]}, "--set"),
         {"a": "low:1:1", "a.b": "low:2:3", "a.c": "low:3:3", "l": "low:4:1", "l.0.x": "low:5:5",
          "l.0": "low:5:5", "l.1": "--set l.1"}, "one item of a list"),
        (lambda layers: layers.add_values({"a": None}, "--set"),
         {"a": "--set a", "l": "low:4:1", "l.0.x": "low:5:5", "l.0": "low:5:5", "l.1": "low:6:5"},
         "a null takes what is below it with it"),
        (lambda layers: layers.add_file("top", "l: [1]\na: {b: 1}", "-f"),
         {"a": "top:2:1", "a.b": "top:2:5", "a.c": "low:3:3", "l": "top:1:1", "l.0": "top:1:5"},
         "a list replaces the list, a map merges"),
        (lambda layers: layers.add_file("ConfigMap a/b: v", "a: {c: 0}\n---\na: 1", "valuesFrom"),
         {"a": "ConfigMap a/b: v:3:1", "l": "low:4:1", "l.0.x": "low:5:5", "l.0": "low:5:5",
          "l.1": "low:6:5"}, "the documents of a file in their order"),
    ],
)  # fmt: skip
def test_layers_cover_each_other_as_values_do(add, expected, reason):
    layers = ValueLayers()
    layers.add_file("low", "a:\n  b: 1\n  c: 2\nl:\n  - x: 1\n  - 2\n", "-f")
    add(layers)
    found = {
        ".".join(path): str(origin).rpartition(" (")[0] for path, origin in layers.origins.items()
    }
    assert found == expected, reason


def test_a_document_is_found_among_others_that_begin_alike():
    text = (
        "kind: A\nx: {{ .Values.x }}\n---\n{{/* c */}}\nkind: A\n---\nkind: A\ny: {{ .Values.y }}\n"
    )
    chart = tree({"Chart.yaml": "{name: c, version: 1.0.0}", "templates/a.yaml": text})
    done = render(chart, {"x": 1, "y": 2}, Release(name="r"), provenance=True)
    lines = [explain(done, manifest, {})["/kind"].place.line for manifest in done.manifests]
    assert lines == [1, 5, 7]


def test_a_trace_keeps_one_origin_for_each_line():
    trace = Trace()
    templates = Templates(trace=trace)
    templates.add("t", "a\n{{ if .x }}b{{ .x }}\n{{ end }}\n\nc {{ range .l }}{{ . }}\n{{ end }}")
    data = {"x": 1, "l": [1, 2]}
    trace.know(data)
    assert templates.execute("t", data) == "a\nb1\n\n\nc 1\n2\n"
    assert [(line.place.line, line.reads, line.under) for line in trace.lines] == [
        (1, (), ()), (2, (("x",),), (("x",),)), (3, (), ()), (4, (), ()),
        (5, (("l", "0"),), (("l",),)), (5, (("l", "1"),), (("l",),)),
    ]  # fmt: skip


def test_what_a_condition_reads_is_not_read_by_the_template_within():
    text = 'kind: A\n{{ if .Values.x }}b: {{ template "t" . }}{{ end }}\n{{ define "t" }}c{{ end }}'
    chart = tree({"Chart.yaml": "{name: c, version: 1.0.0}", "templates/a.yaml": text})
    done = render(chart, {"x": 1}, Release(name="r"), provenance=True)
    (manifest,) = done.manifests
    found = explain(done, manifest, {})["/b"]
    assert (found.values, [source.name for source in found.conditions]) == ((), [".Values.x"])
    assert str(found.place) == "c/templates/a.yaml:2:25"
