"""Values of `targetPath`: one assignment in the grammar of Helm's `--set`."""

from typing import Any

from fluvial.render.helm._errors import ValuesError
from fluvial.render.helm._strvals import set_string, set_value

__all__ = ["set_path"]


def set_path(values: dict[str, Any], path: str, value: str, *, literal: bool = False) -> None:
    """Set a value in place, as Helm's `--set path=value` does.

    A value in matching quotes is text; a `literal` one too, with nothing in it that splits or
    escapes. Otherwise whole numbers, true, false and null have a type, `{a,b}` is a list, and what
    follows a comma is another assignment. Raises ValuesError, which names the path and never the
    value.
    """
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    if literal:
        value = "".join(f"\\{char}" if char in "\\,[]{}" else char for char in value)
    elif quoted:
        value = value.strip(value[0])
    assign = set_string if literal or quoted else set_value
    try:
        assign(f"{path}={value}", values)
    except ValuesError:
        # The cause may quote the value, which may be a secret.
        raise ValuesError(
            f"targetPath {path!r}: the path or its value does not fit the grammar of --set, or"
            " leads through a value that is no map; indexes, braces, commas and quotes count"
        ) from None
    _plain(values)


def _plain(value: Any) -> Any:
    """Make whole numbers plain ones in place: values are sent to a worker and into Secrets."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _plain(item)
    elif isinstance(value, list):
        value[:] = [_plain(item) for item in value]
    elif isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
