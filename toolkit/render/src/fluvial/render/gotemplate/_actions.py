"""One action parsed by itself: what it says, and which names it uses.

An action of which the same source was seen before, in any template, is not parsed again: forms do
not depend on where they stand. Positions are relative to the action; variables are numbered in the
order of their use and bound by whoever knows the scope (see `_parse`).
"""

import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._lex import KEYWORDS, Token, lex
from fluvial.render.gotemplate._numbers import char_constant, complex_constant, go_number
from fluvial.render.gotemplate._quote import quote, unquote

__all__ = ["Form", "Problem", "Use", "form_of", "spell"]

_DEEPEST: Final = 200
_OPERANDS: Final = frozenset(
    ["bool", "char", "complex", "dot", "field", "identifier", "number", "nil", "raw", "string",
     "variable", "("]
)  # fmt: skip
_CONSTANTS: Final = (nodes.Bool, nodes.String, nodes.Number, nodes.Nil, nodes.Dot)


class Problem(NamedTuple):
    """What is wrong with an action. `lexical` says that it is no sequence of tokens at all."""

    message: str
    pos: int
    lexical: bool = False


class Use(NamedTuple):
    """A name as the parser came by it, by `kind`.

    `function` and `variable` are uses; `pending` are variables whose value is still to be read,
    and which Go complains about only when it executes; `declare` and `assign` are those that have
    it.
    """

    kind: str
    names: tuple[str, ...]
    pos: int


class Form:
    """One action. `keyword` is what it begins with, `else if` and `else with` included, or empty.

    `name` and `name_pos` are of `define`, `block` and `template`. A form with a `problem` has what
    was read up to there. `start` is the position of the first token. `compiled` is for `_compile`:
    closures by the slots of the variables.
    """

    __slots__ = (
        "compiled", "keyword", "name", "name_pos", "pipe", "problem", "source", "start", "uses",
    )  # fmt: skip

    def __init__(self, source: str) -> None:
        self.source = source
        self.keyword = ""
        self.name = ""
        self.name_pos = 0
        self.start = 0
        self.pipe: nodes.Pipe | None = None
        self.uses: list[Use] = []
        self.problem: Problem | None = None
        self.compiled: dict[tuple[int, ...], Callable[..., Any]] = {}


@functools.lru_cache(maxsize=32_768)
def form_of(source: str, closed: bool = True) -> Form:
    """Parse an action; what is wrong with it is part of the form."""
    return _Parser(source, closed).run()


def spell(token: Token) -> str:
    """How Go writes a token in `unexpected …`: keywords in angle brackets, long ones cut."""
    if token.kind == "dot" or token.kind in KEYWORDS:
        return f"<{token.text}>"
    if len(token.text) > 10:
        return quote(token.text[:10]) + "..."
    return quote(token.text)


