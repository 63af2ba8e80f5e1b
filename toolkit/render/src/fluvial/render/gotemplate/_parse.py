"""The parser: tokens to trees, one for the text itself and one for each `define` and `block`.

Variables are resolved here. A template's variables live in a frame; `$` is slot 0, and a slot is
used again when the block of its variable has ended.
"""

from typing import Final, NamedTuple, NoReturn

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._errors import TemplateSyntaxError
from fluvial.render.gotemplate._lex import KEYWORDS, Token, lex, line_at
from fluvial.render.gotemplate._numbers import char_constant, go_number
from fluvial.render.gotemplate._quote import quote, unquote

__all__ = ["Parsed", "Tree", "parse"]

_DEEPEST: Final = 100
_OPERANDS: Final = frozenset(
    ["bool", "char", "dot", "field", "identifier", "number", "nil", "raw", "string", "variable",
     "("]
)  # fmt: skip


class Tree(NamedTuple):
    """One template. `frame` is how many variables its execution holds at most."""

    name: str
    body: nodes.Items
    frame: int

    @property
    def empty(self) -> bool:
        """Nothing but blanks: such a definition does not replace another."""
        return all(
            isinstance(node, nodes.Text) and not node.text.strip() for node in self.body.nodes
        )


class Parsed(NamedTuple):
    """What one text defines, and where it calls which function first."""

    name: str
    text: str
    trees: list[Tree]
    functions: dict[str, int]


def parse(name: str, text: str) -> Parsed:
    """Parse a text named `name`. Raises TemplateSyntaxError."""
    return _Parser(name, text).run()


