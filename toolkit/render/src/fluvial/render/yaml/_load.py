"""Reading: our own resolver and constructor decide what composed nodes mean."""

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fluvial.render.yaml._compose import DEEPEST, PLAIN, QUOTED, compose
from fluvial.render.yaml._errors import Position, YamlError
from fluvial.render.yaml._folded import refold
from fluvial.render.yaml._scalars import Dialect, Scalar, resolve

__all__ = ["Blank", "Document", "load", "load_all", "load_documents"]

_TAG = "tag:yaml.org,2002:"
_BOMB = 100_000


class Blank(NamedTuple):
    """A key of a map that has no value, not even a written null: `key:`, or in flow style `{key}`.

    It is a null to whoever reads it, but kustomize prints flow ones as empty strings, and its
    patches drop the others.
    """

    mapping: dict[str, Any]
    key: str
    flow: bool


class Document(NamedTuple):
    """One document of a stream.

    `marks` maps RFC 6901 pointers to the scanner's mark of each value (of its key, in mappings),
    whose `line` and `column` count from 0; None when they were not asked for. `blanks` are the keys
    without a value.
    """

    value: Any
    line: int
    marks: dict[str, Any] | None
    blanks: list[Blank]

    @property
    def positions(self) -> dict[str, Position] | None:
        """The place of each value by pointer, counted from 1; None when not asked for."""
        if self.marks is None:
            return None
        return {
            pointer: Position(mark.line + 1, mark.column + 1)
            for pointer, mark in self.marks.items()
        }


