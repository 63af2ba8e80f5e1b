"""Regular expressions in RE2's syntax, through Python's engine.

RE2 never takes exponential time and Python's engine can; a render that must be bounded runs in a
worker with a deadline. What the engines spell differently is translated, what only Python has
(lookaround, backreferences) is refused as RE2 refuses it.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate._values import Strings

__all__ = ["FUNCTIONS", "compile_pattern"]

_CLASSES: Final = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": r"0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_UNICODE: Final = {
    "L": r"^\W\d_", "Lu": "A-ZÀ-ÖØ-Þ", "Ll": "a-zß-öø-ÿ", "N": r"\d", "Nd": r"\d",
}  # fmt: skip
_NAMED: Final = re.compile(r"\[:(\^?)([a-z]+):\]")
_TEMPLATE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)


def _refuse(pattern: str, why: str) -> FunctionError:
    return FunctionError(f"error parsing regexp: {why}: `{pattern}`")


_REASONS: Final = {
    "missing ), unterminated subpattern": "missing closing )",
    "unbalanced parenthesis": "unexpected )",
    "unterminated character set": "missing closing ]",
    "nothing to repeat": "missing argument to repetition operator",
    "multiple repeat": "invalid nested repetition operator",
}


def _refused(pattern: str, error: Exception) -> FunctionError:
    """Say in RE2's words what Python's compiler found."""
    message = getattr(error, "msg", str(error))
    shown = pattern
    if message in {"nothing to repeat", "unterminated character set"}:
        place = getattr(error, "pos", 0) or 0
        shown = pattern[place] if message == "nothing to repeat" else pattern[place:]
    return _refuse(shown, _REASONS.get(message, message))


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile for a function that cannot fail in Go and so panics: its message names the call."""
    try:
        return compile_pattern(pattern)
    except FunctionError as error:
        raise FunctionError(f"regexp: Compile({_backquoted(pattern)}): {error}") from None


def _backquoted(text: str) -> str:
    return quote(text) if "`" in text else f"`{text}`"


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of RE2. Raises FunctionError in Go's form."""
    translated = _translate(pattern)
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise _refused(pattern, error) from None


def _translate(pattern: str) -> str:
    out: list[str] = []
    place = 0
    inside = False
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            piece, place = _escape(pattern, place, inside)
            out.append(piece)
        elif inside:
            named = _NAMED.match(pattern, place)
            if named:
                if named[2] not in _CLASSES or named[1]:
                    raise _refuse(named[0], "invalid character class range")
                out.append(_CLASSES[named[2]])
                place = named.end()
                continue
            inside = char != "]"
            out.append("\\[" if char == "[" else char)
            place += 1
        elif char == "[":
            inside = True
            out.append(char)
            place += 1
            for literal in ("^", "]"):
                if pattern.startswith(literal, place):
                    out.append("\\]" if literal == "]" else literal)
                    place += 1
        elif pattern.startswith("(?", place):
            piece, place = _group(pattern, place)
            out.append(piece)
        elif char == "$":
            out.append("$" if _multiline(pattern) else r"\Z")
            place += 1
        else:
            if char in "*+?}" and pattern.startswith("+", place + 1):
                raise _refuse(pattern[place : place + 2], "invalid nested repetition operator")
            out.append(char)
            place += 1
    return "".join(out)


def _multiline(pattern: str) -> bool:
    return re.search(r"\(\?[a-zA-Z]*m", pattern) is not None


def _escape(pattern: str, place: int, inside: bool) -> tuple[str, int]:
    following = pattern[place + 1 : place + 2]
    if not following:
        raise _refuse("", "trailing backslash at end of expression")
    if following == "z":
        return r"\Z", place + 2
    if following == "Q":
        end = pattern.find(r"\E", place + 2)
        end = len(pattern) if end < 0 else end
        return re.escape(pattern[place + 2 : end]), end + 2
    if following == "C" or (following.isdigit() and following != "0"):
        raise _refuse(pattern[place : place + 2], "invalid escape sequence")
    if following in "pP":
        match = re.match(r"\\[pP](?:\{(\^?)(\w+)\}|(\w))", pattern[place:])
        name = (match[2] or match[3]) if match else ""
        if match is None or name not in _UNICODE or following == "P":
            raise _refuse(pattern[place : place + 2], "invalid character class range")
        return (_UNICODE[name] if inside else f"[{_UNICODE[name]}]"), place + match.end()
    if following == "x" and pattern.startswith("{", place + 2):
        close = pattern.find("}", place)
        try:
            return re.escape(chr(int(pattern[place + 3 : close], 16))), close + 1
        except (ValueError, OverflowError):
            raise _refuse(pattern[place:], "invalid escape sequence") from None
    if following.isalpha() and following not in "AabBdDfnrsStvwWx":
        raise _refuse(pattern[place : place + 2], "invalid escape sequence")
    return pattern[place : place + 2], place + 2


