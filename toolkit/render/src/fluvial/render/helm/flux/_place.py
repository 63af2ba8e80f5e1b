"""Where a HelmRelease itself is written."""

from typing import NamedTuple

from fluvial.render.helm._layers import Path
from fluvial.render.objects import Origin
from fluvial.render.pointers import escape
from fluvial.render.yaml import Document

__all__ = ["ReleasePlace"]


class ReleasePlace(NamedTuple):
    """The document of a file, read with positions, in which a HelmRelease is written."""

    file: str
    """What origins call the file."""
    document: Document
    """The document."""
    inside: Path = ()
    """The path of the HelmRelease in it; empty unless the document is a list."""

    def origin(self, field: Path, by: str) -> Origin:
        """Return where a field of the HelmRelease is written; its line is 0 where it is not."""
        pointer = "".join(f"/{escape(part)}" for part in (*self.inside, *field))
        place = (self.document.positions or {}).get(pointer)
        return Origin(self.file, place.line if place else 0, place.column if place else 0, by)
