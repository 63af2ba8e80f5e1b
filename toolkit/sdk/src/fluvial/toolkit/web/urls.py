"""Addresses: joined, compared and shown as Helm does."""

from posixpath import normpath
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from fluvial.toolkit.redact import redact
from fluvial.toolkit.web._errors import UrlInvalid

__all__ = ["origin", "resolve", "same_origin", "same_url", "shown", "split", "without_userinfo"]

_PORTS: Final = {"http": 80, "https": 443}


def split(url: str) -> SplitResult:
    """Take a URL apart. Raises UrlInvalid."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # only reading it checks it
    except ValueError:
        raise UrlInvalid(f"invalid URL: {shown(url)}") from None
    return parts


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL, the scheme's port when none is given.

    Raises UrlInvalid.
    """
    parts = split(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def same_origin(one: str, other: str) -> bool:
    """Say whether credentials for one URL may go to the other."""
    return origin(one) == origin(other)


def resolve(base: str, reference: str) -> str:
    """Return the address of what an index calls `reference`, in a repository at `base`.

    An absolute one stays as it is. The base counts as a folder, and its query is kept: it may hold
    a token. Raises UrlInvalid.
    """
    if split(reference).scheme:
        return reference
    folder = split(base)
    path = folder.path.removesuffix("/") + "/"
    # The library joins no schemes that it does not know, such as oci.
    place = folder._replace(scheme="http", path=path, query="", fragment="")
    joined = split(urljoin(urlunsplit(place), reference))
    return urlunsplit(joined._replace(scheme=folder.scheme, query=folder.query))


def same_url(one: str, other: str) -> bool:
    """Say whether two addresses of repositories are the same, a slash at the end aside."""
    return _plain(one) == _plain(other)


def _plain(url: str) -> SplitResult:
    parts = split(url)
    return parts._replace(path=normpath(parts.path or "/"))


def shown(url: str) -> str:
    """Return a URL as it may be shown: without user and password, signatures and tokens masked."""
    return redact(without_userinfo(url))


def without_userinfo(url: str) -> str:
    """Return a URL without a user name and password."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
