"""Random templates: documents whose fields are actions, conditions, loops and includes."""

from typing import Any

from chart_expressions import Scope, call, expression, operand
from hypothesis import strategies as st

DOCUMENT_KINDS = [
    "ConfigMap",
    "Secret",
    "Service",
    "Deployment",
    "Job",
    "Ingress",
    "Role",
    "Widget",
]
HOOKS = ["pre-install", "post-install,pre-upgrade", "test", "unknown", "post-delete"]
SIMPLE = ["text", "int", "number", "bool"]
WHOLE = ["list", "words", "table", "any"]

HELPERS = """\
{{/* Partials that every generated chart may include. */}}
{{- define "text" -}}
{{ .Release.Name }}-{{ .Chart.Name | trunc 20 | trimSuffix "-" }}
{{- end -}}
{{- define "pick" -}}
{{- if kindIs "map" . }}{{ range $k, $v := . }}{{ $k }}={{ $v }};{{ end }}
{{- else if kindIs "slice" . }}{{ range . }}<{{ . }}>{{ else }}none{{ end }}
{{- else }}{{ . | default "nothing" }}{{ end -}}
{{- end -}}
"""


@st.composite
def field(draw: st.DrawFn, scope: Scope, key: str, pad: str) -> str:
    """Make a mapping entry whose value an action writes."""
    form = draw(st.integers(0, 7))
    if form <= 2:
        value = draw(expression(scope, draw(st.sampled_from([*SIMPLE, *WHOLE]))))
        writer = draw(st.sampled_from(["quote", "toJson", "toString | quote", "squote"]))
        return f"{pad}{key}: {{{{ {value} | {writer} }}}}\n"
    if form == 3:
        value = draw(operand(scope, draw(st.sampled_from(WHOLE)), 2))
        return f"{pad}{key}: {{{{- toYaml {value} | nindent {len(pad) + 2} }}}}\n"
    if form == 4:
        kind = draw(st.sampled_from(["int", "number", "bool"]))
        return f"{pad}{key}: {{{{ {draw(expression(scope, kind))} }}}}\n"
    if form == 5:
        body = draw(expression(scope, draw(st.sampled_from(SIMPLE))))
        return f"{pad}{key}: |\n{pad}  start\n{pad}  {{{{- {body} | toString | nindent 6 }}}}\n"
    if form == 6:
        one = draw(expression(scope, "text", 1))
        two = draw(expression(scope, draw(st.sampled_from(SIMPLE)), 1))
        return f'{pad}{key}: {{{{ printf "%v/%v" ({one}) ({two}) | quote }}}}\n'
    return (
        f"{pad}{key}: {{{{ {draw(call(scope, 'any', 1))} | toJson }}}} # {{{{- /* why */ -}}}} x\n"
    )


@st.composite
def block(draw: st.DrawFn, scope: Scope, key: str, pad: str, depth: int) -> str:
    """Make entries below a condition, a `with`, a loop, or after a declaration."""
    form = draw(st.integers(0, 6)) if depth else 6
    if form == 0:
        condition = draw(expression(scope, draw(st.sampled_from(["bool", "any"]))))
        text = f"{pad}{{{{- if {condition} }}}}\n{draw(block(scope, key, pad, depth - 1))}"
        if draw(st.booleans()):
            other = draw(expression(scope, "bool", 1))
            body = draw(block(scope, f"{key}e", pad, depth - 1))
            text += f"{pad}{{{{- else if {other} }}}}\n{body}"
        if draw(st.booleans()):
            text += f"{pad}{{{{- else }}}}\n{draw(field(scope, f'{key}o', pad))}"
        return f"{text}{pad}{{{{- end }}}}\n"
    if form == 1:
        subject = draw(operand(scope, draw(st.sampled_from(WHOLE)), 1))
        inner = scope.inside()
        body = draw(block(inner, key, pad, depth - 1))
        text = f"{pad}{{{{- with {subject} }}}}\n{pad}{key}dot: {{{{ . | toJson }}}}\n{body}"
        if draw(st.booleans()):
            text += f"{pad}{{{{- else }}}}\n{draw(field(scope, f'{key}w', pad))}"
        return f"{text}{pad}{{{{- end }}}}\n"
    if form == 2:
        return draw(loop(scope, key, pad))
    if form == 3:
        kind = draw(st.sampled_from([*SIMPLE, *WHOLE]))
        name = f"${key}"
        value = draw(expression(scope, kind))
        inner = scope.with_variable(name, kind)  # type: ignore[arg-type]
        text = f"{pad}{{{{- {name} := {value} }}}}\n"
        if draw(st.booleans()):
            condition = draw(expression(scope, "bool", 1))
            again = draw(expression(inner, kind, 1))
            sign = draw(st.sampled_from(["=", ":="]))
            text += f"{pad}{{{{- if {condition} }}}}{{{{ {name} {sign} {again} }}}}\n"
            if draw(st.booleans()):
                text += f"{pad}{{{{- else }}}}\n{pad}{key}v: {{{{ {name} | toJson }}}}\n"
            text += f"{pad}{{{{- end }}}}\n"
        return text + draw(block(inner, key, pad, depth - 1))
    if form == 4:
        first = draw(block(scope, f"{key}a", pad, depth - 1))
        return first + draw(block(scope, f"{key}b", pad, depth - 1))
    return draw(field(scope, key, pad))


