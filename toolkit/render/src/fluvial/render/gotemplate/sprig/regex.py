"""Regular expressions in RE2's syntax, through Python's engine.

RE2 never takes exponential time and Python's engine can; a render that must be bounded runs in a
worker with a deadline. What the engines spell differently is translated, what only Python has
(lookaround, backreferences) is refused as RE2 refuses it.
"""

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
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


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of RE2. Raises FunctionError in Go's form."""
    translated = _translate(pattern)
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise _refuse(pattern, str(error)) from None


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


def regex_find(pattern: str, text: str) -> str:
    """Return the first match, or nothing."""
    match = compile_pattern(pattern).search(text)
    return match[0] if match else ""


def regex_find_all(pattern: str, text: str, count: int) -> Strings:
    """List the matches, `count` at most; -1 is all."""
    found = Strings(match[0] for match in compile_pattern(pattern).finditer(text))
    return found if count < 0 else Strings(found[:count])


def regex_replace_all(pattern: str, text: str, template: str) -> str:
    """Replace matches; `${1}` in the template is a group."""
    return compile_pattern(pattern).sub(lambda match: _expand(match, template), text)


def regex_replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    """Replace matches with a text as it is."""
    return compile_pattern(pattern).sub(lambda _match: replacement, text)


def regex_split(pattern: str, text: str, count: int) -> Strings:
    """Split at matches into `count` parts at most; -1 is all."""
    if count == 0:
        return Strings()
    parts = Strings()
    start = 0
    if pattern and not text:
        return Strings([""])
    for match in compile_pattern(pattern).finditer(text):
        if 0 < count <= len(parts) + 1:
            break
        if match.end() == 0 or (match.end() == match.start() == len(text)):
            continue
        parts.append(text[start : match.start()])
        start = match.end()
    parts.append(text[start:])
    return parts


def quote_meta(text: str) -> str:
    """Escape what has a meaning in a pattern."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "regexFind": regex_find,
    "regexFindAll": regex_find_all,
    "regexMatch": regex_match,
    "regexQuoteMeta": quote_meta,
    "regexReplaceAll": regex_replace_all,
    "regexReplaceAllLiteral": regex_replace_all_literal,
    "regexSplit": regex_split,
    "mustRegexFind": regex_find,
    "mustRegexFindAll": regex_find_all,
    "mustRegexMatch": must_regex_match,
    "mustRegexReplaceAll": regex_replace_all,
    "mustRegexReplaceAllLiteral": regex_replace_all_literal,
    "mustRegexSplit": regex_split,
}
