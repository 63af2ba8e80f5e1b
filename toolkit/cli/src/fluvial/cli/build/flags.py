"""Flags as the commands of the field read them: anywhere in the line, `-n=x`, `-nx`, `--n=x`.

argparse reads other lines than they do and words its errors in another way; a command that must
take the same lines as its model gets them unread, through VerbatimParser, and reads them here.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["Flag", "FlagError", "VerbatimParser", "read_flags"]

_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


class FlagError(ValueError):
    """A line that is not understood, in the words of the field."""


class Flag(NamedTuple):
    """A flag: its `kind`, its one-letter name, and what it is without a value.

    Kinds: `bool`, `text`, `texts` (given several times) and `words` (that, and split at commas).
    """

    kind: str = "text"
    short: str = ""
    bare: str = ""


class VerbatimParser(argparse.ArgumentParser):
    """A parser that on request leaves its arguments as they are, in `arguments`."""

    def __init__(self, *, verbatim: bool = False, **settings: Any) -> None:
        super().__init__(add_help=not verbatim, **settings)
        self._verbatim = verbatim

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, or keep `args` as `arguments`; typeshed's overloads come to this signature."""
        if not self._verbatim:
            return super().parse_known_args(args, namespace)
        kept = self.parse_defaults(namespace)
        kept.arguments = list(args or ())
        return kept, []

    def parse_defaults(self, namespace: argparse.Namespace | None) -> argparse.Namespace:
        """Return a namespace with the defaults that were set."""
        return super().parse_known_args([], namespace)[0]


def read_flags(
    arguments: Sequence[str], flags: Mapping[str, Flag]
) -> tuple[list[str], dict[str, Any]]:
    """Return the arguments that are no flags, and the values of those that were given.

    `bool` gives a bool, `text` a string, the others lists of strings. Raises FlagError.
    """
    by_letter = {flag.short: name for name, flag in flags.items() if flag.short}
    rest: list[str] = []
    values: dict[str, Any] = {}
    pending = list(reversed(arguments))
    while pending:
        argument = pending.pop()
        if argument == "--":
            return rest + pending[::-1], values
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            if name not in flags:
                raise FlagError(f"unknown flag: --{name}")
            if not equals:
                value = _value_of(flags[name], pending, f"flag needs an argument: --{name}")
            _keep(values, name, flags[name], value)
        elif len(argument) > 1 and argument[0] == "-":
            _letters(argument[1:], by_letter, flags, pending, values)
        else:
            rest.append(argument)
    return rest, values


def _letters(
    letters: str,
    by_letter: Mapping[str, str],
    flags: Mapping[str, Flag],
    pending: list[str],
    values: dict[str, Any],
) -> None:
    """Read `-abc`, where the first flag that takes a value takes what follows it."""
    group = letters
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in by_letter:
            raise FlagError(f"unknown shorthand flag: '{letter}' in -{group}")
        name = by_letter[letter]
        flag = flags[name]
        if letters.startswith("="):
            value, letters = letters[1:], ""
        elif flag.kind != "bool" and not flag.bare and letters:
            value, letters = letters, ""
        else:
            value = _value_of(flag, pending, f"flag needs an argument: '{letter}' in -{group}")
        _keep(values, name, flag, value)


def _value_of(flag: Flag, pending: list[str], problem: str) -> str:
    """Return the value of a flag that stands without one: the next argument."""
    if flag.kind == "bool":
        return "true"
    if flag.bare:
        return flag.bare
    if not pending:
        raise FlagError(problem)
    return pending.pop()


def _keep(values: dict[str, Any], name: str, flag: Flag, value: str) -> None:
    if flag.kind == "bool":
        if value not in _TRUE | _FALSE:
            shown = f"-{flag.short}, --{name}" if flag.short else f"--{name}"
            raise FlagError(
                f'invalid argument "{value}" for "{shown}" flag: strconv.ParseBool: parsing '
                f'"{value}": invalid syntax'
            )
        values[name] = value in _TRUE
    elif flag.kind == "texts":
        values.setdefault(name, []).append(value)
    elif flag.kind == "words":
        values.setdefault(name, []).extend(next(csv.reader([value]), []))
    else:
        values[name] = value
