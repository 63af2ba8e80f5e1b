"""What can go wrong, in the words and the form of Go's text/template.

TemplateError(ValueError)       one template's text or execution; carries name, line and column
├── TemplateSyntaxError         the text does not parse: `template: name:line: …`
└── BudgetExceeded              the execution was stopped: time, steps, depth or size
FunctionError(ValueError)       raised by a function; becomes `error calling name: …`
"""

from typing import Final

__all__ = ["BudgetExceeded", "FunctionError", "TemplateError", "TemplateSyntaxError"]


class FunctionError(ValueError):
    """A function refuses its arguments; the message is what Go's function returns as its error."""


class TemplateError(ValueError):
    """A template failed. `str()` is Go's message: `template: name:line:col: executing …`.

    `name` is the file the place is in, `line` counts from one, `column` counts bytes from zero as
    Go does. `detail` is the message without its place.
    """

    def __init__(self, text: str, *, name: str, line: int, column: int, detail: str) -> None:
        super().__init__(text)
        self.name: Final = name
        self.line: Final = line
        self.column: Final = column
        self.detail: Final = detail


class TemplateSyntaxError(TemplateError):
    """The text of a template does not parse, or names a function that does not exist.

    `functions` are those that the text calls before the place, each with the line of its first
    call.
    """

    def __init__(self, name: str, line: int, detail: str) -> None:
        self.functions: dict[str, int] = {}
        text = f"template: {name}:{line}: {detail}"
        super().__init__(text, name=name, line=line, column=0, detail=detail)


class BudgetExceeded(TemplateError):  # noqa: N818  (says what happened)
    """The execution took more time, steps, depth or output than its budget has."""
