"""Post-build substitution: `${var}` and the operators of bash that Flux knows.

The grammar is that of the reference sheet, quirks included: `:=`, `:-`, `:+` and `:?` all give the
default, lengths count bytes, `$$` is one `$`. Nothing is executed; output and nesting are bounded.
"""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from fluvial.render.kustomize._errors import SubstitutionError

__all__ = ["check_names", "substitute"]

_NAME = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_DEEPEST = 64
_LONGEST = 32 * 1024 * 1024
_DEFAULTS = "=-+?"


def check_names(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with all newlines removed from their values.

    Raises SubstitutionError for a name that is no identifier.
    """
    for name in variables:
        if not _NAME.fullmatch(name):
            raise SubstitutionError(
                f"{name!r} is not a valid variable name: use letters, digits and underscores"
            )
    return {name: value.replace("\n", "") for name, value in variables.items()}


def substitute(source: str, variables: Mapping[str, str], *, strict: bool = True) -> str:
    """Replace every expression in `source`.

    `strict` makes an unset variable without default an error; else it is empty. Raises
    SubstitutionError, with the line, for malformed expressions.
    """
    if "$" not in source:
        return source
    return _Evaluator(source, variables, strict=strict).text()


class _Evaluator:
    def __init__(self, source: str, variables: Mapping[str, str], *, strict: bool) -> None:
        self.source = source
        self.variables = variables
        self.strict = strict
        self.at = 0
        self.depth = 0
        self.length = 0

    def fail(self, problem: str) -> NoReturn:
        line = self.source.count("\n", 0, self.at) + 1
        raise SubstitutionError(f"variable substitution failed at line {line}: {problem}")

    def grow(self, length: int) -> None:
        """Count what is not in the source: all of it, nested or not, has one bound."""
        self.length += length
        if self.length > _LONGEST:
            self.fail("the result is too large")

    def text(self) -> str:
        out: list[str] = []
        source = self.source
        while True:
            dollar = source.find("$", self.at)
            if dollar < 0:
                out.append(source[self.at :])
                return "".join(out)
            out.append(source[self.at : dollar])
            following = source[dollar + 1 : dollar + 2]
            if following == "{":
                self.at = dollar + 2
                value = self.expression()
                out.append(value)
            else:
                out.append("$")
                self.at = dollar + (2 if following == "$" else 1)

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def take(self, *choices: str) -> str:
        """Take the first of the choices that comes next; an empty string if none does."""
        for choice in choices:
            if self.source.startswith(choice, self.at):
                self.at += len(choice)
                return choice
        return ""

    def name(self) -> str:
        start = self.at
        while (char := self.peek()) and (char == "_" or char.isalpha() or char.isdigit()):
            self.at += 1
        if start == self.at:
            self.fail("unable to parse variable name")
        return self.source[start : self.at]

    def close(self) -> None:
        if not self.take("}"):
            self.fail("missing closing brace")

    def expression(self) -> str:
        """Evaluate what stands behind `${`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail("expressions are nested too deeply")
        if self.take("#"):
            name = self.name()
            self.close()
            value = str(len(self.value(name).encode()))
        else:
            value = self.operation(self.name())
        self.depth -= 1
        return value

    def value(self, name: str) -> str:
        value = self.variables.get(name)
        if value is None:
            if self.strict:
                self.fail(f'variable not set (strict mode): "{name}"')
            return ""
        self.grow(len(value))
        return value

    def operation(self, name: str) -> str:
        operator = self.take(
            "}", "^^", "^", ",,", ",", ":", "=", "##", "#", "%%", "%", "//", "/#", "/%", "/"
        )
        if operator == "}":
            return self.value(name)
        if operator in {"^", "^^", ",", ",,"}:
            self.close()
            return _change_case(self.value(name), operator)
        if operator == "=" or (operator == ":" and self.peek() and self.peek() in _DEFAULTS):
            if operator == ":":
                self.at += 1
            default = self.argument("")
            self.close()
            return self.value(name) if self.variables.get(name) else default
        if operator == ":":
            arguments = self.arguments(":", escapes=False)
            return self.substring(self.value(name), arguments)
        if operator in {"#", "##", "%", "%%"}:
            pattern = self.argument("")
            self.close()
            return _strip(self.value(name), pattern, operator)
        if not operator:
            self.fail("missing closing brace")
        arguments = self.arguments("/", escapes=True)
        value = self.value(name)
        if operator == "//" and len(arguments) > 1:
            self.grow(value.count(arguments[0]) * len(arguments[1]))
        return _replace(value, arguments, operator)

    def arguments(self, separator: str, *, escapes: bool) -> list[str]:
        found = [self.argument(separator, escapes=escapes)]
        while self.take(separator):
            found.append(self.argument(separator, escapes=escapes))
        self.close()
        return found

    def argument(self, separator: str, *, escapes: bool = False) -> str:
        """Read up to the closing brace or the separator, evaluating inner expressions."""
        out: list[str] = []
        while True:
            char = self.peek()
            if not char:
                self.fail("missing closing brace")
            if char == "}" or (separator and char == separator):
                return "".join(out)
            if self.take("${"):
                out.append(self.expression())
            elif escapes and self.source[self.at : self.at + 2] in {"\\/", "\\\\"}:
                out.append(self.source[self.at + 1])
                self.at += 2
            else:
                out.append(char)
                self.at += 1

    def substring(self, value: str, arguments: list[str]) -> str:
        """Cut by bytes; a start or length that is no integer leaves the value as it is."""
        try:
            start, *length = [_integer(argument) for argument in arguments[:2]]
        except ValueError:
            return value
        encoded = value.encode()
        if start < 0:
            start = max(len(encoded) + start, 0)
        if length and length[0] < 0:
            self.fail("a negative length is not supported")
        cut = encoded[start : start + length[0]] if length else encoded[start:]
        return cut.decode("utf-8", "replace")


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _change_case(value: str, operator: str) -> str:
    change: Callable[[str], str] = str.upper if operator[0] == "^" else str.lower
    if len(operator) == 2:
        return change(value)
    first = change(value[:1])
    return (first if len(first) == 1 else value[:1]) + value[1:]


def _replace(value: str, arguments: list[str], operator: str) -> str:
    pattern, replacement = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if operator == "//":
        return value.replace(pattern, replacement)
    if operator == "/#":
        return replacement + value[len(pattern) :] if value.startswith(pattern) else value
    if operator == "/%":
        kept = value[: len(value) - len(pattern)]
        return kept + replacement if value.endswith(pattern) else value
    return value.replace(pattern, replacement, 1)


_Token = Callable[[str], bool] | None
"""A test for one character, or None for any run of them."""


def _glob(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        elif char == "?":
            tokens.append(lambda _char: True)
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            tokens.append(_class(pattern[at:end]))
            at = end + 1
        else:
            if char == "\\" and at < len(pattern):
                char = pattern[at]
                at += 1
            tokens.append(char.__eq__)
    return tokens


def _class(body: str) -> Callable[[str], bool]:
    negated = body[:1] in {"!", "^"}
    body = body[1:] if negated else body
    ranges: list[tuple[str, str]] = []
    at = 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            ranges.append((body[at], body[at + 2]))
            at += 3
        else:
            ranges.append((body[at], body[at]))
            at += 1
    return lambda char: any(low <= char <= high for low, high in ranges) is not negated


def _prefixes(value: str, tokens: list[_Token]) -> list[int]:
    """Return the lengths of the prefixes that match, shortest first, in linear time."""

    def reach(states: set[int]) -> set[int]:
        for state in sorted(states):
            while state < len(tokens) and tokens[state] is None:
                state += 1  # noqa: PLW2901 -- a run may be empty: the state behind it counts too
                states = states | {state}
        return states

    states = reach({0})
    found = [0] if len(tokens) in states else []
    for index, char in enumerate(value):
        after: set[int] = set()
        for state in states:
            if state < len(tokens):
                token = tokens[state]
                if token is None:
                    after.add(state)
                elif token(char):
                    after.add(state + 1)
        states = reach(after)
        if not states:
            break
        if len(tokens) in states:
            found.append(index + 1)
    return found


def _strip(value: str, pattern: str, operator: str) -> str:
    """Take the shortest or longest match from the start or the end."""
    tokens = _glob(pattern)
    at_end = operator[0] == "%"
    lengths = _prefixes(value[::-1], tokens[::-1]) if at_end else _prefixes(value, tokens)
    if not lengths:
        return value
    length = lengths[-1] if len(operator) == 2 else lengths[0]
    return value[: len(value) - length] if at_end else value[length:]
