"""Random templates: whatever lexer, parser and executor are given, only TemplateError comes back.

Each example has a small budget, so that one that would not end fails the test instead of hanging.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.gotemplate import Budget, TemplateError, Templates, sprig
from fluvial.render.gotemplate._actions import form_of
from fluvial.render.gotemplate._format import sprintf
from fluvial.render.gotemplate._parse import parse

pytestmark = pytest.mark.fuzz
FUNCTIONS = sprig.functions()
FRAGMENTS = [
    "{{", "}}", "{{-", "-}}", " -}}", "{{- ", "{{/*", "*/}}", "/*", "(", ")", "|", ":=", "=",
    ",", ".", "..", "$", "$x", "$x.a", ".a", ".a.b", '"', "'", "`", '"s"', "'c'", "`r`", "\\",
    "\n", "\t", " ", "0", "1", "-1", "+", "-", "1.5", "1e3", "0x1p-2", "1i", "1+2i", "07", "true",
    "false", "nil", "if", "else", "end", "range", "with", "define", "template", "block", "break",
    "continue", "print", "printf", "len", "index", "eq", "and", "or", "not", "nope", "é",
    "\x00", "\udcff",
    "{{ end }}", "{{ else }}", "{{ if .a }}", "{{ range .l }}", "{{ with .m }}", '{{ define "t" }}',
    '{{ template "t" . }}', "{{ $x := .a }}", "{{ break }}",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=30).map(
    "".join
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from("abml") | st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)
NAMES = [
    "print", "printf", "println", "len", "index", "slice", "eq", "ne", "lt", "le", "gt", "ge",
    "and", "or", "not", "call", "html", "js", "urlquery", "list", "dict", "default", "add", "trunc",
    "upper", "quote", "toJson", "until", "kindOf", "first", "join", "has", "get", "set", "merge",
    "ternary",
]  # fmt: skip
OPERANDS = st.deferred(
    lambda: st.one_of(
        st.sampled_from(
            [".", "$", ".a", ".b", ".m.a", ".l", ".a.b.c", "$.m", "nil", "true", "1", "-2", "0.5",
             "1i", "'x'", '"%v"', '"%d %s"', '"%[2]*.1f"', '""', "`a`", "(dict)", "(list 1 nil)"]
        ),
        PIPELINES.map(lambda text: f"({text})"),
    )
)  # fmt: skip
COMMANDS = st.one_of(
    OPERANDS,
    st.tuples(st.sampled_from(NAMES), st.lists(OPERANDS, max_size=3)).map(
        lambda call: " ".join([call[0], *call[1]])
    ),
)
PIPELINES = st.lists(COMMANDS, min_size=1, max_size=3).map(" | ".join)
BODIES = st.deferred(lambda: st.lists(STEPS, max_size=3).map("".join))
STEPS = st.one_of(
    st.sampled_from(["text", " \n ", "{{ break }}", "{{ continue }}", '{{ template "t" . }}']),
    PIPELINES.map(lambda pipe: f"{{{{ {pipe} }}}}"),
    PIPELINES.map(lambda pipe: f"{{{{- $v := {pipe} -}}}}{{{{ $v }}}}"),
    st.tuples(
        st.sampled_from(["if", "with", "range", "range $i, $e :="]), PIPELINES, BODIES, BODIES
    ).map(lambda it: f"{{{{ {it[0]} {it[1]} }}}}{it[2]}{{{{ else }}}}{it[3]}{{{{ end }}}}"),
)  # fmt: skip


def _run(text, data):
    templates = Templates(FUNCTIONS)
    try:
        templates.add("t", text)
        return templates.execute(
            "t", data, budget=Budget(size=200_000, steps=20_000, seconds=10, depth=30)
        )
    except TemplateError as error:
        return str(error)


@given(TEXTS)
def test_any_text_parses_or_is_refused_with_its_line(text):
    line = 1
    try:
        parse("t", text)
    except TemplateError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1


@given(TEXTS)
def test_any_action_has_a_form(source):
    form = form_of(source, closed=False)
    assert form.problem is None or 0 <= form.problem.pos <= len(source)


@given(TEXTS, VALUES)
def test_any_text_executes_or_fails(text, data):
    _run(text, data)


@given(BODIES, VALUES)
def test_any_program_executes_or_fails(text, data):
    _run(text, {"a": data, "b": 1.5, "m": {"a": data}, "l": [data, 1, "x"]})


@given(BODIES, VALUES)
def test_executing_twice_gives_the_same(text, data):
    assert _run(text, data) == _run(text, data)


@given(
    st.lists(
        st.one_of(st.sampled_from([*"%+-# 0.*[]123vTtsqxXdboOcUeEfFgGp", "[1]", "%[2]", "é"])),
        max_size=12,
    ).map("".join),
    st.lists(VALUES, max_size=3),
)
def test_any_format_prints(form, values):
    assert isinstance(sprintf(form, values), str)
