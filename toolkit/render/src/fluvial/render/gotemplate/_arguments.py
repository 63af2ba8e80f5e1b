"""Arguments: a constant takes the type its function wants, any other value must have it."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._function import Want
from fluvial.render.gotemplate._run import ArgFn, Run
from fluvial.render.gotemplate._values import Boxed, HeldNil, NilList, NilMap, Uint32

__all__ = ["argument"]

ValueFn = Callable[[Run, Any], Any]
HELD_NIL: Final = HeldNil()


def argument(node: nodes.Node, operand: Callable[[nodes.Node], ValueFn]) -> ArgFn:
    """Make the closure of one argument; `operand` makes those of values without a type.

    They leave a nil boxed that an interface holds: it fits no type, where none at all fits any that
    can be nil.
    """
    match node:
        case nodes.Nil():
            return _nil(node)
        case nodes.Number():
            return _constant(node, operand(node), lambda want: _number(node, want))
        case nodes.String():
            return _constant(node, operand(node), lambda want: _same(node.text, want, "string"))
        case nodes.Bool():
            return _constant(node, operand(node), lambda want: _same(node.value, want, "bool"))
    value_of = operand(node)

    def evaluated(run: Run, dot: Any, want: Want) -> Any:
        value = value_of(run, dot)
        boxed = type(value) is Boxed
        if boxed:
            value = value.value
        if not want.go:
            return HELD_NIL if value is None and boxed and want.kind == "reflected" else value
        if value is None and boxed:
            run.fail(f"wrong type for value; expected {want.go}; got interface {{}}")
        return run.validate(value, want)

    return evaluated


def _constant(node: nodes.Node, ideal: ValueFn, convert: Callable[[Want], Any]) -> ArgFn:
    def constant(run: Run, dot: Any, want: Want) -> Any:
        run.node = node
        if not want.go:
            return ideal(run, dot)
        value = convert(want)
        if value is None:
            if want.kind in {"map", "slice", "struct"}:
                run.fail(f"can't handle {node} for arg of type {want.go}")
            kind = "unsigned integer" if want.kind == "unsigned" else want.kind
            run.fail(f"expected {kind}; found {node}")
        return value

    return constant


def _number(node: nodes.Number, want: Want) -> Any:
    if want.kind == "float":
        return node.real
    if want.kind == "unsigned" and node.integer is not None and node.integer >= 0:
        return Uint32(node.integer % 2**32)
    if want.kind != "integer" or node.integer is None:
        return None
    return want.make(node.integer)


def _same(value: Any, want: Want, kind: str) -> Any:
    return value if want.kind == kind else None


def _nil(node: nodes.Nil) -> ArgFn:
    def nil(run: Run, _dot: Any, want: Want) -> Any:
        run.node = node
        if want.kind not in {"interface", "reflected", "map", "slice"}:
            run.fail(f"cannot assign nil to {want.go}")
        return {"map": NilMap(), "slice": NilList()}.get(want.kind)

    return nil
