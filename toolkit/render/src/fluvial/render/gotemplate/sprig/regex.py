"""Regular expressions as Go's regexp package has them.

The engine is RE2, from which Go's own descends: linear time whatever the pattern, leftmost match
with the first alternative preferred. Its few differences in syntax are levelled here, and its
refusals are worded as Go words them. Texts are matched as UTF-8, as in Go; only bytes that are no
UTF-8 differ: Go takes each for a letter that does not exist, RE2 matches none of them.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import can_backquote, quote
from fluvial.render.gotemplate._values import NilStrings, Strings, from_bytes, to_bytes

if TYPE_CHECKING:
    from re2 import _Regexp as Regex  # type: ignore[import-untyped]  # it has no types

__all__ = ["FUNCTIONS", "compile_pattern"]

_LARGEST: Final = 64 * 2**20
_LONGEST_PATTERN: Final = 2**20
_REASONS: Final = {
    "invalid character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "invalid escape sequence": "invalid escape sequence",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid UTF-8": "invalid UTF-8",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
    "unexpected )": "unexpected )",
}
_PROPERTY: Final = r"\\[pP]\{\^?(?P<group>[A-Za-z_ -]+)\}"
_SPECIAL: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z)|(?P<set>\[\^?\]?(?:\\.|\[:\^?\w*:\]|[^\]\\])*\])"
    rf"|\(\?P?<(?P<name>[^>]*)(?P<end>>?)|{_PROPERTY}|\\x\{{[^}}]*\}}|\\."
    r"|\{(?P<least>0|[1-9][0-9]*)(?:,(?P<most>0|[1-9][0-9]*)?)?\}",
    re.DOTALL,
)
_SPECIAL_IN_SET: Final = re.compile(_PROPERTY)
_CATEGORIES: Final = {
    "Other": "C", "Control": "Cc", "Cntrl": "Cc", "Format": "Cf", "Privateuse": "Co",
    "Surrogate": "Cs", "Letter": "L", "Casedletter": "LC", "Lowercaseletter": "Ll",
    "Modifierletter": "Lm", "Otherletter": "Lo", "Titlecaseletter": "Lt", "Uppercaseletter": "Lu",
    "Mark": "M", "Combiningmark": "M", "Spacingmark": "Mc", "Enclosingmark": "Me",
    "Nonspacingmark": "Mn", "Number": "N", "Decimalnumber": "Nd", "Digit": "Nd",
    "Letternumber": "Nl", "Othernumber": "No", "Punctuation": "P", "Punct": "P",
    "Connectorpunctuation": "Pc", "Dashpunctuation": "Pd", "Closepunctuation": "Pe",
    "Finalpunctuation": "Pf", "Initialpunctuation": "Pi", "Otherpunctuation": "Po",
    "Openpunctuation": "Ps", "Symbol": "S", "Currencysymbol": "Sc", "Modifiersymbol": "Sk",
    "Mathsymbol": "Sm", "Othersymbol": "So", "Separator": "Z", "Lineseparator": "Zl",
    "Paragraphseparator": "Zp", "Spaceseparator": "Zs",
}  # fmt: skip


def _refuse(why: str, shown: str) -> FunctionError:
    return FunctionError(f"error parsing regexp: {why}: `{shown}`")


def _levelled(pattern: str) -> str:
    """Refuse what only RE2 takes, and spell as RE2 does what only Go takes."""

    def special(found: re.Match[str]) -> str:
        text = found[0]
        if text == r"\C":
            raise _refuse("invalid escape sequence", text)
        if found["set"]:
            return _SPECIAL_IN_SET.sub(_property, text)
        if found["name"] is not None:
            if not found["end"]:
                raise _refuse("invalid named capture", pattern[found.start() :])
            if not re.fullmatch(r"\w+", found["name"], re.ASCII):
                raise _refuse("invalid named capture", text)
        if any(len(count or "") > 4 for count in (found["least"], found["most"])):
            raise _refuse("invalid repeat count", text)
        return _property(found) if found["group"] else text

    return _SPECIAL.sub(special, pattern)


def _property(found: re.Match[str]) -> str:
    """Spell a class of letters as RE2 knows it: Go takes long names, and any case."""
    name = re.sub(r"[_ -]", "", found["group"]).capitalize()
    known = _CATEGORIES.get(name)
    if known is None and found["group"].islower():
        known = found["group"].capitalize()
    return found[0].replace(found["group"], known or found["group"])


@functools.lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> "Regex":
    """Compile a pattern. Raises FunctionError in Go's words."""
    import re2  # noqa: PLC0415  (17 ms and 4 MB that only charts with patterns pay)

    if len(pattern) > _LONGEST_PATTERN:
        raise _refuse("expression too large", pattern[:100])
    options = re2.Options()
    options.log_errors = False
    text = to_bytes(_levelled(pattern) if re.search(r"[\\<{]", pattern) else pattern)
    for memory in (8 * 2**20, _LARGEST):
        options.max_mem = memory
        try:
            return re2.compile(text, options)
        except re2.error as error:
            message = from_bytes(error.args[0])
        if not message.startswith("pattern too large"):
            break
    code, _, shown = message.partition(": ")
    if code.startswith("pattern too large"):
        raise _refuse("expression too large", pattern)
    if code == "invalid UTF-8":
        shown = pattern[next(n for n, char in enumerate(pattern) if "\udc80" <= char <= "\udcff") :]
    raise _refuse(_REASONS.get(code, code), shown)


