"""Go's text/template, exactly as charts meet it.

    templates = Templates(sprig.functions())
    templates.add("greeting", 'Hello {{ .name | default "world" }}')
    templates.execute("greeting", {"name": "you"})

A text is parsed and compiled to closures once, and never evaluated as Python. Values are plain
Python ones that stand for Go's kinds (the table is in `_values`): `int` is Go's int, `float` its
float64, `None` nil. A function's annotations are its Go signature: an argument annotated `int` is
refused a float with Go's message.

An object whose class is none of these takes part through attributes: `go_methods` maps names to
callables (`.Files.Get "x"`), `go_fields` to values, `go_type` is its name in messages, `str()` its
printed form, `go_addressed` the form that an action prints by itself where that is another: a Go
value that prints itself through its pointer does so only there. A subclass of `dict` may have
`go_methods` besides its keys, and `go_zero`, what a missing key is.

Errors are drawn in `_errors`: TemplateError ← TemplateSyntaxError, BudgetExceeded; FunctionError is
for functions to raise.
"""

from fluvial.render.gotemplate._errors import (
    BudgetExceeded,
    FunctionError,
    TemplateError,
    TemplateSyntaxError,
)
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._kept import keep_parsed, parsed_together
from fluvial.render.gotemplate._tracing import LineOrigin, Place, Trace
from fluvial.render.gotemplate._values import (
    Int64,
    Ints,
    PlainMap,
    StringMap,
    Strings,
    kind_of,
    truth,
    type_of,
)
from fluvial.render.gotemplate.budget import Budget
from fluvial.render.gotemplate.collector import collector_paused
from fluvial.render.gotemplate.store import ParsedStore
from fluvial.render.gotemplate.templates import Templates

__all__ = [
    "Budget",
    "BudgetExceeded",
    "FunctionError",
    "Int64",
    "Ints",
    "LineOrigin",
    "ParsedStore",
    "Place",
    "PlainMap",
    "StringMap",
    "Strings",
    "TemplateError",
    "TemplateSyntaxError",
    "Templates",
    "Trace",
    "collector_paused",
    "keep_parsed",
    "kind_of",
    "parsed_together",
    "text_of",
    "truth",
    "type_of",
]
