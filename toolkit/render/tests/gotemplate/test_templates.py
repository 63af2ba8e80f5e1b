"""The set of templates: definitions, objects, re-entrance, and the limits of an execution."""

import pytest

from fluvial.render.gotemplate import (
    Budget,
    BudgetExceeded,
    FunctionError,
    StringMap,
    TemplateError,
    Templates,
    TemplateSyntaxError,
    sprig,
)


def render(text, data=None, **options):
    templates = Templates(sprig.functions(), **options)
    templates.add("t", text)
    return templates.execute("t", data)


class Files(dict):
    """A map with methods, as Helm's .Files."""

    go_type = "engine.files"

    @property
    def go_methods(self):
        return {"Get": self.read, "Fail": self.refuse}

    def read(self, path: str) -> str:
        return self.get(path, b"").decode()

    def refuse(self):
        raise FunctionError("no")


class Struct:
    go_type = "*chart.Thing"

    def __init__(self):
        self.go_fields = {"Name": "n", "Call": lambda word: f"called {word}"}

    def __str__(self):
        return "a thing"


@pytest.mark.parametrize(
    ("template", "expected", "reason"),
    [
        ('{{ .Files.Get "a" }}', "text", "a method takes arguments"),
        ('{{ "a" | .Files.Get }}', "text", "the piped value is a method's last argument"),
        ('{{ (.Files.Get "nope") | default "d" }}', "d", "a method's result goes on in a pipeline"),
        ('{{ with .Files }}{{ .Get "a" }}{{ end }}', "text", "methods are found on dot"),
        ("{{ range $k, $v := .Files }}{{ $k }}{{ end }}", "a", "and the map is still a map"),
        ("{{ index .Files `a` }}", "[116 101 120 116]", "bytes print as numbers"),
        ("{{ .Files.a | toString }}", "text", "and are text when asked"),
        ("{{ .Thing.Name }} {{ .Thing }}", "n a thing", "a struct has fields and prints itself"),
        ('{{ call .Thing.Call "me" }}', "called me", "a field that is a function is called"),
        ("{{ if .Thing }}yes{{ end }}", "yes", "a struct is true"),
        ("{{ typeOf .Thing }} {{ kindOf .Thing }}", "*chart.Thing ptr", "a struct has its type"),
    ],
)
def test_objects(template, expected, reason):
    data = {"Files": Files(a=b"text"), "Thing": Struct()}
    assert render(template, data) == expected, reason


@pytest.mark.parametrize(
    ("template", "message", "reason"),
    [
        ("{{ .Thing.Nope }}", "can't evaluate field Nope in type interface {}", "no such field"),
        ("{{ .Thing.Name 1 }}", "Name has arguments but cannot be invoked as function", "no call"),
        ("{{ .Files.Get 1 }}", "expected string; found 1", "a method's arguments have types"),
        ("{{ .Files.Get }}", "wrong number of args for Get: want 1 got 0", "and a number"),
        ("{{ .Files.Fail }}", "error calling Fail: no", "a method may fail"),
    ],
)
def test_objects_refuse(template, message, reason):
    with pytest.raises(TemplateError) as caught:
        render(template, {"Files": Files(), "Thing": Struct()})
    assert caught.value.detail == message, reason


@pytest.mark.parametrize(
    ("missing", "template", "expected"),
    [
        ("zero", "{{ .a }}", "<no value>"),
        ("default", "{{ .a }}{{ .a.b.c }}", "<no value><no value>"),
        ("zero", "{{ .strings.a }}", ""),
        ("default", "{{ .strings.a }}", "<no value>"),
    ],
)
def test_missing_keys(missing, template, expected):
    assert render(template, {"strings": StringMap()}, missing=missing) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ .a }}", 'map has no entry for key "a"'),
        ("{{ (coalesce nil).a }}", 'nil data; no entry for key "a"'),
    ],
)
def test_missing_keys_as_errors(template, message):
    with pytest.raises(TemplateError) as caught:
        render(template, {}, missing="error")
    assert caught.value.detail == message


def test_an_error_knows_its_place():
    with pytest.raises(TemplateError) as caught:
        render("one\ntwo {{ .a.b }}", {})
    error = caught.value
    assert (error.name, error.line, error.column) == ("t", 2, 9)
    assert str(error) == (
        'template: t:2:9: executing "t" at <.a.b>: nil pointer evaluating interface {}.b'
    )


def test_an_error_in_a_definition_points_into_its_file():
    templates = Templates()
    templates.add("helpers.tpl", 'x\n{{ define "deep" }}{{ .a.b }}{{ end }}')
    templates.add("main", '{{ template "deep" . }}')
    with pytest.raises(TemplateError, match=r'helpers\.tpl:2:24: executing "deep" at'):
        templates.execute("main", {})