@st.composite
def loop(draw: st.DrawFn, scope: Scope, key: str, pad: str) -> str:
    """Make a list that a `range` writes, with one, two or no variables, `break` and `continue`."""
    subject = draw(operand(scope, draw(st.sampled_from(["list", "words", "table"])), 1))
    form = draw(st.integers(0, 2))
    if form < 2 and draw(st.integers(0, 3)) == 0:
        subject = draw(operand(scope, draw(st.sampled_from(["int", "any"])), 1))
    head = ("range", "range $item :=", "range $key, $item :=")[form]
    inner = scope.inside()
    if form:
        inner = inner.with_variable("$item", "any")
    if form == 2:
        inner = inner.with_variable("$key", "any")
    skip = ""
    if draw(st.integers(0, 2)) == 0:
        word = draw(st.sampled_from(["break", "continue"]))
        skip = f"{{{{- if {draw(expression(inner, 'bool', 1))} }}}}{{{{ {word} }}}}{{{{ end }}}}\n"
    value = draw(expression(inner, draw(st.sampled_from(["text", "any"])), 1))
    return (
        f"{pad}{key}:\n{pad}  - start\n{pad}{{{{- {head} {subject} }}}}\n{skip}"
        f"{pad}  - {{{{ . | toJson }}}}\n{pad}  - {{{{ {value} | toString | quote }}}}\n"
        f"{pad}{{{{- else }}}}\n{pad}  - empty\n{pad}{{{{- end }}}}\n"
    )


@st.composite
def document(draw: st.DrawFn, scope: Scope, number: int) -> str:
    """Make one document, sometimes a hook."""
    kind = draw(st.sampled_from(DOCUMENT_KINDS))
    text = f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: doc-{number}\n"
    if draw(st.integers(0, 4)) == 0:
        hook = draw(st.sampled_from(HOOKS))
        weight = draw(st.integers(-5, 5))
        text += f'  annotations:\n    helm.sh/hook: {hook}\n    helm.sh/hook-weight: "{weight}"\n'
    text += "data:\n  first: 1\n"
    for index in range(draw(st.integers(1, 3))):
        text += draw(block(scope, f"f{index}", "  ", 2))
    return text


@st.composite
def template(draw: st.DrawFn, values: dict[str, Any], *, root: bool) -> str:
    """Make the text of a template: documents, the whole perhaps under a condition."""
    scope = Scope().with_values(values)
    if root:
        scope = scope.with_variable('(include "own" .)', "text")
    documents = [draw(document(scope, index)) for index in range(draw(st.integers(1, 2)))]
    mark = draw(st.sampled_from(["---\n", "--- \n", "\n---\n", "---\n# a comment\n---\n"]))
    text = mark.join(documents)
    if draw(st.integers(0, 3)) == 0:
        condition = draw(expression(scope, "bool", 1))
        text = f"{{{{- if {condition} -}}}}\n{text}{{{{- end }}}}\n"
    return text


@st.composite
def partials(draw: st.DrawFn, values: dict[str, Any], name: str) -> str:
    """Make a file of partials; `own` is a random one, and every chart defines it again."""
    body = draw(expression(Scope().with_values(values), draw(st.sampled_from(["text", "any"])), 1))
    return (
        f"{HELPERS}"
        f'{{{{- define "own" -}}}}\n{name}-{{{{ {body} | toString | trunc 30 }}}}\n{{{{- end }}}}\n'
        f'{{{{ define "{name}.only" }}}}{{{{ .Chart.Name }}}}{{{{ end }}}}\n'
    )
