"""B7: a template that never ends, includes itself, or writes without end is stopped.

The worker that renders goes on with the charts after it, and so does everyone else.
"""

import contextlib
import time

import pytest

from fluvial.render.gotemplate import Budget, BudgetExceeded, TemplateError, Templates, sprig
from fluvial.render.helm import Chart, File, HelmError, Release, render

pytestmark = pytest.mark.faults

RANGE = "{{ range 9000000000000000000 }}{{ end }}"
NESTED = "{{ range 100000 }}{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}{{ end }}"
GROWING = (
    "{{ $s := dict `l` list }}{{ range 1000000000 }}{{ $_ := set $s `l` (append $s.l 1) }}{{ end }}"
)
INCLUDE = '{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}'
TWO = '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}'
TEMPLATE = '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}'
TPL = '{{ define "r" }}{{ tpl "{{ include \\"r\\" . }}" . }}{{ end }}{{ include "r" . }}'
GIGABYTE = '{{ range 1000000 }}{{ repeat 1000 "x" }}{{ end }}'
DOUBLING = '{{ $s := "x" }}{{ range 40 }}{{ $s = print $s $s }}{{ end }}{{ $s }}'
PADDED = '{{ range 100000 }}{{ printf "%10000000d" 1 }}{{ end }}'


def _render(template):
    chart = Chart({"apiVersion": "v2", "name": "c", "version": "1.0.0"})
    chart.templates = [File("templates/a.yaml", template.encode())]
    return render(chart, {}, Release(name="r"))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (INCLUDE, "a template that includes itself"),
        (TWO + '{{ include "a" . }}', "two templates that include each other"),
        (TEMPLATE, "a template that calls itself"),
        (TPL, "a template that evaluates itself"),
        (GIGABYTE, "a gigabyte of output"),
        (DOUBLING, "a value that doubles"),
        (PADDED, "widths of printf"),
    ],
)
def test_b7_what_grows_is_stopped_and_the_next_chart_renders(template, reason):
    start = time.monotonic()
    with pytest.raises(HelmError):
        _render(template)
    assert time.monotonic() - start < 60, reason
    assert "kind: ConfigMap" in _render("kind: ConfigMap\n").manifest


@pytest.mark.parametrize("template", [RANGE, NESTED, GROWING])
def test_b7_a_loop_without_end_uses_up_its_time(template):
    templates = Templates(sprig.functions())
    templates.add("t", template)
    start = time.monotonic()
    with pytest.raises(BudgetExceeded, match="took longer than 1 seconds") as caught:
        templates.execute("t", {}, budget=Budget(seconds=1))
    assert time.monotonic() - start < 10
    assert caught.value.line == 1, "the error names the place"
    templates.add("after", "{{ add 1 2 }}")
    assert templates.execute("after", {}) == "3"


def test_b7_the_budget_is_for_all_templates_of_a_release_together():
    texts = [File(f"templates/{n}.yaml", b'# {{ repeat 10000000 "x" }}\n') for n in range(20)]
    chart = Chart({"apiVersion": "v2", "name": "c", "version": "1.0.0"})
    chart.templates = texts
    with pytest.raises(HelmError, match="the output has more than"):
        render(chart, {}, Release(name="r"))


@pytest.mark.parametrize(
    "template",
    ["{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}", "{{ if 1 }}" * 50_000,
     "{{ print " + "1 " * 20_000 + "}}", "{{ if " * 1000, "{{/*" * 100_000,
     "{{ $x" + ".a" * 100_000 + " }}"],
    ids=["parentheses", "ifs", "arguments", "unclosed", "comments", "fields"],
)  # fmt: skip
def test_b7_a_text_made_to_break_the_parser_is_answered_soon(template):
    templates = Templates(sprig.functions())
    start = time.monotonic()
    with contextlib.suppress(TemplateError):
        templates.add("t", template)
        templates.execute("t", {}, budget=Budget(seconds=5))
    assert time.monotonic() - start < 20
