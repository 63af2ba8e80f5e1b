"""Sprig's text functions, as Helm 4 pins them (v3.3.0), without `env` and `expandenv`.

`functions()` is the table for `Templates`. Behaviour, odd as some of it is, is Sprig's: charts
depend on it. A function that needs what a pure renderer does not have is in the table and refuses
with a clear message.
"""

from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate.sprig import (
    absent,
    certificates,
    conversion,
    dates,
    defaults,
    dicts,
    encoding,
    lists,
    numbers,
    reflection,
    regex,
    strings,
    versions,
)

__all__ = ["functions"]


def functions() -> dict[str, Callable[..., Any]]:
    """Make the table, a new one for every caller to change."""
    table: dict[str, Callable[..., Any]] = {}
    for module in (
        absent, certificates, conversion, dates, defaults, dicts, encoding, lists, numbers,
        reflection, regex, strings, versions,
    ):  # fmt: skip
        table.update(module.FUNCTIONS)
    return table