@pytest.mark.parametrize(
    ("texts", "expected", "reason"),
    [
        (["{{define `x`}}1{{end}}", "{{define `x`}}2{{end}}"], "2", "the later one holds"),
        (["{{define `x`}}1{{end}}", "{{define `x`}} \n{{end}}"], "1", "an empty one replaces none"),
        (["{{define `x`}}{{end}}", "{{define `x`}}2{{end}}"], "2", "and is replaced"),
        (["{{block `x` 1}}b{{end}}", "{{define `x`}}2{{end}}"], "2", "a block is a definition"),
    ],
)
def test_definitions(texts, expected, reason):
    templates = Templates()
    for number, text in enumerate(texts):
        templates.add(f"file{number}", text)
    assert templates.execute("x", None) == expected, reason


def test_a_copy_keeps_its_definitions_to_itself():
    templates = Templates()
    templates.add("a", "{{ define `x` }}1{{ end }}")
    copied = templates.copy()
    copied.add("b", "{{ define `x` }}2{{ end }}")
    assert (templates.execute("x", 0), copied.execute("x", 0)) == ("1", "2")
    assert "b" in copied
    assert "b" not in templates
    assert list(templates) == ["x", "a"]


def test_an_unknown_template_is_named():
    with pytest.raises(TemplateError, match='no template "y" associated with template "gotpl"'):
        Templates().execute("y", None)


def test_an_unknown_function_is_found_when_the_text_is_added():
    with pytest.raises(TemplateSyntaxError, match='template: t:2: function "nope" not defined'):
        Templates().add("t", "\n{{ if false }}{{ nope 1 }}{{ end }}")


def test_functions_execute_templates_and_errors_nest():
    def include(name: str, data):
        return templates.execute(name, data)

    templates = Templates({"include": include})
    templates.add("t", '{{ define "in" }}<{{ .a.b }}>{{ end }}{{ include "in" . }}')
    assert templates.execute("t", {"a": {"b": "x"}}) == "<x>"
    with pytest.raises(TemplateError) as caught:
        templates.execute("t", {})
    assert caught.value.detail == (
        'error calling include: template: t:1:23: executing "in" at <.a.b>: '
        "nil pointer evaluating interface {}.b"
    )


@pytest.mark.parametrize(
    ("template", "limits", "message"),
    [
        ("{{ range until 100000 }}xxxxxxxxxx{{ end }}", {"size": 1000}, "more than 1000 char"),
        ("{{ range until 100000 }}{{ end }}", {"steps": 500}, "more than 500 steps"),
        ("{{ range 1000000000000 }}{{ end }}", {"steps": 100_000}, "more than 100000 steps"),
        ('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', {}, "deeper than 1000"),
        ('{{ define "i" }}{{ include "i" . }}{{ end }}{{ include "i" . }}', {"depth": 50},
         "deeper than 50"),
        ('{{ $s := "x" }}{{ range 60 }}{{ $s = print $s $s }}{{ end }}', {"size": 10_000},
         "a value has more than 10000"),
        ("{{ $l := list 1 }}{{ range 60 }}{{ $l = concat $l $l }}{{ end }}", {"size": 10_000},
         "a value has more than 10000"),
    ],
)  # fmt: skip
def test_a_budget_stops_what_does_not_end(template, limits, message):
    def include(name: str, data):
        return templates.execute(name, data)

    templates = Templates({**sprig.functions(), "include": include})
    templates.add("t", template)
    with pytest.raises(BudgetExceeded, match=message) as caught:
        templates.execute("t", {}, budget=Budget(**limits))
    assert caught.value.line == 1, "the error has a place"
    templates.add("after", "fine")
    assert templates.execute("after", None) == "fine", "the set is usable afterwards"


def test_time_is_part_of_the_budget():
    seconds = iter(range(100_000))
    budget = Budget(seconds=5, clock=lambda: float(next(seconds)))
    templates = Templates()
    templates.add("t", "{{ range 100000000 }}{{ end }}")
    with pytest.raises(BudgetExceeded, match="longer than 5 seconds"):
        templates.execute("t", None, budget=budget)


@pytest.mark.parametrize(
    "call",
    ['{{ repeat 2000000000 "a" }}', "{{ until 2000000000 }}", '{{ indent 100000000 "a" }}',
     "{{ randAlphaNum 100000000 }}", "{{ randBytes 1000000000 }}"],
)  # fmt: skip
def test_one_call_cannot_take_all_memory(call):
    with pytest.raises(TemplateError):
        render(call)


@pytest.mark.parametrize("shown", ["{{ $d }}", "{{ mustToJson $d }}", '{{ printf "%v" $d }}',
                                   "{{ quote $d }}"])  # fmt: skip
def test_a_map_that_holds_itself_is_refused(shown):
    with pytest.raises(TemplateError):
        render('{{ $d := dict }}{{ $_ := set $d "self" $d }}' + shown)


def test_deep_nesting_is_a_syntax_error():
    with pytest.raises(TemplateSyntaxError, match="max expression depth exceeded"):
        Templates().add("t", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")


def test_characters_cut_in_two_do_not_reach_the_output():
    assert render('{{ trunc 2 "hé" }}|{{ trunc 2 "hé" | b64enc }}') == "h\ufffd|aMM="