def _group(pattern: str, place: int) -> tuple[str, int]:
    for spelt in ("(?:", "(?P<"):
        if pattern.startswith(spelt, place):
            return spelt, place + len(spelt)
    if re.match(r"\(\?<[A-Za-z_]", pattern[place:]):
        return "(?P<", place + 3
    flags = re.match(r"\(\?([imsU]*)(-[imsU]+)?([:)])", pattern[place:])
    if flags is None or "U" in flags[0]:
        raise _refuse(pattern[place : place + 3], "invalid or unsupported Perl syntax")
    if flags[3] == ")" and place == 0 and not flags[2]:
        return flags[0], place + flags.end()
    if flags[3] == ")":
        raise _refuse(flags[0], "flags are supported at the start of an expression only")
    return flags[0], place + flags.end()


def _expand(match: re.Match[str], template: str) -> str:
    """Fill `$1`, `${name}` and `$$`; a group that does not exist is empty."""

    def value(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except (IndexError, KeyError):
            return ""

    return _TEMPLATE.sub(value, template)


def regex_match(pattern: str, text: str) -> bool:
    """Say whether there is a match; a bad pattern matches nothing."""
    try:
        return compile_pattern(pattern).search(text) is not None
    except FunctionError:
        return False


def must_regex_match(pattern: str, text: str) -> bool:
    """Say whether there is a match."""
    return compile_pattern(pattern).search(text) is not None


def quote_meta(text: str) -> str:
    """Escape what has a meaning in a pattern."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _calls(compiled: Callable[[str], re.Pattern[str]]) -> dict[str, Callable[..., Any]]:
    """Make the functions of one family: those that fail, or those whose failure is a panic."""

    def find(pattern: str, text: str) -> str:
        match = compiled(pattern).search(text)
        return match[0] if match else ""

    def find_all(pattern: str, text: str, count: int) -> Strings:
        return Strings(_find_all(compiled(pattern), text, count))

    def replace_all(pattern: str, text: str, template: str) -> str:
        return _replace(compiled(pattern), text, lambda match: _expand(match, template))

    def replace_all_literal(pattern: str, text: str, replacement: str) -> str:
        return _replace(compiled(pattern), text, lambda _match: replacement)

    def split(pattern: str, text: str, count: int) -> Strings:
        return _split(compiled(pattern), text, count)

    return {
        "Find": find,
        "FindAll": find_all,
        "ReplaceAll": replace_all,
        "ReplaceAllLiteral": replace_all_literal,
        "Split": split,
    }


def _matches(regex: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Find matches; unlike Python, Go has no empty match right after another match."""
    last = -1
    for match in regex.finditer(text):
        if match.start() == match.end() == last:
            continue
        last = match.end()
        yield match


def _find_all(regex: re.Pattern[str], text: str, count: int) -> Iterator[str]:
    found = (match[0] for match in _matches(regex, text))
    return found if count < 0 else itertools.islice(found, count)


def _replace(regex: re.Pattern[str], text: str, made: Callable[[re.Match[str]], str]) -> str:
    out = []
    start = 0
    for match in _matches(regex, text):
        out += [text[start : match.start()], made(match)]
        start = match.end()
    return "".join([*out, text[start:]])


def _split(regex: re.Pattern[str], text: str, count: int) -> Strings:
    if count == 0:
        return Strings()
    if regex.pattern and not text:
        return Strings([""])
    parts = Strings()
    start = stop = 0
    for match in _matches(regex, text):
        if 0 < count <= len(parts) + 1:
            break
        stop = match.start()
        if match.end() != 0:
            parts.append(text[start:stop])
        start = match.end()
    if stop != len(text):
        parts.append(text[start:])
    return parts


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "mustRegexMatch": must_regex_match,
    "regexMatch": regex_match,
    "regexQuoteMeta": quote_meta,
    **{f"regex{name}": call for name, call in _calls(_compiled).items()},
    **{f"mustRegex{name}": call for name, call in _calls(compile_pattern).items()},
}
