"""Parsed templates as plain data, and back: lists, strings and numbers, for a store.

Actions are kept as their sources, each once, and parsed again: an action is short, its form is
known after one look, and no tree of expressions has to be trusted.
"""

from typing import Any

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._actions import form_of
from fluvial.render.gotemplate._parse import Parsed, Tree

__all__ = ["from_plain", "to_plain"]

_TEXT, _ACTION, _CALL, _BREAK, _CONTINUE, _CONTROL = range(6)


def to_plain(parsed: Parsed) -> list[Any]:
    """Make plain data of what a text defines. The last tree is the text's own."""
    sources: dict[str, int] = {}
    trees = [[tree.name, tree.frame, _items(tree.body, sources)] for tree in parsed.trees]
    own = [tree.name for tree in parsed.trees].index(parsed.name)
    return [own, trees, list(sources), list(parsed.functions.items())]


def _items(items: nodes.Items | None, sources: dict[str, int]) -> list[Any] | None:
    if items is None:
        return None
    return [items.pos, [_node(node, sources) for node in items.nodes]]


def _node(node: nodes.Node, sources: dict[str, int]) -> list[Any]:
    match node:
        case nodes.Text():
            return [_TEXT, node.pos, node.text]
        case nodes.Break():
            return [_BREAK, node.pos]
        case nodes.Continue():
            return [_CONTINUE, node.pos]
    assert isinstance(node, nodes.Step)
    source = sources.setdefault(node.form.source, len(sources))
    if isinstance(node, nodes.Control):
        body, otherwise = _items(node.body, sources), _items(node.otherwise, sources)
        return [_CONTROL, node.pos, source, node.slots, node.keyword, body, otherwise]
    kind = _CALL if isinstance(node, nodes.TemplateCall) else _ACTION
    return [kind, node.pos, source, node.slots]


def from_plain(data: Any, name: str) -> Parsed:
    """Make trees of plain data. Raises ValueError, LookupError or TypeError for bad data."""
    own, trees, sources, functions = data
    forms = [form_of(source) for source in sources]
    made = []
    for index, (tree_name, frame, body) in enumerate(trees):
        items = _to_items(body, forms)
        if items is None:
            raise ValueError("a tree without a body")
        made.append(Tree(name if index == own else tree_name, items, frame))
    return Parsed(name, made, dict(functions))


def _to_items(data: Any, forms: list[Any]) -> nodes.Items | None:
    if data is None:
        return None
    items = nodes.Items(data[0])
    items.nodes = [_to_node(node, forms) for node in data[1]]
    return items


def _to_node(data: Any, forms: list[Any]) -> nodes.Node:
    kind, pos = data[0], data[1]
    if kind == _TEXT:
        return nodes.Text(pos, data[2])
    if kind == _BREAK:
        return nodes.Break(pos)
    if kind == _CONTINUE:
        return nodes.Continue(pos)
    form, slots = forms[data[2]], tuple(data[3])
    if kind == _CONTROL:
        body = _to_items(data[5], forms)
        if body is None:
            raise ValueError("a branch without a body")
        return nodes.Control(pos, data[4], form, slots, body, _to_items(data[6], forms))
    make = nodes.TemplateCall if kind == _CALL else nodes.Action
    return make(pos, form, slots)
