"""An index in pieces, so that one entry can be read without the million beside it.

Indexes grow to hundreds of megabytes, and a reader wants one version of one chart. YAML as every
known producer writes it is cut at its indentation, JSON by a decoder that skips; what has another
shape is read as a whole, as long as it is small.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec

from fluvial.render.helm.repository._errors import IndexInvalid
from fluvial.render.yaml import YamlError, load

__all__ = ["LARGEST_WHOLE", "Piece", "Sections", "cut"]

LARGEST_WHOLE: Final = 8 << 20
"""Bytes of an index whose shape is unknown, which must be read as a whole."""

_ENTRIES = re.compile(rb"^entries:[ ]*(?:#.*)?\n", re.MULTILINE)
_TOP = re.compile(rb"\n[^\s#]")
_LINE = re.compile(rb"\n( *)(?=[^ #\n])")
# Line ends of other systems, other documents, and breaks that Unicode has, at the start of a line.
_OTHER_LINES = re.compile(rb"\r|\n(?:---|\.\.\.| *(?:\xe2\x80[\xa8\xa9]|\xc2\x85))")
_ALIAS = re.compile(rb"[:-] +\*[A-Za-z0-9_-]+ *\n")
_FIRST_DASH = re.compile(rb"- +")
_PLAIN = re.compile(
    rb"v?[0-9]+\.[0-9]+\.[0-9][A-Za-z0-9.+_-]*"
)  # with two dots no number, but a text
_QUOTED = re.compile(rb"\"([^\"\\]*)\"|'([^']*)'")
_JSON_VERSION = msgspec.json.Decoder(type=dict[str, msgspec.Raw])


class Piece(Protocol):
    """One version of a chart, not read yet."""

    def version(self) -> str | None:
        """Return the version if it can be had cheaply."""

    def read(self) -> Any:
        """Return the entry as plain data. Raises YamlError."""


class Sections(Protocol):
    """The parts of an index: `head` is all but the entries."""

    head: Mapping[str, Any]

    def pieces(self, name: str) -> list[Piece] | None:
        """Return the versions of a chart in their order; None when there is no such chart."""

    def names(self) -> Iterator[str]:
        """Yield the names of the charts."""


def cut(data: bytes) -> Sections:
    """Cut an index. Raises IndexInvalid for what is no index, or too large for its shape."""
    stripped = data.lstrip()
    if stripped.startswith(b"{"):
        try:
            return _Json(stripped)
        except msgspec.DecodeError:
            pass  # YAML may start with a brace, too
    # An alias may mean what stands in the entries of another chart.
    sections = None if _ALIAS.search(data) else _Block.of(data)
    return sections if sections is not None else _read_whole(data)


def _read_whole(data: bytes) -> Sections:
    if len(data) > LARGEST_WHOLE:
        raise IndexInvalid(
            f"the index has an unusual shape and more than {LARGEST_WHOLE} bytes: write it as "
            "JSON, or as helm repo index does"
        )
    try:
        return _Whole(load(data, file="index.yaml"))
    except YamlError as error:
        raise IndexInvalid(f"the index is no YAML: line {error.line}: {error.problem}") from None


class _Read:
    """A piece that was read with the rest."""

    def __init__(self, entry: Any) -> None:
        self._entry = entry

    def version(self) -> str | None:
        """Return what the entry says, unless that is no text."""
        found = self._entry.get("version") if isinstance(self._entry, dict) else None
        return found if isinstance(found, str) else None

    def read(self) -> Any:
        """Return the entry."""
        return self._entry


class _Whole:
    """An index in memory."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise IndexInvalid("the index holds no mapping")
        entries = document.pop("entries", None) or {}
        if not isinstance(entries, dict):
            raise IndexInvalid("entries of the index must be a mapping")
        self.head: Mapping[str, Any] = document
        self._entries = entries

    def pieces(self, name: str) -> list[Piece] | None:
        """Return the versions of a chart."""
        if name not in self._entries:
            return None
        versions = self._entries[name]
        return [_Read(entry) for entry in versions] if isinstance(versions, list) else []

    def names(self) -> Iterator[str]:
        """Yield the names."""
        yield from self._entries


class _Top(msgspec.Struct, rename="camel"):
    api_version: Any = None
    generated: Any = None
    entries: dict[str, msgspec.Raw] | None = None


class _JsonPiece:
    def __init__(self, raw: msgspec.Raw) -> None:
        self._raw = raw

    def version(self) -> str | None:
        """Look at the one field."""
        try:
            found = msgspec.json.decode(_JSON_VERSION.decode(self._raw).get("version", b"null"))
        except msgspec.DecodeError:
            return None
        return found if isinstance(found, str) else None

    def read(self) -> Any:
        """Decode the entry."""
        return msgspec.json.decode(self._raw)


class _Json:
    """An index in JSON, of which only the outline was read. Raises msgspec.DecodeError."""

    def __init__(self, data: bytes) -> None:
        top = msgspec.json.decode(data, type=_Top)
        self.head: Mapping[str, Any] = {
            "apiVersion": top.api_version,
            "generated": top.generated,
        }
        self._entries = top.entries or {}

    def pieces(self, name: str) -> list[Piece] | None:
        """Split the list of one chart."""
        if name not in self._entries:
            return None
        try:
            found = msgspec.json.decode(self._entries[name], type=list[msgspec.Raw] | None)
        except msgspec.ValidationError:
            return []
        return [_JsonPiece(raw) for raw in found or ()]

    def names(self) -> Iterator[str]:
        """Yield the names."""
        yield from self._entries


