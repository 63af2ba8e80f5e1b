"""From trees to closures: bodies, branches, loops and the printing of values.

A body is `fn(run, dot)` and returns 0, or the signal of a `break` or `continue`. A body is compiled
when it is executed first: most of a chart's templates are switched off. What is made of one action
is kept with its form, for all its places in all templates.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._kept import parsed_text
from fluvial.render.gotemplate._operands import Operands, ValueFn
from fluvial.render.gotemplate._parse import Tree
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate._run import Run
from fluvial.render.gotemplate._values import Boxed, Ints, StringMap, Strings, truth, type_of

__all__ = [
    "BodyFn",
    "Compiled",
    "Compiler",
    "Unit",
    "compile_text",
]

BodyFn = Callable[[Run, Any], int]
Visit = Callable[[Run, Any, Any], None] | None

_GO_ON: Final = 0
_BREAK: Final = 1
_CONTINUE: Final = 2
_ALIKE: Final = (Strings, Ints, bytes)
"""Lists whose items have a type of their own; the items of others are interfaces."""


class Compiled(NamedTuple):
    """One template, ready to run. `file` and `text` are what its places refer to."""

    name: str
    file: str
    text: str
    body: BodyFn
    frame: int
    empty: bool


class Unit(NamedTuple):
    """What one text defines, and the line of the first call of each function."""

    templates: tuple[Compiled, ...]
    functions: dict[str, int]


@functools.lru_cache(maxsize=2048)
def compile_text(name: str, text: str, compiler: "Compiler") -> Unit:
    """Parse and compile; the same text under the same name is compiled once per process."""
    parsed = parsed_text(name, text)
    return Unit(
        tuple(_template(tree, name, text, compiler) for tree in parsed.trees), parsed.functions
    )


def _template(tree: Tree, file: str, text: str, compiler: "Compiler") -> Compiled:
    return Compiled(tree.name, file, text, compiler.body(tree.body), tree.frame, tree.empty)


def _nothing(_run: Run, _dot: Any) -> int:
    return _GO_ON


class Compiler(Operands):
    """Makes the closures of bodies. One that also records what happens is in `_tracing`."""

    def body(self, items: nodes.Items | None) -> BodyFn:
        """Make the closure of a list of nodes, which compiles them when it is called first."""
        if items is None or items.empty:
            return _nothing
        steps: list[tuple[int, BodyFn]] | None = None

        def body(run: Run, dot: Any) -> int:
            nonlocal steps
            if steps is None:
                steps = [(node.pos, self._step(node)) for node in items.nodes]
            for base, step in steps:
                run.base = base
                signal = step(run, dot)
                if signal:
                    return signal
            return _GO_ON

        return body

    def _step(self, node: nodes.Node) -> BodyFn:
        match node:
            case nodes.Text():
                return self.text(node)
            case nodes.Action():
                return self._kept(node, self.action)
            case nodes.Control(keyword="range"):
                return self.loop(node)
            case nodes.Control():
                return self.branch(node)
            case nodes.TemplateCall():
                return self._kept(node, self.template_call)
            case nodes.Break():
                return lambda _run, _dot: _BREAK
            case nodes.Continue():
                return lambda _run, _dot: _CONTINUE
        raise AssertionError(node)

    def _kept(
        self, node: nodes.Step, make: Callable[[nodes.Step], Callable[[Run, Any], Any]]
    ) -> Callable[[Run, Any], Any]:
        """Make the closure of an action, or find it with its form."""
        key = (self.number, *node.slots)
        known = node.form.compiled.get(key)
        if known is None:
            known = node.form.compiled[key] = make(node)
        return known

    def text(self, node: nodes.Text) -> BodyFn:
        """Make the closure of a text."""
        text = node.text
        length = len(text)

        def write(run: Run, _dot: Any) -> int:
            budget = run.budget
            budget.written += length
            if budget.written > budget.size:
                budget.write(0)
            run.parts.append(text)
            return _GO_ON

        return write

    def value(self, node: nodes.Step) -> ValueFn:
        """Make the closure of the pipeline of an action."""
        assert node.form.pipe is not None
        return self.pipe(node.form.pipe, node.slots)

    def condition(self, node: nodes.Step) -> ValueFn:
        """Make the closure of the pipeline of `if`, `with` or `range`, or find it with its form."""
        return self._kept(node, self.value)

    def action(self, node: nodes.Step) -> BodyFn:
        """Make the closure of an action that declares variables or prints its value."""
        pipe = node.form.pipe
        assert pipe is not None
        value_of = self.value(node)
        if pipe.declared:

            def declare(run: Run, dot: Any) -> int:
                run.budget.step()
                value_of(run, dot)
                return _GO_ON

            return declare
        place = nodes.Printed(node.form.start, pipe)

        def show(run: Run, dot: Any) -> int:
            run.budget.step()
            value = value_of(run, dot)
            if type(value) is not str:
                run.node = place
                value = _shown(run, value, pipe)
            run.write(value)
            return _GO_ON

        return show

    def branch(self, node: nodes.Control) -> BodyFn:
        """Make the closure of `if` and `with`."""
        condition = self.condition(node)
        body, otherwise = self.body(node.body), self.body(node.otherwise)
        rebinds = node.keyword == "with"

        def branch(run: Run, dot: Any) -> int:
            run.budget.step()
            value = condition(run, dot)
            if value is True or (value is not False and truth(value)):
                return body(run, value if rebinds else dot)
            return otherwise(run, dot)

        return branch

    def loop(self, node: nodes.Control) -> BodyFn:
        """Make the closure of `range`."""
        declared = node.form.pipe.declared if node.form.pipe else []
        slots = [node.slots[variable.slot] for variable in declared]
        return self.looping(
            self.condition(node), self.body(node.body), self.body(node.otherwise), slots
        )

    def looping(
        self, pipe: ValueFn, body: BodyFn, otherwise: BodyFn, slots: list[int], visit: Visit = None
    ) -> BodyFn:
        """Make the closure of a loop; `visit` is told of each turn: what over, its key and item."""
        key_slot = slots[0] if len(slots) > 1 else None
        item_slot = slots[-1] if slots else None

        def loop(run: Run, dot: Any) -> int:
            value = pipe(run, dot)
            if key_slot is not None and isinstance(value, int) and not isinstance(value, bool):
                run.fail(f"can't use {value} to iterate over more than one variable")
            empty = True
            for key, item in _pairs(run, value):
                empty = False
                run.budget.step()
                if key_slot is not None:
                    run.vars[key_slot] = key
                if item_slot is not None:
                    run.vars[item_slot] = item
                if visit is not None:
                    visit(run, value, key)
                if body(run, item) == _BREAK:
                    break
            if not empty:
                return _GO_ON
            signal = otherwise(run, dot)
            return _GO_ON if signal == _BREAK else signal  # Go's loop catches its own break there

        return loop

    def template_call(self, node: nodes.Step) -> BodyFn:
        """Make the closure of a `template` action, or of the call that a `block` is."""
        form = node.form
        argument_of = self.value(node) if form.pipe else None
        name = form.name
        place = nodes.Called(form.name_pos, name, form.pipe)

        def call(run: Run, dot: Any) -> int:
            run.budget.step()
            run.node = place
            template = run.templates.get(name)
            if template is None:
                run.fail(f"template {quote(name)} not defined")
            data = argument_of(run, dot) if argument_of else None
            run.budget.enter(run.depth + 1)
            run.nested(template, data).start(data)
            return _GO_ON

        return call


def _shown(run: Run, value: Any, pipe: nodes.Pipe) -> str:
    """Print a value that is no string."""
    if value is None:
        return "<no value>"
    if callable(value):
        run.fail(f"can't print {nodes.Printed(0, pipe)} of type {type_of(value)}")
    addressed = getattr(value, "go_addressed", None)
    if addressed is not None:
        return str(addressed)
    try:
        return text_of(value)
    except FunctionError as error:
        run.fail(str(error))


def _pairs(run: Run, value: Any) -> Iterable[tuple[Any, Any]]:
    """List what a range goes over, as it is at the start."""
    if isinstance(value, dict):
        keys = sorted(value)
        if isinstance(value, StringMap):
            return [(key, value[key]) for key in keys]
        return [(key, _boxed(value[key])) for key in keys]
    if isinstance(value, _ALIKE):
        return enumerate(value)
    if isinstance(value, list):
        return [(index, _boxed(item)) for index, item in enumerate(value)]
    if isinstance(value, int) and not isinstance(value, bool):
        kind = type(value)
        return ((number, kind(number)) for number in range(value))
    if value is not None:
        run.fail(f"range can't iterate over {text_of(value)}")
    return ()


def _boxed(value: Any) -> Any:
    return value if isinstance(value, dict) else Boxed(value)
