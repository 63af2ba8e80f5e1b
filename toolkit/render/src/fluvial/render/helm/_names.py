"""Names of releases."""

import re
from typing import Final

from fluvial.render.gotemplate import TemplateError, Templates
from fluvial.render.helm._errors import RenderError, ValuesError
from fluvial.render.helm._functions import helm_functions
from fluvial.render.helm._notices import Notice, Tell, silent

__all__ = ["check_release_name", "release_name"]

_LONGEST: Final = 53
_NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_PATTERN = re.compile(_NAME.removesuffix("$") + r"\Z")


def release_name(template: str) -> str:
    """Return what a `--name-template` comes to; it knows the functions but no values.

    Raises RenderError.
    """
    templates = Templates(helm_functions())
    try:
        templates.add("name-template", template)
        return templates.execute("name-template", None)
    except TemplateError as error:
        raise RenderError(str(error)) from None


def check_release_name(name: str, tell: Tell = silent) -> None:
    """Raise ValuesError for what is no name of a release, in Helm's words; `tell` hears it, too."""
    problem = ""
    if not name:
        problem = "no name provided"
    elif len(name) > _LONGEST or not _PATTERN.match(name):
        problem = (
            f'release name "{name}": invalid release name, must match '
            f"regex {_NAME} and the length must not be longer than {_LONGEST}"
        )
    if problem:
        failed = "release name check failed"
        tell(Notice("ERROR", failed, (("error", problem),)))
        raise ValuesError(f"{failed}: {problem}")
