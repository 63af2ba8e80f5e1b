"""A document with everything that its text has beside its values: quotes, braces, comments.

Kustomize edits documents that strings hold without losing these; `_restyle` prints them again.
"""

import bisect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from fluvial.render.yaml._compose import compose
from fluvial.render.yaml._errors import YamlError
from fluvial.render.yaml._scalars import Dialect, Scalar, resolve
from fluvial.render.yaml._written import plain_kind

__all__ = ["Comments", "Entry", "Spelled", "StyledList", "StyledMap", "bare", "read_styled"]

_BLOCKS = ("|", ">")
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)


class Comments(NamedTuple):
    """The comments of an entry: above it, at the end of its line, and below it."""

    head: tuple[str, ...] = ()
    line: str = ""
    foot: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the text says of a key or item: the key's spelling, an alias instead of a value."""

    key: "Spelled | None" = None
    alias: str = ""
    comments: Comments = Comments()


class Spelled(str):
    """A scalar: its text, the style it is in, the type it has, and whether that is written."""

    __slots__ = ("anchor", "kind", "style", "tag")

    style: str
    kind: str
    tag: str
    anchor: str

    def __new__(
        cls, text: str, *, style: str = "", kind: str = "", tag: str = "", anchor: str = ""
    ) -> Self:
        """Tie a text to its spelling; `kind` is by default what a reader sees in it."""
        made = super().__new__(cls, text)
        made.style, made.tag, made.anchor = style, tag, anchor
        made.kind = kind or ("str" if style else plain_kind(str(text)))
        return made

    def holding(self, text: str) -> Self:
        """Return another text in the same style, of the same type."""
        return type(self)(text, style=self.style, kind=self.kind, tag=self.tag, anchor=self.anchor)


class StyledMap(dict[str, Any]):
    """A mapping; `entries` has what is known of its keys beside their values.

    `foot` are the comments at the end of the document, which only the outermost one has.
    """

    def __init__(self, *, flow: bool = False, anchor: str = "", tag: str = "") -> None:
        super().__init__()
        self.flow = flow
        self.anchor = anchor
        self.tag = tag
        self.entries: dict[Any, Entry] = {}
        self.foot: tuple[str, ...] = ()


class StyledList(list[Any]):
    """A sequence; `entries` is by index."""

    def __init__(self, *, flow: bool = False, anchor: str = "", tag: str = "") -> None:
        super().__init__()
        self.flow = flow
        self.anchor = anchor
        self.tag = tag
        self.entries: dict[Any, Entry] = {}
        self.foot: tuple[str, ...] = ()


class _Place(NamedTuple):
    """Where an entry starts, and behind which sign its line comment stands."""

    line: int
    column: int
    end: int
    owner: StyledMap | StyledList
    key: Any


