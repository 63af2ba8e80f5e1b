# ruff: noqa: N818  (the names say what happened, as the decision pages call it)
"""What can go wrong with an artifact.

ArtifactError
├── ArtifactNotFound    the server says 404, or the store has no such file: wait and try again
├── FetchFailed         no usable answer after all tries
├── DigestMismatch      the bytes are not the advertised ones
├── DigestUnsupported   an algorithm that is unknown or not available here
├── PathRejected        a storage path that is not <kind>/<namespace>/<name>/<file>
└── ArchiveRejected     an archive, or one entry of it, that must not be unpacked
    └── LimitExceeded   too many bytes, entries or levels, or too much time
"""

__all__ = [
    "ArchiveRejected",
    "ArtifactError",
    "ArtifactNotFound",
    "DigestMismatch",
    "DigestUnsupported",
    "FetchFailed",
    "LimitExceeded",
    "PathRejected",
]


class ArtifactError(Exception):
    """Base of everything this package raises on purpose."""


class ArtifactNotFound(ArtifactError):
    """The artifact is gone; its producer will advertise another one."""


class FetchFailed(ArtifactError):
    """The artifact could not be downloaded; `status` is the last HTTP status, 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class DigestMismatch(ArtifactError):
    """The bytes do not hash to the advertised digest."""


class DigestUnsupported(ArtifactError):
    """The digest names an algorithm that cannot be checked here, or is malformed."""


class PathRejected(ArtifactError):
    """A storage path that could leave its place."""


class ArchiveRejected(ArtifactError):
    """An archive that breaks a rule; the message names the entry."""


class LimitExceeded(ArchiveRejected):
    """An archive larger than the limits in force."""
