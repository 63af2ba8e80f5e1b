"""Sprig's text functions, as Helm 4 pins them (v3.3.0), without `env` and `expandenv`.

`functions()` is the table for `Templates`. Behaviour, odd as some of it is, is Sprig's: charts
depend on it. Where random values and the time come from is said in `chance`: the machine, or a
seed. What could take all memory (`until`, `repeat` and their kin) is bounded, with an error.
"""

from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate.sprig import (
    basecodes,
    certificates,
    conversion,
    dates,
    defaults,
    dicts,
    encoding,
    lists,
    numbers,
    passwords,
    paths,
    reflection,
    regex,
    strings,
    urls,
    versions,
)
from fluvial.render.gotemplate.sprig.chance import seeded

__all__ = ["functions", "seeded"]


def functions() -> dict[str, Callable[..., Any]]:
    """Make the table, a new one for every caller to change."""
    table: dict[str, Callable[..., Any]] = {}
    for module in (
        basecodes, certificates, conversion, dates, defaults, dicts, encoding, lists, numbers,
        passwords, paths, reflection, regex, strings, urls, versions,
    ):  # fmt: skip
        table.update(module.FUNCTIONS)
    return table
