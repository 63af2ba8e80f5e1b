"""Where the command keeps the templates that it has parsed, for the next time it is called."""

import os
import sys
from pathlib import Path
from typing import Final

from fluvial.render.gotemplate import ParsedStore, keep_parsed

__all__ = ["VARIABLE", "keep_templates"]

VARIABLE: Final = "FLUVIAL_TEMPLATE_CACHE"
"""Names another folder than the user's cache, or is `off`."""


def keep_templates(*, off: bool = False) -> None:
    """Read parsed templates from the user's cache and add to it, unless that is `off`.

    The folder is `$XDG_CACHE_HOME/fluvial/templates` or `~/.cache/fluvial/templates`, for this user
    alone. One that cannot be made is done without; one that is not safe to use is told.
    """
    named = os.environ.get(VARIABLE, "")
    if off or named == "off":
        keep_parsed(None)
        return
    store = None
    try:
        store = ParsedStore(Path(named) if named else _cache() / "fluvial" / "templates")
    except (OSError, RuntimeError) as error:
        if named or _is_refusal(error):
            sys.stderr.write(f'level=WARN msg="parsed templates are not kept: {error}"\n')
    keep_parsed(store)


def _is_refusal(error: Exception) -> bool:
    """Tell a folder that the store refuses from one that the system does."""
    return isinstance(error, PermissionError) and error.errno is None


def _cache() -> Path:
    """Return the folder of the user's caches. Raises RuntimeError for a user without a home."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".cache"