class _Parser:
    """One pass over the tokens of one text."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.tokens = lex(name, text)
        self.at = 0
        self.vars = ["$"]
        self.frame = 1
        self.ranges = 0
        self.depth = 0
        self.trees: dict[str, Tree] = {}
        self.functions: dict[str, int] = {}

    def run(self) -> Parsed:
        """Parse it all."""
        body = nodes.Items(0)
        while self.tokens[self.at].kind != "eof":
            if self.tokens[self.at].kind == "{{" and self._keyword_after_brace() == "define":
                self._define()
                continue
            node = self._text_or_action()
            if isinstance(node, Token):
                self._fail(f"unexpected {{{{{node.kind}}}}}")
            body.nodes.append(node)
        self._register(Tree(self.name, body, self.frame))
        return Parsed(self.name, self.text, list(self.trees.values()), self.functions)

    def _register(self, tree: Tree) -> None:
        known = self.trees.get(tree.name)
        if known is None or known.empty:
            self.trees[tree.name] = tree
        elif not tree.empty:
            self._fail(f'multiple definition of template "{tree.name}"')

    # tokens

    def _next(self, *, spaces: bool = False) -> Token:
        token = self.tokens[self.at]
        if token.kind == "space" and not spaces:
            self.at += 1
            token = self.tokens[self.at]
        if token.kind != "eof":
            self.at += 1
        return token

    def _peek(self) -> Token:
        if self.tokens[self.at].kind == "space":
            self.at += 1
        return self.tokens[self.at]

    def _keyword_after_brace(self) -> str:
        token = self.tokens[self.at + 1]
        return self.tokens[self.at + 2].kind if token.kind == "space" else token.kind

    def _failure(self, message: str, pos: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(self.name, line_at(self.text, pos), message)

    def _fail(self, message: str, pos: int | None = None) -> NoReturn:
        raise self._failure(message, self.tokens[max(self.at - 1, 0)].pos if pos is None else pos)

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind == "eof":
            self._fail("unexpected EOF", token.pos)
        self._fail(f"unexpected {_spell(token)} in {context}", token.pos)

    def _expect(self, kind: str, context: str) -> Token:
        token = self._next()
        if token.kind != kind:
            self._unexpected(token, context)
        return token

    # structure

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            self._fail("max expression depth exceeded")

    def _define(self) -> None:
        self._next()
        self._next()
        name = self._name("define clause")
        self._expect("}}", "define clause")
        self._definition(name)

    def _definition(self, name: str) -> None:
        """Parse the body of a define or block, whose variables are its own."""
        outer = self.vars, self.frame, self.ranges
        self.vars, self.frame, self.ranges = ["$"], 1, 0
        body, end = self._items()
        if end.kind != "end":
            self._unexpected(end, "define clause")
        self._expect("}}", "end")
        self._register(Tree(name, body, self.frame))
        self.vars, self.frame, self.ranges = outer

    def _name(self, context: str) -> str:
        token = self._next()
        if token.kind not in {"string", "raw"}:
            self._unexpected(token, context)
        return self._unquote(token)

    def _unquote(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except (ValueError, OverflowError, IndexError):
            self._fail("invalid syntax", token.pos)

    def _items(self) -> tuple[nodes.Items, Token]:
        """Parse up to `end` or `else`, and return that keyword with its action still open."""
        items = nodes.Items(self.tokens[self.at].pos)
        while self.tokens[self.at].kind != "eof":
            node = self._text_or_action()
            if isinstance(node, Token):
                return items, node
            items.nodes.append(node)
        raise self._failure("unexpected EOF", len(self.text))

    def _text_or_action(self) -> nodes.Node | Token:
        token = self._next(spaces=True)
        if token.kind == "text":
            return nodes.Text(token.pos, token.text)
        if token.kind != "{{":
            self._unexpected(token, "input")
        return self._action()

    def _action(self) -> nodes.Node | Token:
        token = self._peek()
        match token.kind:
            case "if" | "with" | "range":
                self._next()
                return self._control(token)
            case "end" | "else":
                return self._next()
            case "break" | "continue":
                self._next()
                self._expect("}}", f"{{{{{token.kind}}}}}")
                if not self.ranges:
                    self._fail(f"{{{{{token.kind}}}}} outside {{{{range}}}}")
                return (nodes.Break if token.kind == "break" else nodes.Continue)(token.pos)
            case "template":
                self._next()
                return self._template()
            case "block":
                self._next()
                return self._block()
        pipe = self._pipeline("command", "}}")
        return nodes.Action(token.pos, pipe)

    def _control(self, keyword: Token) -> nodes.Control:
        """Parse from the pipeline to the `end`; `else if` and `else with` nest and share it."""
        self._deeper()
        mark = len(self.vars)
        pipe = self._pipeline(keyword.kind, "}}")
        self.ranges += keyword.kind == "range"
        body, stop = self._items()
        self.ranges -= keyword.kind == "range"
        otherwise = None
        if stop.kind == "else":
            follows = self._peek()
            if follows.kind == keyword.kind and follows.kind in {"if", "with"}:
                self._next()
                otherwise = nodes.Items(follows.pos)
                otherwise.nodes.append(self._control(follows))
                del self.vars[mark:]
                self.depth -= 1
                return nodes.Control(keyword.pos, keyword.kind, pipe, body, otherwise)
            self._expect("}}", "else")
            otherwise, stop = self._items()
            if stop.kind != "end":
                self._fail(f"expected end; found {{{{{stop.kind}}}}}")
        self._expect("}}", "end")
        del self.vars[mark:]
        self.depth -= 1
        return nodes.Control(keyword.pos, keyword.kind, pipe, body, otherwise)

    def _template(self) -> nodes.TemplateCall:
        token = self._peek()
        name = self._name("template clause")
        pipe = None
        if self._peek().kind == "}}":
            self._next()
        else:
            pipe = self._pipeline("template clause", "}}")
        return nodes.TemplateCall(token.pos, name, token.text, pipe)

    def _block(self) -> nodes.TemplateCall:
        token = self._peek()
        name = self._name("block clause")
        pipe = self._pipeline("block clause", "}}")
        self._definition(name)
        return nodes.TemplateCall(token.pos, name, token.text, pipe)

    # pipelines

    def _pipeline(self, context: str, end: str) -> nodes.Pipe:
        self._deeper()
        pipe = nodes.Pipe(self._peek().pos)
        self._declarations(pipe, context)
        while True:
            token = self._peek()
            if token.kind == end:
                self._next()
                break
            if token.kind not in _OPERANDS:
                self._unexpected(token, context)
            pipe.commands.append(self._command())
        if not pipe.commands:
            self._fail(f"missing value for {context}", token.pos)
        for stage, command in enumerate(pipe.commands[1:], 2):
            first = command.args[0]
            if isinstance(first, (nodes.Bool, nodes.Dot, nodes.Nil, nodes.Number, nodes.String)):
                self._fail(f"non executable command in pipeline stage {stage}", command.pos)
        # a declared variable exists from here on, not within its own pipeline
        self._declare(pipe)
        self.depth -= 1
        return pipe

    def _declarations(self, pipe: nodes.Pipe, context: str) -> None:
        while self._peek().kind == "variable":
            start = self.at
            variable = self._next()
            sign = self._peek()
            if sign.kind in {":=", "="}:
                self._next()
                pipe.assigns = sign.kind == "="
                pipe.declared.append(nodes.Variable(variable.pos, variable.text, [], -1))
                return
            if sign.kind != ",":
                self.at = start
                return
            self._next()
            pipe.declared.append(nodes.Variable(variable.pos, variable.text, [], -1))
            if context != "range" or len(pipe.declared) > 1:
                self._fail(f"too many declarations in {context}", variable.pos)
            if self._peek().kind != "variable":
                self._fail("range can only initialize variables", variable.pos)

    def _declare(self, pipe: nodes.Pipe) -> None:
        for variable in pipe.declared:
            if pipe.assigns:
                variable.slot = self._slot(variable.name, variable.pos)
            else:
                variable.slot = len(self.vars)
                self.vars.append(variable.name)
                self.frame = max(self.frame, len(self.vars))

    def _slot(self, name: str, pos: int) -> int:
        for slot in range(len(self.vars) - 1, -1, -1):
            if self.vars[slot] == name:
                return slot
        raise self._failure(f'undefined variable "{name}"', pos)

    def _command(self) -> nodes.Command:
        command = nodes.Command(self._peek().pos, [])
        while True:
            operand = self._operand()
            if operand is not None:
                command.args.append(operand)
            token = self._next(spaces=True)
            if token.kind == "space":
                continue
            if token.kind in {"}}", ")"}:
                self.at -= 1
            elif token.kind != "|":
                self._unexpected(token, "operand")
            break
        if not command.args:
            self._fail("empty command", command.pos)
        return command

    def _operand(self) -> nodes.Node | None:
        node = self._term()
        if node is None or self.tokens[self.at].kind != "field":
            return node
        pos = self.tokens[self.at].pos
        names = []
        while self.tokens[self.at].kind == "field":
            names.append(self._next(spaces=True).text[1:])
        if isinstance(node, nodes.Field):
            return nodes.Field(pos, node.names + names)
        if isinstance(node, nodes.Variable):
            return nodes.Variable(pos, node.name, node.names + names, node.slot)
        if isinstance(node, (nodes.Bool, nodes.String, nodes.Number, nodes.Nil, nodes.Dot)):
            self._fail(f"unexpected . after term {quote(str(node))}", pos)
        return nodes.Chain(pos, node, names)

    def _term(self) -> nodes.Node | None:
        token = self._peek()
        node: nodes.Node
        match token.kind:
            case "identifier":
                self.functions.setdefault(token.text, line_at(self.text, token.pos))
                node = nodes.Identifier(token.pos, token.text)
            case "dot":
                node = nodes.Dot(token.pos)
            case "nil":
                node = nodes.Nil(token.pos)
            case "variable":
                slot = self._slot(token.text, token.pos)
                node = nodes.Variable(token.pos, token.text, [], slot)
            case "field":
                node = nodes.Field(token.pos, [token.text[1:]])
            case "bool":
                node = nodes.Bool(token.pos, token.text == "true")
            case "number" | "char":
                node = self._number(token)
            case "string" | "raw":
                node = nodes.String(token.pos, token.text, self._unquote(token))
            case "(":
                self._next()
                return self._pipeline("parenthesized pipeline", ")")
            case _:
                return None
        self._next()
        return node

    def _number(self, token: Token) -> nodes.Number:
        try:
            if token.kind == "char":
                return char_constant(token.pos, token.text)
            return go_number(token.pos, token.text)
        except ValueError as error:
            self._fail(str(error), token.pos)


def _spell(token: Token) -> str:
    """How Go writes a token in `unexpected …`: keywords in angle brackets, long ones cut."""
    if token.kind == "dot" or token.kind in KEYWORDS:
        return f"<{token.text}>"
    if len(token.text) > 10:
        return quote(token.text[:10]) + "..."
    return quote(token.text)
