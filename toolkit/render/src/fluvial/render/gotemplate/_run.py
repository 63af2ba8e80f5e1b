"""The state of one execution of one template, and what its closures do through it.

`node` is the node that errors are reported at; every closure sets it where Go's executor does, so
that the place in a message is the same. `base` is where the action starts that the node is of.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._errors import BudgetExceeded, FunctionError, TemplateError
from fluvial.render.gotemplate._function import Function, Want, function_of
from fluvial.render.gotemplate._lex import line_at
from fluvial.render.gotemplate._values import (
    Boxed,
    NilList,
    NilMap,
    StringMap,
    byte_len,
    type_of,
)
from fluvial.render.gotemplate.budget import Budget, Exhausted

if TYPE_CHECKING:
    from fluvial.render.gotemplate._compile import Compiled

__all__ = ["MISSING", "ArgFn", "Run"]

MISSING: Final = object()
"""No value comes from an earlier stage of the pipeline."""

type_ok: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "int64": lambda value: type_of(value) == "int64",
    "float64": lambda value: isinstance(value, float),
    "map[string]interface {}": lambda value: (
        isinstance(value, dict) and not isinstance(value, StringMap)
    ),
    "[]interface {}": lambda value: type(value) in {list, NilList},
}

ArgFn = Callable[["Run", Any, Want], Any]


class Run:
    """One template being executed. `vars` is its frame; the rest is shared with nested ones."""

    __slots__ = (
        "base", "budget", "depth", "functions", "missing", "node", "parts", "template", "templates",
        "vars",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  (one place makes it)
        self,
        template: "Compiled",
        templates: Mapping[str, "Compiled"],
        functions: Mapping[str, Function],
        missing: str,
        budget: Budget,
        data: Any,
        parts: list[str],
        depth: int,
    ) -> None:
        self.template, self.templates, self.functions = template, templates, functions
        self.missing, self.budget, self.parts, self.depth = missing, budget, parts, depth
        self.node: nodes.Node | None = None
        self.base = 0
        self.vars: list[Any] = [None] * template.frame
        self.vars[0] = data

    def nested(self, template: "Compiled", data: Any) -> Self:
        """Make the state for a `template` action."""
        return type(self)(
            template, self.templates, self.functions, self.missing, self.budget, data,
            self.parts, self.depth + 1,
        )  # fmt: skip

    def start(self, data: Any) -> None:
        """Execute the template. Raises TemplateError."""
        try:
            self.template.body(self, data)
        except Exhausted as error:
            raise self.error(str(error), BudgetExceeded) from None
        except RecursionError:
            raise self.error("the template is nested too deep", BudgetExceeded) from None

    def write(self, text: str) -> None:
        """Write output."""
        budget = self.budget
        budget.written += len(text)
        if budget.written > budget.size:
            budget.write(0)
        self.parts.append(text)

    def error(self, message: str, kind: type[TemplateError] = TemplateError) -> TemplateError:
        """Make an error at the current node, in Go's form."""
        template = self.template
        if self.node is None:
            return kind(f"template: {template.name}: {message}", name=template.name, line=0,
                        column=0, detail=message)  # fmt: skip
        pos = self.base + self.node.pos
        line = line_at(template.text, pos)
        start = template.text.rfind("\n", 0, pos) + 1
        column = byte_len(template.text[start:pos])
        return kind(
            f"template: {template.file}:{line}:{column}: "
            f'executing "{template.name}" at <{self.node}>: {message}',
            name=template.file,
            line=line,
            column=column,
            detail=message,
        )

    def fail(self, message: str) -> NoReturn:
        """Raise TemplateError at the current node."""
        raise self.error(message)

    def validate(self, value: Any, want: Want) -> Any:
        """Check that a value may be an argument of the wanted type."""
        if not want.go:
            return value
        if value is None:
            if want.kind == "map":
                return NilMap()
            if want.kind == "slice":
                return NilList()
            self.fail(f"invalid value; expected {want.go}")
        fits = type_ok.get(want.go)
        if not (fits(value) if fits else type_of(value) == want.go):
            self.fail(f"wrong type for value; expected {want.go}; got {type_of(value)}")
        return value

    def call(  # noqa: PLR0917  (keywords cost time on the hottest path)
        self,
        node: nodes.Node,
        name: str,
        function: Function,
        dot: Any,
        args: Sequence[ArgFn],
        final: Any,
    ) -> Any:
        """Evaluate the arguments and call. `final` comes last when there is one."""
        given = len(args) + (final is not MISSING)
        wants, rest = function.wants, function.rest
        if given < function.required:
            least = "at least " if rest is not None else ""
            self.fail(f"wrong number of args for {name}: want {least}{function.required} "
                      f"got {len(args) if least else given}")  # fmt: skip
        fixed = len(wants)
        if given > fixed:
            if rest is None:
                self.fail(f"wrong number of args for {name}: want {fixed} got {given}")
            wants += (rest,) * (given - fixed)
        values = []
        for index, arg in enumerate(args):
            values.append(arg(self, dot, wants[index]))
        if final is not MISSING:
            want = wants[given - 1]
            values.append(self.validate(final, want) if want.go else final)
        try:
            result = function.call(*values)
            if isinstance(result, (str, list)) and len(result) > self.budget.size:
                self.budget.value(len(result))
        except FunctionError as error:
            self.node = node
            raise self.error(f"error calling {name}: {error}") from error
        except BudgetExceeded as error:
            self.node = node
            raise self.error(f"error calling {name}: {error}", BudgetExceeded) from error
        except TemplateError as error:
            self.node = node
            raise self.error(f"error calling {name}: {error}") from error
        except Exhausted:
            self.node = node
            raise
        return result

    def field(  # noqa: PLR0917  (as above)
        self,
        node: nodes.Node,
        value: Any,
        boxed: bool,
        name: str,
        dot: Any,
        args: Sequence[ArgFn] = (),
        final: Any = MISSING,
    ) -> tuple[Any, bool]:
        """Take one field or call one method; say whether the result is held by an interface."""
        if value is None:
            if boxed:
                self.fail(f"nil pointer evaluating interface {{}}.{name}")
            if self.missing == "error":
                self.fail(f'nil data; no entry for key "{name}"')
            return None, False
        methods = getattr(value, "go_methods", None)
        if methods is not None and name in methods:
            method = function_of(methods[name])
            return self.call(node, name, method, dot, args, final), False
        has_arguments = bool(args) or final is not MISSING
        if isinstance(value, dict):
            if has_arguments:
                self.fail(f"{name} is not a method but has arguments")
            if name in value:
                return value[name], not isinstance(value, StringMap)
            if self.missing == "error":
                self.fail(f'map has no entry for key "{name}"')
            if self.missing == "default":
                return None, False
            zero = getattr(value, "go_zero", None)
            return zero, zero is None
        fields = getattr(value, "go_fields", None)
        if fields is None or name not in fields:
            shown = "interface {}" if boxed else type_of(value)
            self.fail(f"can't evaluate field {name} in type {shown}")
        if has_arguments:
            self.fail(f"{name} has arguments but cannot be invoked as function")
        return fields[name], False

    def fields(  # noqa: PLR0917  (as above)
        self,
        node: nodes.Node,
        value: Any,
        names: Sequence[str],
        dot: Any,
        args: Sequence[ArgFn] = (),
        final: Any = MISSING,
        *,
        held: bool = False,
    ) -> Any:
        """Follow a chain of fields; only the last one takes arguments.

        With `held`, a nil that an interface holds comes boxed.
        """
        boxed = type(value) is Boxed
        if boxed:
            value = value.value
        last = names[-1]
        for name in names[:-1]:
            value, boxed = self.field(node, value, boxed, name, dot)
        value, boxed = self.field(node, value, boxed, last, dot, args, final)
        return Boxed(None) if held and boxed and value is None else value
