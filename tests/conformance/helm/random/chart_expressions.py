"""Random expressions of the template language, most of which have the type that is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

Type = Literal["text", "int", "number", "bool", "list", "words", "table", "any"]

# What stands in braces is an expression of that type; `any` takes every one of them.
CALLS: dict[str, list[str]] = {
    "text": [
        "upper {text}", "lower {text}", "trim {text}", "title {text}", "untitle {text}",
        "nospace {text}", "initials {text}", "snakecase {text}", "camelcase {text}",
        "kebabcase {text}", "swapcase {text}", "quote {any}", "squote {any}", "b64enc {text}",
        "b64dec {text}", "b32enc {text}", "sha256sum {text}", "sha1sum {text}", "adler32sum {text}",
        "toString {any}", "trunc {int} {text}", "abbrev {int} {text}", "substr 0 {int} {text}",
        "repeat 2 {text}", "trimAll {text} {text}", "trimSuffix {text} {text}",
        "trimPrefix {text} {text}", "replace {text} {text} {text}", "indent 2 {text}",
        "nindent 4 {text}", "wrap {int} {text}", "plural {text} {text} {int}", "cat {any} {any}",
        "join {text} {list}", "join {text} {any}", "toJson {any}", "toYaml {any}",
        "toPrettyJson {any}", "toRawJson {any}", "printf {text} {any}", 'printf "%v" {any}',
        'printf "%d" {any}', 'printf "%s-%s" {text} {any}', 'printf "%q" {any}',
        'printf "%5.2f" {any}', 'printf "%T" {any}', "print {any} {any}", "typeOf {any}",
        "kindOf {any}", "regexReplaceAll {regex} {text} {text}", "regexFind {regex} {text}",
        "regexQuoteMeta {text}", "base {text}", "dir {text}", "clean {text}", "ext {text}",
        "html {any}", "js {any}", "urlquery {any}", "default {text} {any}", "required {text} {any}",
        "seq {int}", "index (append {words} {text}) 0", "get {table} {text}", "toToml {table}",
        "ternary {text} {text} {bool}", "urlJoin (urlParse {text})",
        "abbrevboth {int} {int} {text}",
        "wrapWith {int} {text} {text}", 'include "pick" {any}', 'include "text" .',
        "tpl {template} $", "tpl {text} $", "first {words}",
        "regexReplaceAllLiteral {regex} {text} {text}",
        "toYamlPretty {any}", "trimall {text} {text}", "sha512sum {text}", "slice {text} 0 {int}",
    ],
    "int": [
        "len {text}", "len {list}", "len {table}", "int {any}", "atoi {text}", "{digit}",
        "int (add {number} {number})",
    ],
    "number": [
        "add {number} {number}", "add1 {number}", "sub {number} {number}", "mul {number} {number}",
        "div {number} {number}", "mod {number} {number}", "max {number} {number}",
        "min {number} {number}", "int64 {any}", "float64 {any}", "floor {number}", "ceil {number}",
        "round {number} {digit}", "addf {number} {number}", "mulf {number} {number}",
        "divf {number} {number}", "subf {number} {number}", "toDecimal {any}",
        "maxf {number} {number}", "minf {number} {number}", "biggest {number} {number}",
    ],
    "bool": [
        "eq {text} {text}", "ne {text} {text}", "eq {any} {any}", "lt {int} {int}",
        "le {text} {text}",
        "gt {int} {int}", "ge {number} {number}", "not {any}", "and {any} {any}",
        "or {bool} {bool}",
        "contains {text} {text}", "hasPrefix {text} {text}", "hasSuffix {text} {text}",
        "empty {any}", "has {any} {list}", "hasKey {table} {text}", "kindIs {text} {any}",
        'kindIs "map" {any}', "deepEqual {any} {any}", "regexMatch {regex} {text}",
        "semverCompare {range} {version}", "any {any} {any}", "all {any} {any}",
        "typeIs {text} {any}", "isAbs {text}", "has {text} {words}",
        '.Capabilities.APIVersions.Has "apps/v1"', "typeIsLike {text} {any}",
    ],
    "words": [
        "splitList {text} {text}", "sortAlpha {list}", "keys {table} | sortAlpha",
        "regexFindAll {regex} {text} -1", "regexSplit {regex} {text} -1", "toStrings {list}",
        "initial {words}", "rest {words}", "reverse {words}", "uniq {words}", "compact {words}",
        "without {words} {text}", "slice {words} 0 {digit}",
    ],
    "list": [
        "list {any} {any}", "list", "append {list} {any}", "prepend {list} {any}",
        "concat {list} {list}", "rest {list}", "initial {list}", "reverse {list}", "uniq {list}",
        "compact {list}", "without {list} {any}", "until {digit}", "untilStep 0 {int} 3",
        "chunk 2 {list}", "fromYamlArray (toYaml {list})", "fromJsonArray (toJson {list})",
        "values (dict {text} {any})", "pluck {text} {table} {table}", "mustAppend {list} {any}",
        "slice {list} 1", "tuple {any} {any}",
    ],
    "table": [
        "dict {text} {any}", "dict {text} {any} {text} {any}", "dict", "merge (dict) {table}",
        "mergeOverwrite (deepCopy {table}) {table}", "merge (deepCopy {table}) {table}",
        "pick {table} {text} {text}", "omit {table} {text}", "deepCopy {table}",
        "fromYaml (toYaml {table})", "fromJson (toJson {table})", "fromYaml {text}",
        "set (deepCopy {table}) {text} {any}", "unset (deepCopy {table}) {text}",
        "split {text} {text}", "splitn {text} 2 {text}", "urlParse {text}",
        "omit (fromToml (toToml {table})) `Error`", "default (dict) {table}",
    ],
    "any": [
        "default {any} {any}", "coalesce {any} {any}", "ternary {any} {any} {bool}", "first {list}",
        "last {list}", "index (append {list} 1) 0", "index {table} {text}", "get {table} {text}",
        "dig {text} {any} {table}", "dig {text} {text} {any} {table}", "or {any} {any}",
        "and {any} {any}", "fromYaml {text}", 'lookup "v1" "Secret" "ns" {text}',
        "semver {version}",
    ],
}  # fmt: skip

SAMPLES: dict[str, list[str]] = {
    "digit": ["0", "1", "2", "3", "5", "10"],
    "regex": ['"[a-z]+"', '"(a)(b)?"', '"^x*"', r'"\\d+"', "`[[:alpha:]]`", '"l|o"', r"`\s*,?\s*`"],
    "version": ['"1.2.3"', '"v2.0.0-rc.1"', '"1.30"', ".Capabilities.KubeVersion.Version"],
    "range": ['">=1.2"', '"~1.2"', '"^1.0.0-0 || >3"', '"1.x"', '"<2.0.0"', '">=1.20-0"'],
    "template": [
        '"{{ .Values.text }}"', "`{{ .Release.Name | upper }}-{{ len .Values.words }}`",
        '"{{ include \\"text\\" . }}"', '"{{ range .Values.words }}<{{ . }}>{{ end }}"',
        '"plain"', '"{{ $x := 3 }}{{ add $x 1 }}"', '"{{ .Template.Name }}"',
    ],
}  # fmt: skip

LITERALS: dict[str, list[str]] = {
    "text": ['"a"', '"app"', '""', '"b c"', "`raw`", '"x\\ty"', '"é"', '"-"', '","', '"name"',
             '"alpha"', '"text"', '"%v"', '"%s"', '"1"', '"map"', '"string"', ".Release.Name",
             ".Chart.Name", ".Chart.Version", ".Release.Namespace", ".Chart.AppVersion"],
    "int": ["0", "1", "2", "3", "7", "-1", "10", "80", "0x1f", "'a'"],
    "number": ["0", "1", "2.5", "-3", "100", "1e3", "0.1"],
    "bool": ["true", "false", ".Release.IsInstall", ".Release.IsUpgrade"],
    "list": ["(list 1 2 3)", '(list "a" nil 2.5)', ".Values.items"],
    "words": ['(list "b" "a")', ".Values.words", '(splitList "," "a,b")'],
    "table": ['(dict "a" 1)', ".Values.table", ".Values", '(dict "alpha" (dict "bravo" "c"))'],
    "any": ["nil", '"x"', "1", "2.5", "true", "(list)", "(dict)", ".Values.text", ".Values.count",
            ".Values.ratio", ".Values.on", ".Values.items", ".Values.table", ".Values.missing"],
}  # fmt: skip

KINDS: dict[type, list[Type]] = {
    bool: ["bool", "any"], int: ["number", "any"], float: ["number", "any"], str: ["text", "any"],
    list: ["list", "any"], dict: ["table", "any"], type(None): ["any"],
}  # fmt: skip


@dataclass
class Scope:
    """What an expression may name: `named` holds operands by type, `rooted` whether dot is root."""

    named: dict[str, list[str]] = field(default_factory=dict)
    rooted: bool = True

    def with_values(self, values: dict[str, Any]) -> "Scope":
        """Return a scope that also knows the paths of `values`."""
        scope = Scope({kind: list(names) for kind, names in self.named.items()}, self.rooted)
        for path, value in paths(values, ".Values"):
            for kind in KINDS[type(value)]:
                scope.named.setdefault(kind, []).append(path)
        return scope

    def with_variable(self, name: str, kind: Type) -> "Scope":
        """Return a scope that also knows a variable."""
        scope = Scope({key: list(names) for key, names in self.named.items()}, self.rooted)
        for wanted in {kind, "any"}:
            scope.named.setdefault(wanted, []).extend([name] * 3)
        return scope

    def inside(self) -> "Scope":
        """Return the scope of a body whose dot is no longer the root: paths start at `$` there."""
        named = {key: [_from_root(name) for name in names] for key, names in self.named.items()}
        return Scope(named, rooted=False)


def paths(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the path of every value below mappings, with the value."""
    for key, item in value.items():
        yield f"{prefix}.{key}", item
        if isinstance(item, dict):
            yield from paths(item, f"{prefix}.{key}")


