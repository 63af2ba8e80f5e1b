"""From trees to closures: each node becomes one Python function, made once per text.

A body is `fn(run, dot)` and returns None, or the signal of a `break` or `continue`. An operand is
`fn(run, dot)`, an argument `fn(run, dot, want)`, a command `fn(run, dot, final)`.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._arguments import argument
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._function import ANY
from fluvial.render.gotemplate._parse import Tree, parse
from fluvial.render.gotemplate._run import MISSING, ArgFn, Run
from fluvial.render.gotemplate._values import Boxed, Ints, StringMap, Strings, truth, type_of

__all__ = ["Compiled", "Unit", "compile_text"]

BodyFn = Callable[[Run, Any], int]
ValueFn = Callable[[Run, Any], Any]
CommandFn = Callable[[Run, Any, Any], Any]

_GO_ON: Final = 0
_BREAK: Final = 1
_CONTINUE: Final = 2


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
def compile_text(name: str, text: str) -> Unit:
    """Parse and compile; the same text under the same name is compiled once per process."""
    parsed = parse(name, text)
    return Unit(tuple(_template(tree, name, text) for tree in parsed.trees), parsed.functions)


def _template(tree: Tree, file: str, text: str) -> Compiled:
    return Compiled(tree.name, file, text, _body(tree.body), tree.frame, tree.empty)


def _body(items: nodes.Items | None) -> BodyFn:
    steps = [_step(node) for node in items.nodes] if items else []
    if len(steps) == 1:
        return steps[0]

    def body(run: Run, dot: Any) -> int:
        for step in steps:
            signal = step(run, dot)
            if signal:
                return signal
        return _GO_ON

    return body


def _step(node: nodes.Node) -> BodyFn:
    match node:
        case nodes.Text():
            return _text(node)
        case nodes.Action():
            return _action(node)
        case nodes.Control(keyword="range"):
            return _range(node)
        case nodes.Control():
            return _branch(node)
        case nodes.TemplateCall():
            return _call_template(node)
        case nodes.Break():
            return lambda _run, _dot: _BREAK
        case nodes.Continue():
            return lambda _run, _dot: _CONTINUE
    raise AssertionError(node)


def _text(node: nodes.Text) -> BodyFn:
    text = node.text

    def write(run: Run, _dot: Any) -> int:
        run.write(text)
        return _GO_ON

    return write


def _action(node: nodes.Action) -> BodyFn:
    value_of = _pipe(node.pipe)
    if node.pipe.declared:

        def declare(run: Run, dot: Any) -> int:
            run.budget.step()
            value_of(run, dot)
            return _GO_ON

        return declare

    def show(run: Run, dot: Any) -> int:
        run.budget.step()
        value = value_of(run, dot)
        if type(value) is not str:
            run.node = node
            if value is None:
                value = "<no value>"
            elif callable(value):
                run.fail(f"can't print {node.pipe} of type {type_of(value)}")
            else:
                value = _shown(run, value)
        run.write(value)
        return _GO_ON

    return show


def _shown(run: Run, value: Any) -> str:
    try:
        return text_of(value)
    except FunctionError as error:
        run.fail(str(error))


def _branch(node: nodes.Control) -> BodyFn:
    condition, body, otherwise = _pipe(node.pipe), _body(node.body), _body(node.otherwise)
    rebinds = node.keyword == "with"

    def branch(run: Run, dot: Any) -> int:
        run.budget.step()
        value = condition(run, dot)
        if truth(value):
            return body(run, value if rebinds else dot)
        return otherwise(run, dot)

    return branch


def _range(node: nodes.Control) -> BodyFn:
    pipe = _pipe(node.pipe)
    body, otherwise = _body(node.body), _body(node.otherwise)
    slots = [variable.slot for variable in node.pipe.declared]
    key_slot = slots[0] if len(slots) > 1 else None
    item_slot = slots[-1] if slots else None

    def loop(run: Run, dot: Any) -> int:
        value = pipe(run, dot)
        if key_slot is not None and isinstance(value, int) and not isinstance(value, bool):
            run.fail(f"can't use {value} to iterate over more than one variable")
        pairs = _pairs(run, value)
        empty = True
        for key, item in pairs:
            empty = False
            run.budget.step()
            if key_slot is not None:
                run.vars[key_slot] = key
            if item_slot is not None:
                run.vars[item_slot] = item
            if body(run, item) == _BREAK:
                break
        return otherwise(run, dot) if empty else _GO_ON

    return loop


def _pairs(run: Run, value: Any) -> Iterable[tuple[Any, Any]]:
    """List what a range goes over, as it is at the start."""
    if isinstance(value, dict):
        keys = sorted(value)
        if isinstance(value, StringMap):
            return [(key, value[key]) for key in keys]
        return [(key, _boxed(value[key])) for key in keys]
    if isinstance(value, (Strings, Ints, bytes)):
        return enumerate(value)
    if isinstance(value, list):
        return [(index, _boxed(item)) for index, item in enumerate(value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return ((number, number) for number in range(value))
    if value is not None:
        run.fail(f"range can't iterate over {text_of(value)}")
    return ()


def _boxed(value: Any) -> Any:
    return value if isinstance(value, dict) else Boxed(value)


def _call_template(node: nodes.TemplateCall) -> BodyFn:
    argument_of = _pipe(node.pipe) if node.pipe else None
    name = node.name

    def call(run: Run, dot: Any) -> int:
        run.budget.step()
        run.node = node
        template = run.templates.get(name)
        if template is None:
            run.fail(f'template "{name}" not defined')
        data = argument_of(run, dot) if argument_of else None
        run.budget.enter(run.depth + 1)
        run.nested(template, data).start(data)
        return _GO_ON

    return call


def _pipe(node: nodes.Pipe) -> ValueFn:
    commands = [_command(command) for command in node.commands]
    slots = [variable.slot for variable in node.declared]
    first, rest = commands[0], commands[1:]

    if not rest and not slots:

        def single(run: Run, dot: Any) -> Any:
            run.node = node
            return first(run, dot, MISSING)

        return single

    def pipe(run: Run, dot: Any) -> Any:
        run.node = node
        value = first(run, dot, MISSING)
        for command in rest:
            value = command(run, dot, value)
        for slot in slots:
            run.vars[slot] = value
        return value

    return pipe


def _command(node: nodes.Command) -> CommandFn:
    first = node.args[0]
    args = [argument(arg, _operand) for arg in node.args[1:]]
    match first:
        case nodes.Identifier():
            return _function(node, first.name, first, args)
        case nodes.Field() | nodes.Variable() | nodes.Chain() if args or first.names:
            return _method(first, args)
    value_of = _operand(first)

    def plain(run: Run, dot: Any, final: Any) -> Any:
        if args or final is not MISSING:
            if not isinstance(first, nodes.Pipe):
                run.node = first
            run.fail(f"can't give argument to non-function {first}")
        return value_of(run, dot)

    return plain


def _method(node: nodes.Field | nodes.Variable | nodes.Chain, args: Sequence[ArgFn]) -> CommandFn:
    base, names = _base(node), node.names
    plain = _fields(node, base, names) if names and not args else None

    def method(run: Run, dot: Any, final: Any) -> Any:
        if plain is not None and final is MISSING:
            return plain(run, dot)
        run.node = node
        value = base(run, dot)
        if not names:
            run.fail(f"can't give argument to non-function {node}")
        return run.fields(node, value, names, dot, args, final)

    return method


def _function(
    node: nodes.Node, name: str, place: nodes.Identifier, args: Sequence[ArgFn]
) -> CommandFn:
    if name in {"and", "or"}:
        return _short_circuit(name, place, args)

    def call(run: Run, dot: Any, final: Any) -> Any:
        run.node = place
        return run.call(node, name, run.functions[name], dot, args, final)

    return call


def _short_circuit(name: str, place: nodes.Identifier, args: Sequence[ArgFn]) -> CommandFn:
    decides = name == "or"

    def call(run: Run, dot: Any, final: Any) -> Any:
        run.node = place
        if not args and final is MISSING:
            run.fail(f"wrong number of args for {name}: want at least 1 got 0")
        value = None
        for arg in args:
            value = arg(run, dot, ANY)
            if truth(value) == decides:
                return value
        return value if final is MISSING else final

    return call


def _base(node: nodes.Node) -> ValueFn:
    """Find what a chain of fields starts from, still boxed if it is an element of a range."""
    if isinstance(node, nodes.Variable):
        slot = node.slot
        return lambda run, _dot: run.vars[slot]
    if isinstance(node, nodes.Chain):
        return _operand(node.base)
    return lambda _run, dot: dot


def _operand(node: nodes.Node) -> ValueFn:
    """Evaluate an operand that need not be of a type."""
    match node:
        case nodes.Field() | nodes.Chain():
            return _fields(node, _base(node), node.names)
        case nodes.Variable() if node.names:
            return _fields(node, _base(node), node.names)
        case nodes.Variable():
            return _unboxed(node, _base(node))
        case nodes.Dot():
            return _unboxed(node, lambda _run, dot: dot)
        case nodes.Pipe():
            return _pipe(node)
        case nodes.Identifier():
            call = _function(node, node.name, node, [])
            return lambda run, dot: call(run, dot, MISSING)
        case nodes.Nil():
            return _nil(node)
        case nodes.Number():
            return _constant(node, node.ideal)
        case nodes.String():
            return _constant(node, node.text)
        case nodes.Bool():
            return _constant(node, node.value)
    raise AssertionError(node)


def _constant(node: nodes.Node, value: Any) -> ValueFn:
    overflows = isinstance(value, int) and value >= 2**63

    def constant(run: Run, _dot: Any) -> Any:
        run.node = node
        if overflows:
            run.fail(f"{node} overflows int")
        return value

    return constant


def _nil(node: nodes.Nil) -> ValueFn:
    def nil(run: Run, _dot: Any) -> Any:
        run.node = node
        run.fail("nil is not a command")

    return nil


def _unboxed(node: nodes.Node, base: ValueFn) -> ValueFn:
    def unboxed(run: Run, dot: Any) -> Any:
        run.node = node
        value = base(run, dot)
        return value.value if type(value) is Boxed else value

    return unboxed


def _fields(node: nodes.Node, base: ValueFn, names: list[str]) -> ValueFn:
    """Follow fields; plain maps, which nearly all are, take the short way."""

    def fields(run: Run, dot: Any) -> Any:
        run.node = node
        start = value = base(run, dot)
        for name in names:
            if type(value) is not dict or name not in value:
                return run.fields(node, start, names, dot)
            value = value[name]
        return value

    return fields