class _BlockPiece:
    """The lines of one version; `column` is where its keys stand."""

    __slots__ = ("_column", "_data", "_end", "_start")

    def __init__(self, data: bytes, start: int, end: int, column: int) -> None:
        self._data, self._start, self._end, self._column = data, start, end, column

    def version(self) -> str | None:
        """Find the line with the version, at the column of the keys."""
        match = _version_line(self._column).search(self._data, self._start - 1, self._end)
        if match is None:
            return None
        text = match[1].rstrip()
        if _PLAIN.fullmatch(text):
            return text.decode()
        quoted = _QUOTED.fullmatch(text)
        return (quoted[1] or quoted[2] or b"").decode("utf-8", "replace") if quoted else None

    def read(self) -> Any:
        """Parse the lines: a list of one."""
        found = load(self._data[self._start : self._end], file="index.yaml")
        return found[0] if isinstance(found, list) and len(found) == 1 else None


# Expressions begin with the line break: that is what the engine searches for fast.


@functools.cache
def _version_line(column: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n[ -]{%d}[\"']?version[\"']?:[ ]+(.+)" % column)


@functools.cache
def _left_of(indent: int) -> re.Pattern[bytes]:
    """Find a line that stands further left."""
    return re.compile(rb"\n {0,%d}[^ \n#]" % (indent - 1))


@functools.cache
def _key_at(indent: int) -> re.Pattern[bytes]:
    """Find a line at a column that is no item of a list."""
    return re.compile(rb"\n {%d}(?:[^ \n#-]|-[^ \n])" % indent)


@functools.cache
def _odd_key_at(indent: int) -> re.Pattern[bytes]:
    """Find a key that is not written as it is called: with escapes, a tag, an anchor, an alias."""
    return re.compile(rb"\n {%d}(?:[?&!*]|\"[^\"\n]*\\|'[^'\n]*'')" % indent)


@functools.cache
def _dash_at(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n {%d}-(?=[ \n])" % indent)


def _named(indent: int, name: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"\n {%d}(?:(?P<plain>%s)|\"(?P<double>%s)\"|'(?P<single>%s)')[ ]*:(?=[ \n]|\Z)"
        % (indent, name, name, name)
    )


class _Block:
    """An index in block style, as helm, ChartMuseum and chart-releaser write it.

    The entries are what stands between two positions of `data`; a line break is before the first.
    """

    def __init__(self, data: bytes, head: Mapping[str, Any], start: int, end: int) -> None:
        self.head = head
        self._data, self._start, self._end = data, start, end
        first = _LINE.search(data, start - 1, end)
        self._indent = len(first[1]) if first else 1

    @classmethod
    def of(cls, data: bytes) -> "_Block | None":
        """Return None for another shape."""
        found = _ENTRIES.search(data)
        if found is None or _OTHER_LINES.search(data):
            return None
        start = found.end()
        following = _TOP.search(data, start - 1)
        end = following.start() + 1 if following else len(data)
        try:
            head = load(data[: found.start()] + data[end:], file="index.yaml")
        except YamlError:
            return None
        if not isinstance(head, dict) or "entries" in head:
            return None
        block = cls(data, head, start, end)
        indent, odd = block._indent, (_left_of, _odd_key_at)
        if not indent or any(find(indent).search(data, start - 1, end) for find in odd):
            return None
        return block

    def names(self) -> Iterator[str]:
        """Yield what stands before the colons."""
        anything = _named(self._indent, rb"[^ \n\"'#-][^\n\"':#]*?")
        for match in anything.finditer(self._data, self._start - 1, self._end):
            yield (match["plain"] or match["double"] or match["single"]).decode("utf-8", "replace")

    def pieces(self, name: str) -> list[Piece] | None:
        """Return the lines of each version, or what the section holds in another shape."""
        wanted = _named(self._indent, re.escape(name.encode()))
        spans = [match.end() for match in wanted.finditer(self._data, self._start - 1, self._end)]
        if not spans:
            return None
        following = _key_at(self._indent).search(self._data, spans[-1], self._end)
        end = following.start() + 1 if following else self._end
        return self._items(spans[-1], end)

    def _items(self, colon: int, end: int) -> list[Piece]:
        """Cut what follows a key at the dashes."""
        data = self._data
        line_end = data.find(b"\n", colon, end)
        first = _LINE.search(data, line_end, end) if line_end >= 0 else None
        if first is None or data[colon:line_end].partition(b" #")[0].strip():
            return self._odd(colon, end)
        indent = len(first[1])
        dash = _FIRST_DASH.match(data, first.end())
        if (
            dash is None
            or _left_of(indent).search(data, line_end, end)
            or _key_at(indent).search(data, line_end, end)
        ):
            return self._odd(colon, end)
        column = indent + len(dash[0])
        starts = [match.start() + 1 for match in _dash_at(indent).finditer(data, line_end, end)]
        return [
            _BlockPiece(data, start, stop, column)
            for start, stop in zip(starts, [*starts[1:], end], strict=True)
        ]

    def _odd(self, colon: int, end: int) -> list[Piece]:
        """Read a section of another shape as a whole."""
        if end - colon > LARGEST_WHOLE:
            raise IndexInvalid(f"a chart has more than {LARGEST_WHOLE} bytes of unusual shape")
        try:
            found = load(b"versions:" + self._data[colon:end], file="index.yaml")["versions"]
        except YamlError:
            return []
        return [_Read(entry) for entry in found] if isinstance(found, list) else []
