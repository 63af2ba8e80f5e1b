"""How a failing template is worded: what it says itself alone, or the way to it, a level a line."""

import re
from typing import Final, NamedTuple

from fluvial.render.gotemplate import TemplateError
from fluvial.render.helm._errors import RenderError
from fluvial.render.helm._functions import MARK_END, MARK_START
from fluvial.render.helm._versions import HelmVersion

__all__ = ["render_error"]

_LONGEST: Final = 65_536
_PREFIX: Final = "template: "
_MARKED = re.compile(f"{MARK_START}(.*){MARK_END}", re.DOTALL)
_EXECUTING = re.compile(
    r'(?P<place>.*?): (?P<what>executing "[^"]*" at <.*?>:) (?P<message>.*)', re.DOTALL
)


class _Level(NamedTuple):
    """One template on the way to the failure."""

    place: str
    what: str
    message: str

    def __str__(self) -> str:
        lines = ((self.place, "\n  "), (self.what, "\n    "), (self.message, "\n"))
        return "".join(text + after for text, after in lines if text)


def render_error(error: TemplateError, helm_version: HelmVersion) -> RenderError:
    """Word a failure as `helm template` does.

    What `fail` and `required` say stands alone, with the outermost place. A failure that is a
    template's own is laid out with the includes that led to it; one that a function returned stays
    in Go's single line, as all of them are in Helm 3.
    """
    text = str(error)
    parts = text.split(": ", 2)
    marked = _MARKED.search(parts[-1])
    if marked and len(parts) == 3:
        text = f"execution error at ({parts[1]}): {marked[1]}"
    elif not helm_version.one_line_errors:
        text = _layout(error)
    if len(text) > _LONGEST:
        # A template that includes itself fails a thousand levels down, and names every one.
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return RenderError(text, file=error.name, line=error.line, column=error.column)


def _layout(error: TemplateError) -> str:
    levels: list[_Level] = []
    current: BaseException | None = error
    while current is not None:
        level = _level(str(current))
        if level is None:
            return str(error)
        if not levels or levels[-1] != level:
            levels.append(level)
        current = current.__cause__
    return "".join(map(str, levels)).strip()


def _level(text: str) -> _Level | None:
    """Read one error of the chain; None when it is no template's."""
    if not text.startswith(_PREFIX):
        return None
    rest = text.removeprefix(_PREFIX)
    if rest.startswith("no template "):
        return _Level("", "", text)
    if found := _EXECUTING.fullmatch(rest):
        return _Level(found["place"], found["what"], found["message"].partition(" template:")[0])
    place, colon, message = rest.rpartition(": ")
    return _Level(place, "", message.partition(" template:")[0]) if colon else None
