"""Two glob languages: Go's path.Match for `.helmignore`, and the one of `.Files.Glob`."""

import re
from functools import lru_cache

from fluvial.render.helm._errors import ChartError

__all__ = ["IgnoreRules", "file_glob", "path_matches"]

_ALWAYS_IGNORED = "templates/.?*"


@lru_cache(maxsize=1024)
def file_glob(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of `.Files.Glob`: `*` and `?` stay within a part, `**` crosses parts.

    `{a,b}` and `[a-c]` are alternatives. What is no pattern matches everything, as upstream.
    """
    try:
        return re.compile(_translate(pattern, crossing=True) + r"\Z", re.DOTALL)
    except (re.error, ValueError):
        return re.compile("")


@lru_cache(maxsize=1024)
def _path_match(pattern: str) -> re.Pattern[str]:
    return re.compile(_translate(pattern, crossing=False) + r"\Z", re.DOTALL)


def path_matches(pattern: str, path: str) -> bool:
    """Say whether Go's path.Match accepts `path`; a malformed pattern matches nothing."""
    try:
        return bool(_path_match(pattern).match(path))
    except (re.error, ValueError):
        return False


def _translate(pattern: str, *, crossing: bool) -> str:
    """Turn a glob into a regular expression. Raises ValueError for what is left open."""
    out: list[str] = []
    index, depth = 0, 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*" and crossing and pattern[index : index + 1] == "*":
            index += 1
            out.append(".*")
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            end = pattern.index("]", index + 1)
            body = pattern[index:end]
            index = end + 1
            negated = body[0] in "^!" if crossing else body[0] == "^"
            body = body[1:] if negated else body
            safe = body.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out.append(f"[{'^' if negated else ''}{safe}]")
        elif char == "\\" and index < len(pattern):
            out.append(re.escape(pattern[index]))
            index += 1
        elif char == "{" and crossing:
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
    if depth:
        raise ValueError("unclosed brace")
    return "".join(out)


class IgnoreRules:
    """The rules of a `.helmignore`, in order; the first that decides wins.

    A rule that starts with `!` ignores everything it does *not* match, which is how Helm has it.
    """

    def __init__(self, text: str, *, file: str = ".helmignore") -> None:
        self._rules: list[tuple[re.Pattern[str], bool, bool, bool]] = []
        for number, line in enumerate([*text.splitlines(), _ALWAYS_IGNORED], 1):
            rule = line.strip()
            if not rule or rule.startswith("#"):
                continue
            if "**" in rule:
                raise ChartError(
                    f"{file}:{number}: double-star (**) syntax is not supported",
                    file=file,
                    line=number,
                )
            negated = rule.startswith("!")
            rule = rule.removeprefix("!")
            folder = rule.endswith("/")
            rule = rule.removesuffix("/")
            whole = "/" in rule
            try:
                matcher = _path_match(rule.removeprefix("/"))
            except (re.error, ValueError):
                raise ChartError(
                    f"{file}:{number}: {line.strip()!r} is no pattern", file=file, line=number
                ) from None
            self._rules.append((matcher, whole, folder, negated))

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Say whether the chart goes without `path`, which is relative to its root."""
        for matcher, whole, folders_only, negated in self._rules:
            matches = bool(matcher.match(path if whole else path.rpartition("/")[2]))
            if negated:
                if (folders_only and not folder) or not matches:
                    return True
            elif matches and (folder or not folders_only):
                return True
        return False
