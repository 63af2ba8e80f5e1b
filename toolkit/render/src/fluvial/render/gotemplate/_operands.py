"""Closures of pipelines: commands, arguments and the ways to a value.

An operand is `fn(run, dot)`, an argument `fn(run, dot, want)`, a command `fn(run, dot, final)`.
Each sets `run.node` where Go's executor does, so that errors name the same place.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._arguments import argument
from fluvial.render.gotemplate._function import ANY
from fluvial.render.gotemplate._run import MISSING, ArgFn, Run
from fluvial.render.gotemplate._values import PLAIN, Boxed, truth, type_of

__all__ = ["Operands", "Slots", "ValueFn"]

ValueFn = Callable[[Run, Any], Any]
CommandFn = Callable[[Run, Any, Any], Any]
Slots = tuple[int, ...]

_UNBOUND: Final = -1


class Operands:
    """Makes the closures of pipelines. `number` tells what one kind of compiler made from another.

    `slots` of each method are the variables of the action, by their number in it.
    """

    number = 0

    def pipe(self, node: nodes.Pipe, slots: Slots) -> ValueFn:
        """Make the closure of a pipeline."""
        commands = [self._command(command, slots) for command in node.commands]
        targets = [(variable.name, slots[variable.slot]) for variable in node.declared]
        first, rest = commands[0], commands[1:]

        if not rest and not targets:

            def single(run: Run, dot: Any) -> Any:
                run.node = node
                return first(run, dot, MISSING)

            return single

        def pipe(run: Run, dot: Any) -> Any:
            run.node = node
            value = first(run, dot, MISSING)
            for command in rest:
                value = command(run, dot, value)
            for name, slot in targets:
                if slot == _UNBOUND:
                    run.fail(f"undefined variable: {name}")
                run.vars[slot] = value
            return value

        return pipe

    def _command(self, node: nodes.Command, slots: Slots) -> CommandFn:
        first = node.args[0]
        args = [argument(arg, lambda operand: self._held(operand, slots)) for arg in node.args[1:]]
        match first:
            case nodes.Identifier():
                return _function(node, first.name, first, args)
            case nodes.Field() | nodes.Variable() | nodes.Chain() if args or first.names:
                return self._method(first, slots, args)
        value_of = self.operand(first, slots)

        def plain(run: Run, dot: Any, final: Any) -> Any:
            if args or final is not MISSING:
                if not isinstance(first, nodes.Pipe):
                    run.node = first
                run.fail(f"can't give argument to non-function {first}")
            return value_of(run, dot)

        return plain

    def _method(
        self,
        node: nodes.Field | nodes.Variable | nodes.Chain,
        slots: Slots,
        args: Sequence[ArgFn],
    ) -> CommandFn:
        base, names = self._base(node, slots), node.names
        plain = self.fields(node, base, names) if names and not args else None

        def method(run: Run, dot: Any, final: Any) -> Any:
            if plain is not None and final is MISSING:
                return plain(run, dot)
            run.node = node
            value = base(run, dot)
            if not names:
                run.fail(f"can't give argument to non-function {node}")
            return run.fields(node, value, names, dot, args, final)

        return method

    def _base(self, node: nodes.Node, slots: Slots) -> ValueFn:
        """Find what a chain of fields starts from, still boxed if it is an element of a range."""
        if isinstance(node, nodes.Variable):
            slot = slots[node.slot]
            return _undefined(node) if slot == _UNBOUND else self.variable(slot)
        if isinstance(node, nodes.Chain):
            return self.operand(node.base, slots)
        return self.dot()

    def _held(self, node: nodes.Node, slots: Slots) -> ValueFn:
        """Make the closure of an operand that leaves dot, variables and fields boxed."""
        match node:
            case nodes.Field() | nodes.Chain():
                return self.fields(node, self._base(node, slots), node.names, held=True)
            case nodes.Variable() if node.names:
                return self.fields(node, self._base(node, slots), node.names, held=True)
            case nodes.Variable() | nodes.Dot():
                return _placed(node, self._base(node, slots))
        return self.operand(node, slots)

    def dot(self) -> ValueFn:
        """Make the closure of dot, which leaves its value boxed."""
        return lambda _run, dot: dot

    def variable(self, slot: int) -> ValueFn:
        """Make the closure of a variable, which leaves its value boxed."""
        return lambda run, _dot: run.vars[slot]

    def operand(self, node: nodes.Node, slots: Slots) -> ValueFn:
        """Make the closure of an operand that need not be of a type."""
        match node:
            case nodes.Field() | nodes.Chain():
                return self.fields(node, self._base(node, slots), node.names)
            case nodes.Variable() if node.names:
                return self.fields(node, self._base(node, slots), node.names)
            case nodes.Variable():
                return _unboxed(node, self._base(node, slots))
            case nodes.Dot():
                return _unboxed(node, self.dot())
            case nodes.Pipe():
                return self.pipe(node, slots)
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

    def fields(
        self, node: nodes.Node, base: ValueFn, names: list[str], *, held: bool = False
    ) -> ValueFn:
        """Follow fields; plain maps, which nearly all are, take the short way.

        With `held`, a nil that an interface holds, as the entries of maps are, comes boxed.
        """
        nil = Boxed(None) if held else None

        def fields(run: Run, dot: Any) -> Any:
            run.node = node
            start = value = base(run, dot)
            for name in names:
                if type(value) not in PLAIN or name not in value:
                    return run.fields(node, start, names, dot, held=held)
                value = value[name]
            return nil if value is None else value

        return fields


def _function(
    node: nodes.Node, name: str, place: nodes.Identifier, args: Sequence[ArgFn]
) -> CommandFn:
    if name in {"and", "or"}:
        return _short_circuit(name, place, args)

    if name == "call":
        return _call(node, place, args)

    def call(run: Run, dot: Any, final: Any) -> Any:
        run.node = place
        return run.call(node, name, run.functions[name], dot, args, final)

    return call


def _call(node: nodes.Node, place: nodes.Identifier, args: Sequence[ArgFn]) -> CommandFn:
    """Call a value; the function is told how the template writes it, for its errors."""
    callee = str(node.args[1]) if isinstance(node, nodes.Command) and args else ""

    def call(run: Run, dot: Any, final: Any) -> Any:
        run.node = place
        if not args and final is MISSING:
            run.fail("wrong number of args for call: want at least 1 got 0")
        name = callee or (final if isinstance(final, str) else f"<{type_of(final)} Value>")
        named = [lambda _run, _dot, _want: name, *args]
        return run.call(node, "call", run.functions["call"], dot, named, final)

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


def _undefined(node: nodes.Variable) -> ValueFn:
    def undefined(run: Run, _dot: Any) -> Any:
        run.node = node
        run.fail(f"undefined variable: {node.name}")

    return undefined


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


def _placed(node: nodes.Node, base: ValueFn) -> ValueFn:
    def placed(run: Run, dot: Any) -> Any:
        run.node = node
        return base(run, dot)

    return placed


def _unboxed(node: nodes.Node, base: ValueFn) -> ValueFn:
    def unboxed(run: Run, dot: Any) -> Any:
        run.node = node
        value = base(run, dot)
        return value.value if type(value) is Boxed else value

    return unboxed
