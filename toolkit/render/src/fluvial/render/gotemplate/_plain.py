"""Parsed templates as plain data, and back: lists, strings and numbers, for a store.

Actions are kept as their sources, each once, and parsed again: an action is short, its form is
known after one look, and no tree of expressions has to be trusted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._actions import form_of
from fluvial.render.gotemplate._parse import Parsed, Tree

__all__ = ["from_plain", "to_plain"]

_TEXT, _ACTION, _CALL, _BREAK, _CONTINUE, _CONTROL = range(6)


def to_plain(several: Iterable[Parsed]) -> list[Any]:
    """Make plain data of what texts define: the sources of their actions, then a part for each."""
    sources: dict[str, int] = {}
    parts = [
        [
            [
                [tree.name, tree.frame, tree.empty, _items(tree.body, sources)]
                for tree in parsed.trees
            ],
            list(parsed.functions.items()),
        ]
        for parsed in several
    ]
    return [list(sources), parts]


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


def from_plain(data: Any, names: Sequence[str]) -> dict[str, Parsed]:
    """Make trees of plain data, each body when it is wanted first.

    Raises ValueError, LookupError or TypeError for data of another form.
    """
    sources, parts = data
    made = {}
    for name, (trees, functions) in zip(names, parts, strict=True):
        kept = [
            Tree(tree_name, _to_body(body, sources), frame, empty)
            for tree_name, frame, empty, body in trees
        ]
        made[name] = Parsed(name, kept, dict(functions))
    return made


def _to_body(data: Any, sources: list[str]) -> nodes.Items:
    items = _to_items(data, sources)
    if items is None:
        raise ValueError("a tree or a branch without a body")
    return items


def _to_items(data: Any, sources: list[str]) -> nodes.Items | None:
    if data is None:
        return None
    pos, inner = data
    if not inner:
        return nodes.Items(pos)
    return nodes.Items(pos, lambda: [_to_node(node, sources) for node in inner])


def _to_node(data: Any, sources: list[str]) -> nodes.Node:
    kind, pos = data[0], data[1]
    if kind == _TEXT:
        return nodes.Text(pos, data[2])
    if kind == _BREAK:
        return nodes.Break(pos)
    if kind == _CONTINUE:
        return nodes.Continue(pos)
    form, slots = form_of(sources[data[2]]), tuple(data[3])
    if kind == _CONTROL:
        body, otherwise = _to_body(data[5], sources), _to_items(data[6], sources)
        return nodes.Control(pos, data[4], form, slots, body, otherwise)
    make = nodes.TemplateCall if kind == _CALL else nodes.Action
    return make(pos, form, slots)
