"""Where charts come from, as far as bytes go: indexes, locks, packages and their signatures.

    index = Index(bytes_of_index_yaml)
    entry = index.find("shop", "^1.2")            # entry.urls[0] is to be fetched
    verify_package(package, provenance, "shop-1.2.3.tgz", keyring)

Nothing here fetches anything; `fluvial.toolkit.oci` and `fluvial.toolkit.web` do. Errors are drawn
in `_errors`: RepositoryError ← IndexInvalid, ChartNotFound, LockInvalid, SignatureInvalid.
"""

from fluvial.render.helm.repository._errors import (
    ChartNotFound,
    IndexInvalid,
    LockInvalid,
    RepositoryError,
    SignatureInvalid,
)
from fluvial.render.helm.repository.index import (
    LARGEST_INDEX,
    ChartVersion,
    Index,
    is_range,
    is_version,
)
from fluvial.render.helm.repository.lock import (
    Locked,
    check_lock,
    lock_digest,
    lock_name,
    lock_text,
    satisfies,
)
from fluvial.render.helm.repository.packing import package_chart, package_name
from fluvial.render.helm.repository.signatures import Verification, verify_package

__all__ = [
    "LARGEST_INDEX",
    "ChartNotFound",
    "ChartVersion",
    "Index",
    "IndexInvalid",
    "LockInvalid",
    "Locked",
    "RepositoryError",
    "SignatureInvalid",
    "Verification",
    "check_lock",
    "is_range",
    "is_version",
    "lock_digest",
    "lock_name",
    "lock_text",
    "package_chart",
    "package_name",
    "satisfies",
    "verify_package",
]
