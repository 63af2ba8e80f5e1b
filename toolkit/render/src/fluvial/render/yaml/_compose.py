r"""From text to nodes: libyaml composes, and where Go's scanner differs from it Go is followed.

Go refuses the escape `\/` and `%YAML 1.2`, reads `\'` in double quotes as a quote, and lets an
anchor be defined again. Untagged scalars come out marked only as PLAIN or QUOTED.
"""

import re
from collections.abc import Iterator
from itertools import islice

import yaml as pyyaml
from yaml._yaml import CParser
from yaml._yaml import Mark as CMark
from yaml.composer import Composer, ComposerError
from yaml.error import Mark
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    ScalarEvent,
)
from yaml.nodes import Node, ScalarNode
from yaml.scanner import ScannerError

from fluvial.render.yaml._depth import DEEPEST, deepest
from fluvial.render.yaml._errors import YamlError

__all__ = ["PLAIN", "QUOTED", "compose"]

PLAIN, QUOTED = "plain", "quoted"
_INDENTED = re.compile(rf"^[ ?:-]{{{DEEPEST // 2},}}", re.MULTILINE)
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_DIRECTIVE = re.compile(r"^%YAML", re.MULTILINE)
_EMPTY = re.compile(r"\{\s*\}|\[\s*\]")
_COMMENTS = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
_NO_COLON = "while scanning a simple key: could not find expected ':'"
_MOST_QUOTES = 100


class _Tags:
    """Answers to a composer's question for the tags of untagged nodes."""

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        """Mark scalars as plain or quoted; collections get the same neutral tag."""
        return PLAIN if kind is ScalarNode and implicit[0] else QUOTED

    def descend_resolver(self, _parent: object, _index: object) -> None:
        """Ignore the path: no tag depends on it."""

    def ascend_resolver(self) -> None:
        """Ignore the path: no tag depends on it."""


class _Composer(_Tags, CParser):
    """libyaml's composer."""


class _Redefining(_Tags, Composer):
    """PyYAML's composer on libyaml's events, for texts that define an anchor twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        parser = CParser(text)
        self.check_event = parser.check_event
        self.peek_event = parser.peek_event
        self.get_event = parser.get_event

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Forget the anchor's earlier node before the new one is composed."""
        event = self.peek_event()
        if not isinstance(event, AliasEvent):
            self.anchors.pop(getattr(event, "anchor", None), None)
        return super().compose_node(parent, index)


def compose(text: str, file: str, *, first: bool = False) -> list[Node]:
    """Return the root nodes of every document, or of the `first` one and look no further.

    Raises YamlError that quotes the place.
    """
    try:
        _check(text, file, first=first)
        return _compose(text, 1 if first else None)
    except pyyaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or str(error)
        if error.context:
            problem = f"{error.context}: {problem}"
        at = error.context_mark
        if problem == _NO_COLON and at is not None and _follows_a_value(text, _index(text, at)):
            problem, mark = "did not find expected key", at
        raise _error(problem, mark, text, file) from None
    except pyyaml.YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
        reason = getattr(error, "reason", str(error))
        raise YamlError(str(reason), file=file, line=line, text=text) from None


def _follows_a_value(text: str, index: int) -> bool:
    """Whether an empty collection stands where a key should, after an entry that has a value.

    Go's reader has seen that it is no key before it looks for the colon.
    """
    before = _COMMENTS.sub("", text[:index]).rstrip()
    return bool(_EMPTY.match(text, index)) and not before.endswith(":")


def _index(text: str, mark: Mark | CMark) -> int:
    """Return where a place is; its own index counts in another encoding."""
    return sum(map(len, text.splitlines(keepends=True)[: mark.line])) + int(mark.column)


def _error(problem: str, mark: Mark | CMark | None, text: str, file: str) -> YamlError:
    line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
    return YamlError(problem, file=file, line=line, column=column, text=text)


def _compose(text: str, most: int | None) -> list[Node]:
    kind: type[_Composer | _Redefining] = _Composer
    quotes = 0
    while True:
        try:
            return list(islice(_roots(kind(text)), most))
        except ComposerError as error:
            if "duplicate anchor" not in (error.context or "") or kind is _Redefining:
                raise
            kind = _Redefining
        except ScannerError as error:
            mark = error.problem_mark
            if mark is None or text[mark.index : mark.index + 2] != "\\'":
                raise
            quotes += 1
            if quotes > _MOST_QUOTES:
                raise
            text = f"{text[: mark.index]}{text[mark.index + 1 :]}"


def _roots(composer: _Composer | _Redefining) -> Iterator[Node]:
    while composer.check_node():
        node = composer.get_node()
        assert node is not None
        yield node


def _check(text: str, file: str, *, first: bool) -> None:
    """Refuse what Go's scanner does, and nesting that would exhaust the C composer's stack.

    Few brackets, and no line that starts with many indicators or spaces, prove that nothing is
    nested too deep; the events are only looked at when a text is suspicious.
    """
    brackets = text.count("[") + text.count("{")
    deep = brackets > DEEPEST or _INDENTED.search(text)
    if not deep and "\\/" not in text and not ("%" in text and _DIRECTIVE.search(text)):
        return
    depth = 0
    parser = CParser(text)
    while parser.check_event():
        event = parser.get_event()
        problem = ""
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > DEEPEST and depth > deepest():
                problem = f"nested deeper than {deepest()} levels"
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        elif isinstance(event, DocumentStartEvent):
            if event.version not in {None, (1, 1)}:
                problem = "found incompatible YAML document: only version 1.1 is read"
        elif isinstance(event, ScalarEvent) and event.style == '"' and "/" in event.value:
            mark = event.start_mark
            if mark and event.end_mark and _SLASH.search(text, mark.index, event.end_mark.index):
                problem = r"found unknown escape character: write / instead of \/"
        elif first and isinstance(event, DocumentEndEvent):
            return
        if problem:
            raise _error(problem, event.start_mark if event else None, text, file)
