"""Writing without folding: as the YAML writers of Go that have no width."""

import re
from typing import Any, Final

from fluvial.render.yaml._emit import dump

__all__ = ["dump_unfolded"]

_HIDDEN: Final = "\ue00a"
_FOLDABLE: Final = re.compile(
    "(?<=[^ :\n\r\x85\u2028\u2029])(?<!^[-?]) (?=[^ #\n\r\x85\u2028\u2029])"
)
"""A space at which a writer may break a line, and on which no quoting depends."""


def dump_unfolded(obj: Any, *, sort_keys: bool = True) -> str:
    """Print one document as `dump` does, but with long scalars on one line.

    Raises TypeError for values that JSON does not know.
    """
    return dump(_hidden(obj), sort_keys=sort_keys).replace(_HIDDEN, " ")


def _hidden(value: Any) -> Any:
    """Put another sign in the place of the spaces at which lines could break."""
    if isinstance(value, str):
        return _FOLDABLE.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return value