class _Stop(Exception):  # noqa: N818  (ends the parsing of one action, which is no error yet)
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Parser:
    """One pass over the tokens of one action."""

    def __init__(self, source: str, closed: bool) -> None:
        self.tokens = lex(source, closed=closed)
        self.at = 0
        self.depth = 0
        self.variables = 0
        self.form = Form(source)

    def run(self) -> Form:
        form = self.form
        try:
            self._action()
        except _Stop as stop:
            form.problem = stop.problem
        return form

    # tokens

    def _next(self) -> Token:
        token = self.tokens[self.at]
        if self.at < len(self.tokens) - 1:
            self.at += 1
        return token

    def _fail(self, message: str, pos: int | None = None) -> NoReturn:
        raise _Stop(Problem(message, self.tokens[self.at].pos if pos is None else pos))

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind == "error":
            raise _Stop(Problem(token.text, token.pos, lexical=True))
        self._fail(f"unexpected {spell(token)} in {context}", token.pos)

    def _end(self, context: str) -> None:
        token = self._next()
        if token.kind != "}}":
            self._unexpected(token, context)

    # what an action may be

    def _action(self) -> None:
        form = self.form
        first = self.tokens[0]
        form.start = first.pos
        match first.kind:
            case "if" | "with" | "range":
                self._keyword(first.kind)
                form.pipe = self._pipeline(first.kind, "}}")
            case "else":
                self._else()
            case "end":
                self._keyword("end")
                self._end("end")
            case "break" | "continue":
                self._keyword(first.kind)
                self._end(f"{{{{{first.kind}}}}}")
            case "define":
                self._keyword("define")
                self._name("define clause")
                self._end("define clause")
            case "template":
                self._keyword("template")
                self._name("template clause")
                if self.tokens[self.at].kind != "}}":
                    form.pipe = self._pipeline("template clause", "}}")
            case "block":
                self._keyword("block")
                self._name("block clause")
                form.pipe = self._pipeline("block clause", "}}")
            case _:
                form.pipe = self._pipeline("command", "}}")

    def _keyword(self, keyword: str) -> None:
        self.form.keyword = keyword
        self._next()

    def _else(self) -> None:
        self._keyword("else")
        second = self.tokens[self.at]
        if second.kind in {"if", "with"}:
            self._keyword(f"else {second.kind}")
            self.form.start = second.pos
            self.form.pipe = self._pipeline(second.kind, "}}")
        else:
            self._end("else")

    def _name(self, context: str) -> None:
        token = self._next()
        if token.kind not in {"string", "raw"}:
            self._unexpected(token, context)
        self.form.name = self._unquote(token)
        self.form.name_pos = token.pos

    def _unquote(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except (ValueError, OverflowError, IndexError):
            self._fail("invalid syntax", token.pos)

    # pipelines

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            self._fail("max expression depth exceeded")

    def _pipeline(self, context: str, end: str) -> nodes.Pipe:
        self._deeper()
        pipe = nodes.Pipe(self.tokens[self.at].pos)
        self._declarations(pipe, context)
        while True:
            token = self.tokens[self.at]
            if token.kind == end:
                self._next()
                break
            if token.kind not in _OPERANDS:
                self._unexpected(token, context)
            pipe.commands.append(self._command())
        if not pipe.commands:
            self._fail(f"missing value for {context}", token.pos)
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.args[0], _CONSTANTS):
                self._fail(f"non executable command in pipeline stage {stage}", token.pos)
        self._declare(pipe)
        self.depth -= 1
        return pipe

    def _declarations(self, pipe: nodes.Pipe, context: str) -> None:
        while self.tokens[self.at].kind == "variable":
            variable = self.tokens[self.at]
            sign = self.tokens[self.at + 1]
            if sign.kind not in {":=", "=", ","}:
                return
            self.at += 2
            pipe.declared.append(nodes.Variable(variable.pos, variable.text, [], -1))
            self.form.uses.append(Use("pending", (variable.text,), variable.pos))
            if sign.kind != ",":
                pipe.assigns = sign.kind == "="
                return
            if context != "range" or len(pipe.declared) > 1:
                self._fail(f"too many declarations in {context}")
            if self.tokens[self.at].kind not in {"variable", "}}", ")"}:
                self._fail("range can only initialize variables")

    def _declare(self, pipe: nodes.Pipe) -> None:
        """Note the declared variables, which exist from here on, not within their own pipeline."""
        if not pipe.declared:
            return
        kind = "assign" if pipe.assigns else "declare"
        names = tuple(variable.name for variable in pipe.declared)
        for variable in pipe.declared:
            variable.slot = self.variables
            self.variables += 1
        self.form.uses.append(Use(kind, names, pipe.declared[0].pos))

    def _command(self) -> nodes.Command:
        args: list[nodes.Node] = []
        command = nodes.Command(self.tokens[self.at].pos, args)
        while True:
            operand = self._operand()
            if operand is not None:
                args.append(operand)
            token = self.tokens[self.at]
            if token.kind in {"}}", ")"}:
                break
            if token.kind == "|":
                self._next()
                break
            if operand is None or token.glued:
                self._unexpected(self._next(), "operand")
        if not args:
            self._fail("empty command")
        return command

    def _operand(self) -> nodes.Node | None:
        node = self._term()
        token = self.tokens[self.at]
        if node is None or token.kind != "field" or not token.glued:
            return node
        names = []
        pos = token.pos
        while token.kind == "field" and token.glued:
            names.append(token.text[1:])
            self.at += 1
            token = self.tokens[self.at]
        if isinstance(node, nodes.Field):
            return nodes.Field(pos, node.names + names)
        if isinstance(node, nodes.Variable):
            return nodes.Variable(pos, node.name, node.names + names, node.slot)
        if isinstance(node, _CONSTANTS):
            self._fail(f"unexpected . after term {quote(str(node))}", pos)
        return nodes.Chain(pos, node, names)

    def _term(self) -> nodes.Node | None:
        token = self.tokens[self.at]
        node: nodes.Node
        match token.kind:
            case "identifier":
                self.form.uses.append(Use("function", (token.text,), token.pos))
                node = nodes.Identifier(token.pos, token.text)
            case "field":
                node = nodes.Field(token.pos, [token.text[1:]])
            case "variable":
                node = nodes.Variable(token.pos, token.text, [], self.variables)
                self.variables += 1
                self.form.uses.append(Use("variable", (token.text,), token.pos))
            case "string" | "raw":
                node = nodes.String(token.pos, token.text, self._unquote(token))
            case "(":
                self._next()
                return self._pipeline("parenthesized pipeline", ")")
            case "dot":
                node = nodes.Dot(token.pos)
            case "bool":
                node = nodes.Bool(token.pos, token.text == "true")
            case "number" | "char" | "complex":
                node = self._number(token)
            case "nil":
                node = nodes.Nil(token.pos)
            case _:
                return None
        self.at += 1
        return node

    def _number(self, token: Token) -> nodes.Number:
        read = {"char": char_constant, "complex": complex_constant}.get(token.kind, go_number)
        try:
            return read(token.pos, token.text)
        except ValueError as error:
            self._fail(str(error), token.pos)
