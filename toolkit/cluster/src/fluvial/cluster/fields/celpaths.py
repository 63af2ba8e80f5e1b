"""Paths of fields in CEL expressions, followed by hand: which of them lead nowhere.

Objects are maps without a type for each field to the CEL library, so its checker cannot tell that a
field is not there. Paths that begin at a name of known type are followed here as far as they go
without an index or a macro; what is wrong is said in the words of a typed checker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

__all__ = ["STRINGS", "complaint", "undefined_fields"]

STRINGS = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
"""Literals of strings, in which no path is."""

_STEP = re.compile(r"\.(?P<name>[A-Za-z_]\w*)(?P<call>\(?)")

Node = TypeVar("Node")


def undefined_fields(
    expression: str, roots: Mapping[str, Node], child: Callable[[Node, str], Node | None]
) -> Iterator[str]:
    """Yield a complaint for each path that leads to a field which is not there.

    `roots` are the types of names; `child` returns the type of a field, None where anything may
    follow, and raises KeyError for a field that is not there.
    """
    names = "|".join(map(re.escape, roots))
    chains = re.compile(rf"(?<![.\w])(?P<root>{names})(?P<steps>(?:\.[A-Za-z_]\w*\(?)+)")
    blank = STRINGS.sub(lambda literal: " " * len(literal.group(0)), expression)
    for chain in chains.finditer(blank):
        node: Node | None = roots[chain["root"]]
        for step in _STEP.finditer(chain["steps"]):
            if node is None or step["call"]:
                break
            try:
                node = child(node, step["name"])
            except KeyError:
                place = chain.start("steps") + step.start()
                yield complaint(expression, place, f"undefined field '{step['name']}'")
                break


def complaint(source: str, place: int, text: str) -> str:
    """Return an error as CEL prints it: where it is, and the line with a pointer to it."""
    line = source.count("\n", 0, place)
    column = place - (source.rfind("\n", 0, place) + 1)
    shown = source.splitlines()[line] if source else ""
    return f"ERROR: <input>:{line + 1}:{column + 1}: {text}\n | {shown}\n | {'.' * column}^"