class _Constructor:
    """Turns the nodes of one document into plain dicts, lists and scalars."""

    def __init__(self, text: str, file: str, dialect: Dialect, *, unique: bool) -> None:
        self.text = text
        self.file = file
        self.dialect = dialect
        self.unique = unique
        self.blanks: list[Blank] = []
        self.marks: dict[str, Any] | None = None
        self._aliases = "*" in text and "&" in text
        self._seen: set[int] = set()
        self._open: list[int] = []
        self._expanded = 0
        self._inside_alias = 0
        self._build: dict[type[Node], Callable[[Any, str], Any]] = {
            MappingNode: self.mapping,
            SequenceNode: self.sequence,
        }

    def fail(self, problem: str, node: Node) -> YamlError:
        mark = node.start_mark
        return YamlError(
            problem, file=self.file, line=mark.line + 1, column=mark.column + 1, text=self.text
        )

    def value(self, node: Node, pointer: str) -> Any:
        if isinstance(node, ScalarNode):
            if self._inside_alias:
                self._spend(node)
            return self.scalar(node)
        if len(self._open) >= DEEPEST:
            raise self.fail(f"nested deeper than {DEEPEST} levels", node)
        if not self._aliases:
            self._open.append(0)
            built = self._build[type(node)](node, pointer)
            self._open.pop()
            return built
        key = id(node)
        if key in self._open:
            raise self.fail("an anchor's value contains itself", node)
        again = key in self._seen
        self._seen.add(key)
        self._open.append(key)
        self._inside_alias += again
        if self._inside_alias:
            self._spend(node)
        built = self._build[type(node)](node, pointer)
        self._inside_alias -= again
        self._open.pop()
        return built

    def _spend(self, node: Node) -> None:
        """Count what aliases repeat, so that a small file cannot grow without bound."""
        self._expanded += 1
        if self._expanded > max(_BOMB, 10 * len(self.text)) or self._expanded > 4_000_000:
            raise self.fail("document contains excessive aliasing", node)

    def sequence(self, node: SequenceNode, pointer: str) -> list[Any]:
        marks = self.marks
        value = self.value
        built: list[Any] = []
        if marks is None:
            for child in node.value:
                built.append(value(child, ""))  # noqa: PERF401 -- a frame less on deep trees
            return built
        for index, child in enumerate(node.value):
            inner = f"{pointer}/{index}"
            marks[inner] = child.start_mark
            built.append(value(child, inner))
        return built

    def mapping(self, node: MappingNode, pointer: str) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: set[str] = set()
        marks = self.marks
        lines: dict[str, int] = {}
        merging = False
        for key_node, value_node in node.value:
            tag = key_node.tag
            if key_node.value == "<<" and tag in {PLAIN, f"{_TAG}merge"}:
                if merging and self.dialect is Dialect.KYAML:
                    raise self.fail("duplicate merge key", key_node)
                merging = True
                self._merge(built, merged, value_node, pointer)
                continue
            if key_node.value == "<<" and self.dialect is Dialect.KYAML:
                continue  # upstream clears the merge key by its text, so a quoted one goes too
            key = self.key(key_node)
            if key in built and key not in merged and self.unique:
                raise self.fail(
                    f'mapping key "{key}" already defined at line {lines.get(key, 0)}', key_node
                )
            merged.discard(key)
            inner = ""
            if self.unique:
                lines[key] = key_node.start_mark.line + 1
            if marks is not None:
                part = key
                if "/" in key or "~" in key:
                    part = key.replace("~", "~0").replace("/", "~1")
                inner = f"{pointer}/{part}"
                marks[inner] = key_node.start_mark
            if value_node.value == "" and value_node.tag == PLAIN:
                self.blanks.append(Blank(built, key, bool(node.flow_style)))
            built[key] = self.value(value_node, inner)
        return built

    def _merge(self, built: dict[str, Any], merged: set[str], node: Node, pointer: str) -> None:
        """Apply a `<<` key: earlier maps of a list win, and every explicit key wins over all."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                raise self.fail("map merge requires map or sequence of maps as the value", source)
            keep, self.marks = self.marks, None
            extra = self.value(source, "")
            self.marks = keep
            for key, item in extra.items():
                if key not in built:
                    built[key] = item
                    merged.add(key)
                    if keep is not None:
                        inner = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
                        keep[inner] = source.start_mark

    def key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self.fail("a mapping key must be a scalar", node)
        value = self.scalar(node)
        if isinstance(value, str) and (node.tag != PLAIN or value == node.value):
            return value
        if value is not None and self.dialect is Dialect.KYAML and len(self._open) == 1:
            return str(node.value)  # the outermost map takes any key by its text
        if value is None or self.dialect is Dialect.KYAML:
            raise self.fail(f"unsupported mapping key {node.value!r}: it is not a string", node)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else f"{value:.7g}"

    def scalar(self, node: ScalarNode) -> Scalar:
        tag, text = node.tag, node.value
        if tag == QUOTED or self.dialect is Dialect.TEXT:
            folded = node.style == ">" and self.dialect is Dialect.KYAML
            return refold(text) if folded else str(text)
        if tag == PLAIN:
            value = resolve(text, self.dialect)
            if isinstance(value, float) and value - value != 0:
                raise self.fail(f"{text} has no JSON form", node)
            return value
        return self._tagged(tag.removeprefix(_TAG), node)

    def _tagged(self, tag: str, node: ScalarNode) -> Scalar:
        text: str = node.value
        if tag == "binary":
            try:
                decoded = base64.b64decode("".join(text.split()), validate=True)
            except ValueError:  # also of letters beyond ASCII
                raise self.fail("!!binary value is no base64", node) from None
            return decoded.decode(errors="replace")
        if tag == "timestamp":
            return resolve(text, Dialect.KYAML)
        expected: dict[str, type | tuple[type, ...]] = {
            "int": int,
            "float": (int, float),
            "bool": bool,
            "null": type(None),
        }
        if tag not in expected:
            return text
        value = resolve(text, self.dialect)
        if not isinstance(value, expected[tag]) or (tag == "int" and isinstance(value, bool)):
            raise self.fail(f"cannot decode {text!r} as !!{tag}", node)
        return value


def _decode(text: str | bytes, file: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-16" if text[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise YamlError("invalid UTF-8", file=file, line=line) from None


def load_documents(
    text: str | bytes,
    *,
    file: str = "<input>",
    dialect: Dialect = Dialect.SIGS,
    unique_keys: bool | None = None,
    positions: bool = False,
) -> list[Document]:
    """Read every document of a stream, empty ones (null) left out.

    `file` is the name that errors quote. `unique_keys` makes a repeated key an error; by default
    it is one in KYAML and none in SIGS, where the last wins. Raises YamlError.
    """
    decoded = _decode(text, file)
    unique = dialect is Dialect.KYAML if unique_keys is None else unique_keys
    documents = []
    for node in compose(decoded, file):
        constructor = _Constructor(decoded, file, dialect, unique=unique)
        mark = node.start_mark
        if positions:
            constructor.marks = {"": mark}
        value = constructor.value(node, "")
        if value is not None:
            documents.append(Document(value, mark.line + 1, constructor.marks, constructor.blanks))
    return documents


def load_all(
    text: str | bytes,
    *,
    file: str = "<input>",
    dialect: Dialect = Dialect.SIGS,
    unique_keys: bool | None = None,
) -> list[Any]:
    """Read the values of every document; see `load_documents`."""
    documents = load_documents(text, file=file, dialect=dialect, unique_keys=unique_keys)
    return [document.value for document in documents]


def load(
    text: str | bytes,
    *,
    file: str = "<input>",
    dialect: Dialect = Dialect.SIGS,
    unique_keys: bool | None = None,
) -> Any:
    """Read the first document, as Go's Unmarshal does; None when the stream holds nothing."""
    values = load_all(text, file=file, dialect=dialect, unique_keys=unique_keys)
    return values[0] if values else None
