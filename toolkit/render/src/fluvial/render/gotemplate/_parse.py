"""The parser: actions to trees, one for the text itself and one for each `define` and `block`.

Variables are resolved here. A template's variables live in a frame; `$` is slot 0, and a slot is
used again when the block of its variable has ended.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._actions import Form, Problem, form_of
from fluvial.render.gotemplate._errors import TemplateSyntaxError
from fluvial.render.gotemplate._lex import Piece, line_at, pieces
from fluvial.render.gotemplate._quote import quote

__all__ = ["Parsed", "Tree", "parse"]

_DEEPEST: Final = 400
_UNBOUND: Final = -1
_CONTROLS: Final = frozenset(["if", "with", "range"])


class Tree(NamedTuple):
    """One template. `frame` is how many variables its execution holds at most.

    One that is `empty`, nothing but blanks, does not replace another definition.
    """

    name: str
    body: nodes.Items
    frame: int
    empty: bool


class Parsed(NamedTuple):
    """What one text defines, itself as `name` included, and where it calls functions first."""

    name: str
    trees: list[Tree]
    functions: dict[str, int]


def parse(name: str, text: str) -> Parsed:
    """Parse a text named `name`. Raises TemplateSyntaxError.

    The error's `functions` are the calls before it: one of a function that does not exist is what
    Go would have complained about.
    """
    parser = _Parser(name, text)
    try:
        return parser.run()
    except TemplateSyntaxError as error:
        error.functions = parser.functions
        raise


class _Scope:
    """The variables of one template being parsed.

    `past` are those of a body whose `else` is being parsed: Go's parser takes them for declared
    there, but whatever executes the `else` has not executed the body, and does not find them.
    """

    def __init__(self) -> None:
        self.names = ["$"]
        self.past: list[str] = []
        self.frame = 1
        self.ranges = 0

    def find(self, name: str) -> int:
        """Return the slot of the innermost variable of a name, or -1."""
        for slot in range(len(self.names) - 1, -1, -1):
            if self.names[slot] == name:
                return slot
        return _UNBOUND

    def declare(self, name: str) -> int:
        """Make a variable; return its slot."""
        self.names.append(name)
        self.frame = max(self.frame, len(self.names))
        return len(self.names) - 1

    def leave(self, mark: int) -> None:
        """Put the variables from slot `mark` on among those of the past."""
        self.past += self.names[mark:]
        del self.names[mark:]


class _Parser:
    """One pass over the pieces of one text."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.pieces: Iterator[Piece] = pieces(name, text)
        self.piece = Piece("", None, 0, 0, 0)
        self.scope = _Scope()
        self.depth = 0
        self.trees: dict[str, Tree] = {}
        self.functions: dict[str, int] = {}

    def run(self) -> Parsed:
        """Parse it all."""
        body = nodes.Items(0)
        while True:
            form = self._advance(body)
            if form is None:
                break
            if form.keyword == "define" and not form.problem:
                self._define(form)
                continue
            node = self._node(form, outermost=True)
            if node is None:
                self._fail(f"unexpected {{{{{form.keyword.split()[0]}}}}}", form)
            body.nodes.append(node)
        self._register(self.name, body)
        return Parsed(self.name, list(self.trees.values()), self.functions)

    def _register(self, name: str, body: nodes.Items) -> None:
        """Take note of a template that was read to its end."""
        empty = all(isinstance(node, nodes.Text) and not node.text.strip() for node in body.nodes)
        tree = Tree(name, body, self.scope.frame, empty)
        known = self.trees.get(name)
        if known is None or known.empty:
            self.trees[name] = tree
        elif not tree.empty:
            self._fail(f"template: multiple definition of template {quote(name)}")

    def _fail(self, message: str, form: Form | None = None, pos: int | None = None) -> NoReturn:
        """Complain about a place in the current action, by default its end."""
        piece = self.piece
        if pos is None:
            pos = len(piece.source or "") if form is not None else 0
        raise TemplateSyntaxError(self.name, line_at(self.text, piece.at + pos), message)

    def _problem(self, problem: Problem) -> NoReturn:
        message = problem.message
        if problem.lexical:
            opened = line_at(self.text, self.piece.opened)
            if opened != line_at(self.text, self.piece.at + problem.pos):
                started = f" started at {self.name}:{opened}"
                message += started if message.endswith(" action") else f" in action{started}"
        self._fail(message, pos=problem.pos)

    def _advance(self, items: nodes.Items) -> Form | None:
        """Take the next piece: text goes to `items`, its action is returned; None at the end."""
        while True:
            piece = self.piece = next(self.pieces)
            if piece.text:
                items.nodes.append(nodes.Text(piece.start, piece.text))
            if piece.source is None:
                return None
            if piece.source or not self.text.startswith("/*", piece.at):
                return form_of(piece.source, piece.closed)

    def _items(self, items: nodes.Items) -> Form:
        """Parse up to `end` or `else`, and return that."""
        while True:
            form = self._advance(items)
            if form is None:
                self._fail("unexpected EOF")
            node = self._node(form)
            if node is None:
                return form
            items.nodes.append(node)

    def _bind(self, form: Form) -> tuple[int, ...]:
        """Find the slots of an action's variables, and complain about what is wrong with it."""
        scope = self.scope
        slots: list[int] = []
        pending: set[str] = set()
        for use in form.uses:
            name = use.names[0]
            if use.kind == "function":
                if name not in self.functions:
                    self.functions[name] = line_at(self.text, self.piece.at + use.pos)
            elif use.kind == "pending":
                pending.update(use.names)
            elif use.kind == "declare":
                slots.extend(map(scope.declare, use.names))
            elif use.kind == "assign":
                slots.extend(map(scope.find, use.names))
            else:
                slot = scope.find(name)
                if slot == _UNBOUND and name not in pending and name not in scope.past:
                    self._fail(f"undefined variable {quote(name)}", pos=use.pos)
                slots.append(slot)
        if form.problem is not None:
            self._problem(form.problem)
        return tuple(slots)

    def _node(self, form: Form, *, outermost: bool = False) -> nodes.Node | None:
        """Parse what an action begins; None for `end` and `else`."""
        at = self.piece.at
        keyword = form.keyword
        if keyword in _CONTROLS:
            return self._control(keyword, form)
        if keyword.startswith("else") and not (form.problem and keyword == "else"):
            return None
        if keyword == "define" and not outermost:
            self._fail("unexpected <define> in command", pos=form.start)
        slots = self._bind(form)
        if keyword == "end":
            return None
        if keyword in {"break", "continue"}:
            if not self.scope.ranges:
                self._fail(f"{{{{{keyword}}}}} outside {{{{range}}}}", form)
            return (nodes.Break if keyword == "break" else nodes.Continue)(at + form.start)
        if keyword == "template":
            return nodes.TemplateCall(at, form, slots)
        if keyword == "block":
            self._definition(form.name, "block clause")
            return nodes.TemplateCall(at, form, slots)
        return nodes.Action(at, form, slots)

    def _define(self, form: Form) -> None:
        self._bind(form)
        self._definition(form.name, "define clause")

    def _definition(self, name: str, context: str) -> None:
        """Parse the body of a define or block, whose variables are its own."""
        outer, self.scope = self.scope, _Scope()
        body = nodes.Items(self.piece.at)
        self._deeper()
        end = self._items(body)
        self.depth -= 1
        if end.keyword != "end":
            self._fail(f"unexpected {{{{else}}}} in {context}", end)
        self._register(name, body)
        self.scope = outer

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            self._fail("max expression depth exceeded")

    def _control(self, keyword: str, form: Form) -> nodes.Control:
        """Parse from the pipeline to the `end`; `else if` and `else with` nest and share it."""
        self._deeper()
        scope = self.scope
        at = self.piece.at
        mark, past = len(scope.names), len(scope.past)
        slots = self._bind(form)
        inner = len(scope.names)
        body = nodes.Items(at)
        scope.ranges += keyword == "range"
        stop = self._items(body)
        scope.ranges -= keyword == "range"
        scope.leave(inner)
        otherwise = None
        if stop.keyword == f"else {keyword}":
            otherwise = nodes.Items(self.piece.at)
            otherwise.nodes.append(self._control(keyword, stop))
        elif stop.keyword != "end":
            if stop.keyword != "else":
                self._fail(f"unexpected <{stop.keyword[5:]}> in input", pos=stop.start)
            otherwise = nodes.Items(self.piece.at)
            stop = self._items(otherwise)
            if stop.keyword != "end":
                self._fail("expected end; found {{else}}", stop)
        del scope.names[mark:], scope.past[past:]
        self.depth -= 1
        return nodes.Control(at, keyword, form, slots, body, otherwise)