class _Reader:
    """Builds the document from the events of its first document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.closed: Any = None
        self.foot: tuple[str, ...] = ()
        self.events: Iterator[Event] = iter(_events(text))
        self.anchors: dict[str, Any] = {}
        self.places: list[_Place] = []
        self.spans: list[tuple[int, int]] = []

    def document(self) -> Any:
        for event in self.events:
            if isinstance(event, NodeEvent):
                return self.node(event)
        return None

    def node(self, event: Event) -> Any:
        value: Any
        anchor, tag = getattr(event, "anchor", None) or "", getattr(event, "tag", None) or ""
        if isinstance(event, ScalarEvent):
            value = self.scalar(event, anchor, tag)
        elif isinstance(event, MappingStartEvent):
            value = StyledMap(flow=bool(event.flow_style), anchor=anchor, tag=tag)
        elif isinstance(event, SequenceStartEvent):
            value = StyledList(flow=bool(event.flow_style), anchor=anchor, tag=tag)
        else:
            raise TypeError(type(event).__name__)
        if anchor:
            self.anchors[anchor] = value
        if isinstance(value, StyledMap):
            self.mapping(value)
        elif isinstance(value, StyledList):
            self.sequence(value)
        return value

    def scalar(self, event: ScalarEvent, anchor: str, tag: str) -> Spelled:
        style = event.style if event.style in set("'\"|>") else ""
        start, end = event.start_mark, event.end_mark
        if start is not None and end is not None and (style or event.value):
            first = self.text.find("\n", start.index) if style in _BLOCKS else start.index
            self.spans.append((first, end.index))
        return Spelled(event.value, style=style or "", tag=tag, anchor=anchor)

    def entry(self, owner: StyledMap | StyledList, key: Any, start: Event, event: Event) -> Any:
        """Read the value of an entry whose text starts at `start`, and note where it stands."""
        alias = ""
        mark = start.start_mark
        number = len(self.places)
        assert mark is not None
        first = mark.index
        if isinstance(owner, StyledList) and not owner.flow:
            first = self.text.rfind("-", 0, first)
        line = self.text.count("\n", 0, first)
        column = first - self.text.rfind("\n", 0, first) - 1
        self.places.append(_Place(line, column, mark.index, owner, key))
        if isinstance(event, AliasEvent):
            alias = event.anchor or ""
            value = self.anchors[alias]
            end = event.end_mark
        else:
            value = self.node(event)
            end = event.end_mark if isinstance(event, ScalarEvent) else event.start_mark
        if isinstance(value, StyledMap | StyledList) and not alias:
            end = self.closed if value.flow else start.end_mark
        if isinstance(value, Spelled) and value.style in _BLOCKS and not alias:
            end = event.start_mark
        if end is not None:
            self.places[number] = self.places[number]._replace(end=end.index)
        spelled = key if isinstance(key, Spelled) else None
        owner.entries[key] = Entry(spelled, alias)
        return value

    def mapping(self, into: StyledMap) -> None:
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                self.closed = event.end_mark
                return
            if not isinstance(event, ScalarEvent):
                raise YamlError("a mapping key must be a scalar", file="<embedded>")
            key = self.scalar(event, event.anchor or "", event.tag or "")
            into[key] = self.entry(into, key, event, next(self.events))

    def sequence(self, into: StyledList) -> None:
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                self.closed = event.end_mark
                return
            into.append(self.entry(into, len(into), event, event))


def _events(text: str) -> Iterator[Event]:
    parser = CParser(text)
    while parser.check_event():
        event = parser.get_event()
        if event is not None:
            yield event


def bare(value: Any) -> Any:
    """Return plain dicts, lists and what the scalars mean. Raises ValueError for an odd tag."""
    if isinstance(value, dict):
        return {str(key): bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    if not isinstance(value, Spelled):
        return value
    meant: Scalar = str(value) if value.style else resolve(str(value), Dialect.KYAML)
    if value.kind == "str":
        return str(value)
    if not value.style and plain_kind(str(value)) != value.kind:
        raise ValueError(f"cannot decode {str(value)!r} as a !!{value.kind}")
    return meant


def read_styled(text: str) -> Any:
    """Read the first document of a text. Raises YamlError, as for any YAML."""
    compose(text, "<embedded>")  # checks it: syntax, depth, what Go refuses
    reader = _Reader(text)
    value = reader.document()
    _attach(text, reader)
    if isinstance(value, StyledMap | StyledList):
        value.foot = reader.foot
    return value


class _Group(NamedTuple):
    """Lines of comments without a gap, and whether blank lines are around them."""

    lines: tuple[str, ...]
    first: int
    column: int
    gap_above: bool
    gap_below: bool


def _attach(text: str, reader: _Reader) -> None:
    """Give the comments of a text to the entries that they belong to."""
    lines = text.split("\n")
    own: list[tuple[int, int, str]] = []
    spans = sorted(reader.spans)
    starts = [start for start, _ in spans]
    for match in _COMMENT.finditer(text):
        index = bisect.bisect_right(starts, match.start()) - 1
        if index >= 0 and match.start() < spans[index][1]:
            continue
        number = text.count("\n", 0, match.start())
        column = match.start() - (text.rfind("\n", 0, match.start()) + 1)
        if lines[number][:column].strip():
            _add_line(reader, text.rfind("\n", 0, match.start()), match)
        else:
            own.append((number, column, match[0].rstrip("\r")))
    for group in _groups(own, lines):
        _place(group, reader)


def _add_line(reader: _Reader, start: int, comment: re.Match[str]) -> None:
    """Give a comment to the entry on its line that ends last before it."""
    found = [place for place in reader.places if start < place.end <= comment.start()]
    if found:
        _change(max(found, key=lambda place: place.end), line=comment[0].rstrip("\r"))


def _groups(own: list[tuple[int, int, str]], lines: list[str]) -> Iterator[_Group]:
    start = 0
    for index in range(1, len(own) + 1):
        if index < len(own):
            (number, column, _), (before, other, _) = own[index], own[index - 1]
            if number == before + 1 and column == other:
                continue
        part = own[start:index]
        first, last = part[0][0], part[-1][0]
        below = last + 1 >= len(lines) or not lines[last + 1].strip()
        above = first == 0 or not lines[first - 1].strip()
        yield _Group(tuple(line for _, _, line in part), first, part[0][1], above, below)
        start = index


def _place(group: _Group, reader: _Reader) -> None:
    """Put a group above the entry that follows, or below the one it is level with."""
    before = [place for place in reader.places if place.line < group.first]
    after = next((place for place in reader.places if place.line > group.first), None)
    level = [place for place in before if place.column == group.column]
    adjacent = group.gap_below and not group.gap_above
    if after is None and group.gap_above:
        reader.foot = (*reader.foot, "", *group.lines)
    elif after is not None and (
        not level or after.column > group.column or (after.column == group.column and not adjacent)
    ):
        _change(after, head=group.lines if before else (*group.lines, *[""] * group.gap_below))
    elif level:
        _change(level[-1], foot=group.lines)
    else:
        reader.foot = (*reader.foot, *group.lines)


def _change(
    place: _Place, *, head: tuple[str, ...] = (), line: str = "", foot: tuple[str, ...] = ()
) -> None:
    entry = place.owner.entries[place.key]
    old = entry.comments
    new = Comments((*old.head, *head), line or old.line, (*old.foot, *foot))
    place.owner.entries[place.key] = entry._replace(comments=new)
