"""A set of templates that call each other, and its execution."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

from fluvial.render.gotemplate._builtins import BUILTINS
from fluvial.render.gotemplate._compile import Compiled, Compiler, compile_text
from fluvial.render.gotemplate._errors import TemplateError, TemplateSyntaxError
from fluvial.render.gotemplate._function import Function, function_of
from fluvial.render.gotemplate._run import Run
from fluvial.render.gotemplate._tracing import TRACING_COMPILER, Trace
from fluvial.render.gotemplate._values import to_bytes
from fluvial.render.gotemplate.budget import Budget

__all__ = ["Templates"]

_FRAMES: Final = 20_000
_COMPILER: Final = Compiler()
_BUILTINS: Final = {name: function_of(call) for name, call in BUILTINS.items()}


class Templates:
    """Templates by name, with the functions they may call.

    `functions` come on top of Go's own; a Function is one whose signature was read before.
    `missing` says what a missing key of a map is: "zero" nil (as Helm has it), "default" nil that
    may be gone into further, "error" an error. `name` is what the set is called in the error about
    a template that does not exist.

    With a `trace` every execution is recorded in it: where each line of the output comes from.

    A set is for one thread. Functions may call `execute` again: what they run shares the budget of
    the execution they are called from.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any] | Function] | None = None,
        missing: Literal["zero", "error", "default"] = "zero",
        *,
        name: str = "gotpl",
        trace: Trace | None = None,
    ) -> None:
        self._functions = dict(_BUILTINS)
        for key, call in (functions or {}).items():
            self._functions[key] = call if isinstance(call, Function) else function_of(call)
        self._missing = missing
        self._name = name
        self._templates: dict[str, Compiled] = {}
        self._budget: Budget | None = None
        self._depth = 0
        self._trace = trace
        self._compiler = _COMPILER if trace is None else TRACING_COMPILER

    def add(self, name: str, text: str, *, anew: bool = False) -> None:
        """Add a text and all it defines; a later definition replaces an earlier one.

        As in Go, a definition of nothing but blanks replaces no other; with `anew` the text itself
        does, as that of a template that was just made. Raises TemplateSyntaxError.
        """
        try:
            with _stack():
                unit = compile_text(name, text, self._compiler)
        except TemplateSyntaxError as error:
            self._check(name, error.functions)
            raise
        self._check(name, unit.functions)
        for template in unit.templates:
            fresh = template.name not in self._templates or (anew and template.name == name)
            if fresh or not template.empty:
                self._templates[template.name] = template

    def _check(self, name: str, functions: Mapping[str, int]) -> None:
        """Complain about the first call of a function that does not exist."""
        for function, line in functions.items():
            if function not in self._functions:
                raise TemplateSyntaxError(name, line, f'function "{function}" not defined')

    def __contains__(self, name: str) -> bool:
        return name in self._templates

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order of their definition."""
        return iter(self._templates)

    def copy(self) -> "Templates":
        """Make a set with the same templates, functions and running budget.

        What is added to the copy does not exist in the original: this is what `tpl` executes in.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._templates = dict(self._templates)
        return other

    def execute(
        self, name: str, data: Any, *, budget: Budget | None = None, replace: bool = True
    ) -> str:
        """Run one template on `data` and return its output.

        Bytes in it that are no UTF-8 become U+FFFD, or stay as surrogates without `replace`.
        Raises TemplateError in Go's form, BudgetExceeded among them. Without a `budget` a nested
        call uses the outer one, an outermost one a default Budget.
        """
        template = self._templates.get(name)
        if template is None:
            text = f'template: no template "{name}" associated with template "{self._name}"'
            raise TemplateError(text, name=name, line=0, column=0, detail=text)
        outer = self._budget, self._depth
        budget = budget or outer[0] or Budget()
        parts: list[str] = []
        self._budget, self._depth = budget, outer[1] + 1
        try:
            if outer[0] is not None:
                budget.enter(self._depth)  # the caller is a template, which knows its place
            make = Run if self._trace is None else self._trace.run
            run = make(template, self._templates, self._functions, self._missing, budget,
                       data, parts, self._depth)  # fmt: skip
            if outer[0] is None:
                with _stack():
                    run.start(data)
            else:
                run.start(data)  # within an execution that has made room
        finally:
            self._budget, self._depth = outer
        text = "".join(parts)
        if self._trace is not None:
            self._trace.executed(run, text)
        if replace and self._depth == 0 and not text.isascii():
            return to_bytes(text).decode("utf-8", "replace")
        return text


@contextmanager
def _stack() -> Iterator[None]:
    """Give nested templates room: one level of theirs is dozens of Python's."""
    before = sys.getrecursionlimit()
    if before < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
    try:
        yield
    finally:
        if before < _FRAMES:
            sys.setrecursionlimit(before)
