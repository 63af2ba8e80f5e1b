# ruff: noqa: N818  (the names say what happened)
"""What can go wrong between the name of a chart and its package.

HelmError
└── RepositoryError         any of them
    ├── IndexInvalid        an index.yaml that cannot be used at all
    ├── ChartNotFound       no chart of that name, or no version in the range
    ├── LockInvalid         dependencies that no version fits, or a lock that is out of date
    └── SignatureInvalid    a provenance file that proves nothing about the package
"""

from fluvial.render.helm._errors import HelmError

__all__ = [
    "ChartNotFound",
    "IndexInvalid",
    "LockInvalid",
    "RepositoryError",
    "SignatureInvalid",
]


class RepositoryError(HelmError):
    """Base of what reading repositories raises."""


class IndexInvalid(RepositoryError):
    """An index that is empty, too large, no index, or of no API version."""


class ChartNotFound(RepositoryError):
    """A chart that the index does not have, or not in the wanted range."""


class LockInvalid(RepositoryError):
    """Dependencies that cannot be locked, or a lock file that does not fit them."""


class SignatureInvalid(RepositoryError):
    """A package without a good signature by a key of the keyring; the words are helm's."""
