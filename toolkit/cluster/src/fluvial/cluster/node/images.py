"""The allow-list: which images are real, and the command of each."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

__all__ = ["SAMPLE_IMAGES", "image_id", "is_valid", "repository_of", "tag_of"]

_REFERENCE = re.compile(
    r"[a-zA-Z0-9][a-zA-Z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_WEBAPP = Path(__file__).parent / "sample" / "webapp.py"

# Run by path, isolated and without site: it needs the standard library only, and starts in a
# third of the time. `python -m fluvial.cluster.node.sample.webapp` is the same by hand.
SAMPLE_IMAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"fluvial.dev/sample/webapp": (sys.executable, "-I", "-S", str(_WEBAPP))}
)
"""Image repository to command, for the images that come with Fluvial."""


def is_valid(image: str) -> bool:
    """Tell whether a runtime could read the reference at all."""
    return _REFERENCE.fullmatch(image) is not None


def repository_of(image: str) -> str:
    """Return an image reference without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def tag_of(image: str) -> str:
    """Return the tag of a reference, `latest` when it has none."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2] or "latest"


def image_id(image: str) -> str:
    """Return what a status shows as `imageID`."""
    return f"fluvial://{image}"