def _from_root(name: str) -> str:
    """Reword an operand so that it does not depend on dot."""
    return name.replace(" .)", " $)") if name.startswith(("$", "(")) else f"${name}"


@st.composite
def operand(draw: st.DrawFn, scope: Scope, kind: str, depth: int) -> str:
    """Make an operand: a literal, a name in scope, or a call in parentheses."""
    if kind in SAMPLES:
        return _rooted(draw(st.sampled_from(SAMPLES[kind])), scope)
    names = scope.named.get(kind, [])
    choice = draw(st.integers(0, 9))
    if depth > 0 and choice >= 6:
        return f"({draw(call(scope, kind, depth - 1))})"
    if names and choice >= 2:
        return draw(st.sampled_from(names))
    return _rooted(draw(st.sampled_from(LITERALS[kind])), scope)


def _rooted(text: str, scope: Scope) -> str:
    """Let paths of a literal start at the root where dot is something else."""
    if scope.rooted or text.startswith(('"', "`")):
        return text
    return f"${text}" if text.startswith(".") else text


@st.composite
def call(draw: st.DrawFn, scope: Scope, kind: str, depth: int) -> str:
    """Make a pipeline of the type: a call with its last argument in place, or piped into it."""
    wanted = "words" if kind == "list" and draw(st.booleans()) else kind
    pattern = draw(st.sampled_from(CALLS[wanted]))
    if not scope.rooted:
        pattern = pattern.replace(".Capabilities", "$.Capabilities").replace('"text" .', '"text" $')
    pipe = pattern.endswith("}") and " " in pattern and draw(st.integers(0, 2)) == 0
    parts = []
    for piece in pattern.replace("{", "\0").replace("}", "\0").split("\0"):
        holes = piece in CALLS or piece in SAMPLES
        parts.append(draw(operand(scope, piece, depth)) if holes else piece)
    if pipe and parts[-1] == "":
        return f"{parts[-2]} | {''.join(parts[:-2]).rstrip()}"
    return "".join(parts)


@st.composite
def expression(draw: st.DrawFn, scope: Scope, kind: str, depth: int = 2) -> str:
    """Make what can stand alone in an action."""
    if draw(st.integers(0, 3)) == 0:
        alone = draw(operand(scope, kind, 0))
        return "(list)" if alone == "nil" else alone
    return draw(call(scope, kind, depth))
