"""Names of things in registries: `host/path:tag`, `host/path@sha256:…`, or both."""

import re
from typing import Final, NamedTuple, Self

from fluvial.toolkit.oci._errors import ReferenceInvalid

__all__ = ["DIGEST", "SCHEME", "Reference"]

SCHEME: Final = "oci://"
"""What addresses of charts in registries begin with."""

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""What digests look like; other algorithms are not in use."""


class Reference(NamedTuple):
    """Where something is. Without tag and digest it names the repository."""

    registry: str
    """Host, and port if there is one."""
    repository: str
    """Path in the registry."""
    tag: str = ""
    """Tag; build metadata of versions stands in it after `_`."""
    digest: str = ""
    """Digest of the manifest, `sha256:` and hexadecimal digits."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference, with or without `oci://`. Raises ReferenceInvalid."""
        registry, slash, rest = text.removeprefix(SCHEME).partition("/")
        if not slash:
            raise ReferenceInvalid("invalid reference: missing registry or repository")
        path, at, digest = rest.partition("@")
        repository, colon, tag = path.partition(":")
        tag = tag.replace("+", "_")
        if not _HOST.fullmatch(registry):
            shown = f"*****@{registry.rpartition('@')[2]}" if "@" in registry else registry
            raise ReferenceInvalid(f'invalid reference: invalid registry "{shown}"')
        if not _REPOSITORY.fullmatch(repository):
            raise ReferenceInvalid(f'invalid reference: invalid repository "{repository}"')
        if colon and not _TAG.fullmatch(tag):
            raise ReferenceInvalid(f'invalid reference: invalid tag "{tag}"')
        if at and not DIGEST.fullmatch(digest):
            raise ReferenceInvalid(f'invalid reference: invalid digest "{digest}"')
        return cls(registry, repository, tag, digest)

    def __str__(self) -> str:
        if self.digest:
            return f"{self.registry}/{self.repository}@{self.digest}"
        return f"{self.registry}/{self.repository}{':' if self.tag else ''}{self.tag}"
