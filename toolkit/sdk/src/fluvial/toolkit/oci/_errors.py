# ruff: noqa: N818  (the names say what happened)
"""What can go wrong with a registry. Messages never hold credentials.

OciError
├── ReferenceInvalid    a text that names nothing in a registry
├── CredentialsInvalid  a docker configuration or helper that gives none
├── RegistryRefused     an answer that is an error; `status` has its number
├── ContentRejected     what came is not what was named: wrong digest, size or kind
└── VersionNotFound     no tag in the wanted range
"""

__all__ = [
    "ContentRejected",
    "CredentialsInvalid",
    "OciError",
    "ReferenceInvalid",
    "RegistryRefused",
    "VersionNotFound",
]


class OciError(Exception):
    """Base of what this package raises itself; connections raise WebError."""


class ReferenceInvalid(OciError):
    """A text that is no reference."""


class CredentialsInvalid(OciError):
    """A docker configuration that cannot be read, or a credential helper that failed."""


class RegistryRefused(OciError):
    """The registry answered with an error; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ContentRejected(OciError):
    """Content that is not what was asked for."""


class VersionNotFound(OciError):
    """No tag of the repository is a version in the range."""
