"""What this process has parsed: in memory a text by its name, on disk all those of a chart."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from fluvial.render.gotemplate._parse import Parsed, parse
from fluvial.render.gotemplate.store import ParsedStore

__all__ = ["keep_parsed", "parsed_text", "parsed_together"]


class _Set:
    """The texts of one chart: one file of the store, which is read when the first is missing."""

    def __init__(self, store: ParsedStore, texts: Mapping[str, str]) -> None:
        self._store, self._texts = store, texts
        self._asked = False
        self._found: dict[str, Parsed] | None = None

    def find(self, name: str, text: str) -> Parsed | None:
        """Return what the store has of a text; None for one that is not of this set."""
        if self._texts.get(name) != text:
            return None
        if not self._asked:
            self._asked = True
            self._found = self._store.load(self._texts)
        return self._found[name] if self._found else None

    def finish(self) -> None:
        """Keep what had to be parsed."""
        if self._asked and self._found is None:
            parsed = {name: parsed_text(name, text) for name, text in self._texts.items()}
            self._store.save(self._texts, parsed)


class _Kept:
    """What this process uses for all its templates."""

    store: ParsedStore | None = None
    open: _Set | None = None


_KEPT: Final = _Kept()


@functools.lru_cache(maxsize=2048)
def parsed_text(name: str, text: str) -> Parsed:
    """Parse; the same text under the same name is parsed once per process."""
    known = _KEPT.open.find(name, text) if _KEPT.open else None
    return parse(name, text) if known is None else known


def keep_parsed(store: ParsedStore | None) -> None:
    """Keep what is `parsed_together` in a store from now on; None ends that."""
    _KEPT.store = store


@contextmanager
def parsed_together(texts: Mapping[str, str]) -> Iterator[None]:
    """Read texts, by name, from the store while the block parses them, or write them at its end.

    Without a store nothing happens. What else the block parses, such as the texts of `tpl`, never
    reaches the disk: values may be secret, the files of a chart are not.
    """
    if _KEPT.store is None or _KEPT.open is not None:
        yield
        return
    opened = _KEPT.open = _Set(_KEPT.store, texts)
    try:
        yield
    finally:
        _KEPT.open = None
    opened.finish()