def _compiled(pattern: str) -> "Regex":
    """Compile for a function that cannot fail in Go and so panics: its message names the call."""
    try:
        return compile_pattern(pattern)
    except FunctionError as error:
        shown = f"`{pattern}`" if can_backquote(pattern) else quote(pattern)
        raise FunctionError(f"regexp: Compile({shown}): {error}") from None


def regex_match(pattern: str, text: str) -> bool:
    """Say whether there is a match; a bad pattern matches nothing."""
    try:
        return must_regex_match(pattern, text)
    except FunctionError:
        return False


def must_regex_match(pattern: str, text: str) -> bool:
    """Say whether there is a match."""
    return compile_pattern(pattern).search(to_bytes(text)) is not None


def quote_meta(text: str) -> str:
    """Escape what has a meaning in a pattern."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _calls(compiled: Callable[[str], "Regex"]) -> dict[str, Callable[..., Any]]:
    """Make the functions of one family: those that fail, or those whose failure is a panic."""

    def find(pattern: str, text: str) -> str:
        match = compiled(pattern).search(to_bytes(text))
        return from_bytes(match[0]) if match else ""

    def find_all(pattern: str, text: str, count: int) -> Strings:
        data = to_bytes(text)
        spans = _matches(compiled(pattern), data)
        found = [
            from_bytes(data[start:stop])
            for start, stop in (spans if count < 0 else itertools.islice(spans, count))
        ]
        return Strings(found) if found else NilStrings()

    def replace_all(pattern: str, text: str, template: str) -> str:
        regex = compiled(pattern)
        parts = list(_references(template))
        return _replaced(regex, text, lambda match: _expanded(regex, match, parts))

    def replace_all_literal(pattern: str, text: str, replacement: str) -> str:
        data = to_bytes(replacement)
        return _replaced(compiled(pattern), text, lambda _match: data)

    def split(pattern: str, text: str, count: int) -> Strings:
        return _split(compiled(pattern), to_bytes(text), count)

    return {
        "Find": find,
        "FindAll": find_all,
        "ReplaceAll": replace_all,
        "ReplaceAllLiteral": replace_all_literal,
        "Split": split,
    }


def _width(data: bytes, place: int) -> int:
    """Return the bytes of the letter at a place: one at the end and for what is no letter."""
    first = data[place] if place < len(data) else 0
    size = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    try:
        data[place : place + size].decode()
    except UnicodeDecodeError:
        return 1
    return size


def _matches(regex: "Regex", data: bytes) -> Iterator[tuple[int, int]]:
    """Find matches; there is no empty one right after another."""
    place, last = 0, -1
    while place <= len(data):
        match = regex.search(data, place)
        if match is None:
            return
        start, stop = match.span()
        accepted = True
        if stop == place:
            accepted = start != last
            place += _width(data, place)
        else:
            place = stop
        last = stop
        if accepted:
            yield start, stop


def _replaced(regex: "Regex", text: str, made: Callable[[Any], bytes]) -> str:
    data = to_bytes(text)
    out: list[bytes] = []
    last = place = 0
    size = 0
    while place <= len(data):
        match = regex.search(data, place)
        if match is None:
            break
        start, stop = match.span()
        out.append(data[last:start])
        if stop > last or start == 0:
            piece = made(match)
            size += len(piece)
            if size > _LARGEST:
                raise FunctionError("the replaced text is too long")
            out.append(piece)
        last = stop
        step = place + _width(data, place)
        place = max(step, stop)
    return from_bytes(b"".join([*out, data[last:]]))


_Part = bytes | int | str


def _references(template: str) -> Iterator[_Part]:
    """Read `$1`, `${name}` and `$$`: numbers and names of groups, and the text between, as bytes.

    What is no reference stays; a name takes all letters, digits and underscores that follow.
    """
    place = 0
    while (dollar := template.find("$", place)) >= 0:
        yield to_bytes(template[place:dollar])
        place = dollar + 1
        if template.startswith("$", place):
            yield b"$"
            place += 1
            continue
        brace = template.startswith("{", place)
        start = stop = place + brace
        while stop < len(template) and _names(template[stop]):
            stop += 1
        if stop == start or (brace and not template.startswith("}", stop)):
            yield b"$"
            continue
        name = template[start:stop]
        place = stop + brace
        numbered = name.isascii() and name.isdecimal() and len(name) < 9
        yield int(name) if numbered and (name[0] != "0" or name == "0") else name
    yield to_bytes(template[place:])


def _names(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _expanded(regex: "Regex", match: Any, parts: list[_Part]) -> bytes:
    """Fill the references; a group that does not exist, or took no part, is empty."""
    groups = regex.groupindex if any(isinstance(part, str) for part in parts) else {}
    out = []
    for part in parts:
        if isinstance(part, bytes):
            out.append(part)
            continue
        number = part if isinstance(part, int) else groups.get(to_bytes(part), -1)
        if 0 <= number <= regex.groups:
            out.append(match[number] or b"")
    return b"".join(out)


def _split(regex: "Regex", data: bytes, count: int) -> Strings:
    if count == 0:
        return NilStrings()
    if regex.pattern and not data:
        return Strings([""])
    parts = Strings()
    start = stop = 0
    for found in _matches(regex, data):
        if 0 < count <= len(parts) + 1:
            break
        stop = found[0]
        if found[1] != 0:
            parts.append(from_bytes(data[start:stop]))
        start = found[1]
    if stop != len(data):
        parts.append(from_bytes(data[start:]))
    return parts


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "mustRegexMatch": must_regex_match,
    "regexMatch": regex_match,
    "regexQuoteMeta": quote_meta,
    **{f"regex{name}": call for name, call in _calls(_compiled).items()},
    **{f"mustRegex{name}": call for name, call in _calls(compile_pattern).items()},
}
