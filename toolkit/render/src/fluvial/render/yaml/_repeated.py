"""Keys that a map names twice, as Go's strict decoder reports them."""

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fluvial.render.yaml._compose import PLAIN, compose
from fluvial.render.yaml._scalars import Scalar, resolve

__all__ = ["repeated_keys"]


def repeated_keys(text: str) -> list[tuple[int, Scalar]]:
    """Return line and key of every entry of a map whose key the map has already.

    Of the first document, in the order in which Go's decoder finds them (inner maps before the
    entry that holds them). The line, counted from 1, is the one where the entry's value begins.
    Raises `YamlError`.
    """
    found: list[tuple[int, Scalar]] = []
    for root in compose(text, "")[:1]:
        _walk(root, found, set())
    return found


def _walk(node: Node, found: list[tuple[int, Scalar]], seen: set[int]) -> None:
    if id(node) in seen:
        return  # an alias
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for item in node.value:
            _walk(item, found, seen)
    if not isinstance(node, MappingNode):
        return
    keys: set[Scalar] = set()
    for key_node, value_node in node.value:
        _walk(value_node, found, seen)
        if not isinstance(key_node, ScalarNode) or key_node.value == "<<":
            continue
        key = resolve(key_node.value) if key_node.tag == PLAIN else key_node.value
        if key in keys:
            found.append((value_node.start_mark.line + 1, key))
        keys.add(key)
