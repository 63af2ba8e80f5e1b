"""Reading: our own resolver and constructor decide what composed nodes mean."""

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fluvial.render.yaml._compose import PLAIN, QUOTED, compose
from fluvial.render.yaml._depth import DEEPEST, deepest
from fluvial.render.yaml._errors import Position, YamlError
from fluvial.render.yaml._folded import refold
from fluvial.render.yaml._places import place_of, pointers, position_of, size_of
from fluvial.render.yaml._scalars import Dialect, Scalar, resolve
from fluvial.render.yaml._written import Written, plain_scalar

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

    `written` says whether there is a `Written` in it. `places` has the place of each
    value (of its key, in mappings); None when they were not asked for. `blanks` are the keys
    without a value.
    """

    value: Any
    line: int
    places: list[int] | None
    blanks: list[Blank]
    written: bool = False

    @property
    def positions(self) -> dict[str, Position] | None:
        """The place of each value by pointer, counted from 1; None when not asked for.

        Ask before the value is changed.
        """
        if self.places is None:
            return None
        return dict(zip(pointers(self.value), map(position_of, self.places), strict=True))


class _Source(NamedTuple):
    """A text, and what is asked of it once for all of its documents."""

    text: str
    file: str
    aliases: bool
    merges: bool


class _Constructor:
    """Turns the nodes of one document into plain dicts, lists and scalars."""

    def __init__(
        self, source: _Source, dialect: Dialect, *, unique: bool, written: str | None
    ) -> None:
        self.text = source.text
        self.file = source.file
        self.dialect = dialect
        self.unique = unique
        self.written = written
        self.found_written = False
        self.blanks: list[Blank] = []
        self.places: list[int] | None = None
        self._merges = source.merges
        self._aliases = source.aliases
        self._seen: set[int] = set()
        self._open: list[int] = []
        self._expanded = 0
        self._inside_alias = 0
        self._build: dict[type[Node], Callable[[Any], Any]] = {
            MappingNode: self.mapping,
            SequenceNode: self.sequence,
        }

    def fail(self, problem: str, node: Node) -> YamlError:
        mark = node.start_mark
        return YamlError(
            problem, file=self.file, line=mark.line + 1, column=mark.column + 1, text=self.text
        )

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            if self._inside_alias:
                self._spend(node)
            return self.scalar(node) if self.written is None else self._as_written(node)
        if len(self._open) >= DEEPEST and len(self._open) >= deepest():
            raise self.fail(f"nested deeper than {deepest()} levels", node)
        if not self._aliases:
            self._open.append(0)
            built = self._build[type(node)](node)
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
        built = self._build[type(node)](node)
        self._inside_alias -= again
        self._open.pop()
        return built

    def _spend(self, node: Node) -> None:
        """Count what aliases repeat, so that a small file cannot grow without bound."""
        self._expanded += 1
        if self._expanded > max(_BOMB, 10 * len(self.text)) or self._expanded > 4_000_000:
            raise self.fail("document contains excessive aliasing", node)

    def sequence(self, node: SequenceNode) -> list[Any]:
        value = self.value
        places = self.places
        built: list[Any] = []
        for child in node.value:
            if places is not None:
                mark = child.start_mark
                places.append(place_of(mark.line, mark.column))
            built.append(value(child))
        return built

    def mapping(self, node: MappingNode) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: set[str] = set()
        places = self.places
        # Where an entry may not be behind those before it, each collects its places for itself.
        apart: dict[str, list[int]] | None = None
        if places is not None and (self._merges or not self.unique):
            apart = {}
        lines: dict[str, int] = {}
        merging = False
        for key_node, value_node in node.value:
            tag = key_node.tag
            if key_node.value == "<<" and tag in {PLAIN, f"{_TAG}merge"}:
                if merging and self.dialect is Dialect.KYAML:
                    raise self.fail("duplicate merge key", key_node)
                merging = True
                self._merge(built, merged, value_node, apart)
                continue
            if key_node.value == "<<" and self.dialect is Dialect.KYAML:
                continue  # upstream clears the merge key by its text, so a quoted one goes too
            key = self.key(key_node)
            if key in built and key not in merged and self.unique:
                raise self.fail(
                    f'mapping key "{key}" already defined at line {lines.get(key, 0)}', key_node
                )
            merged.discard(key)
            mark = key_node.start_mark
            if self.unique:
                lines[key] = mark.line + 1
            if places is not None:
                place = place_of(mark.line, mark.column)
                if apart is None:
                    places.append(place)
                else:
                    self.places = apart[key] = [place]
            if value_node.value == "" and value_node.tag == PLAIN:
                self.blanks.append(Blank(built, key, bool(node.flow_style)))
            built[key] = self.value(value_node)
        if places is not None and apart is not None:
            self.places = places
            for entry in apart.values():
                places += entry
        return built

    def _merge(
        self,
        built: dict[str, Any],
        merged: set[str],
        node: Node,
        apart: dict[str, list[int]] | None,
    ) -> None:
        """Apply a `<<` key: earlier maps of a list win, and every explicit key wins over all."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                raise self.fail("map merge requires map or sequence of maps as the value", source)
            keep, self.places = self.places, None
            extra = self.value(source)
            self.places = keep
            for key, item in extra.items():
                if key not in built:
                    built[key] = item
                    merged.add(key)
                    if apart is not None:
                        mark = source.start_mark
                        apart[key] = [place_of(mark.line, mark.column)] * size_of(item)

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

    def _as_written(self, node: ScalarNode) -> Scalar:
        """Keep the text of a scalar where it says more than the value."""
        if node.tag == PLAIN:
            value = plain_scalar(node.value)
        elif node.tag != QUOTED:
            return self.scalar(node)
        elif node.style == ">" or (self.written == "styles" and node.style):
            value = Written.quoted(node.value, node.style)
        else:
            return str(node.value)
        if isinstance(value, float) and value - value != 0:
            raise self.fail(f"{node.value} has no JSON form", node)
        if isinstance(value, Written):
            self.found_written = True
        return value

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
    written: str | None = None,
    first: bool = False,
) -> list[Document]:
    """Read every document of a stream, empty ones (null) left out.

    `file` is the name that errors quote. `unique_keys` makes a repeated key an error; by default
    it is one in KYAML and none in SIGS, where the last wins. `written` keeps the texts of scalars:
    `odd` of those that could be written shorter, and of folded ones, `styles` of all in quotes too.
    `first` reads one document, as Go's Unmarshal does: nobody looks at what comes after it.
    Raises YamlError.
    """
    decoded = _decode(text, file)
    unique = dialect is Dialect.KYAML if unique_keys is None else unique_keys
    source = _Source(decoded, file, "*" in decoded and "&" in decoded, "<<" in decoded)
    documents = []
    for node in compose(decoded, file, first=first):
        constructor = _Constructor(source, dialect, unique=unique, written=written)
        mark = node.start_mark
        if positions:
            constructor.places = [place_of(mark.line, mark.column)]
        value = constructor.value(node)
        if value is not None:
            kept = (constructor.places, constructor.blanks, constructor.found_written)
            documents.append(Document(value, mark.line + 1, *kept))
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
    """Read the first document, as Go's Unmarshal does; None when it is empty.

    What comes after it, or after the `...` that may end it, is not looked at.
    """
    documents = load_documents(
        text, file=file, dialect=dialect, unique_keys=unique_keys, first=True
    )
    return documents[0].value if documents else None
