"""Where a remote sends us, and whether credentials may go along.

Git would repeat an authorization header wherever a redirect leads, so with credentials it follows
none. A redirect within the same host (`/apps` to `/apps.git` is common) is followed here instead.
"""

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

__all__ = ["followed", "location_of"]

_LOCATION = re.compile(r"<= Recv header: location: (\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_SUFFIX = "/info/refs"


def location_of(trace: str) -> str | None:
    """Return the last Location header in a trace that git wrote (GIT_TRACE_CURL)."""
    found = _LOCATION.findall(trace)
    return found[-1] if found else None


def followed(url: str, location: str) -> str | None:
    """Return the repository's new URL, or None where credentials must not follow.

    They may where scheme, host and port stay, or where only the scheme changes from http to https.
    The path must be that of a repository's references, which is what was asked for.
    """
    try:
        old = urlsplit(url)
        new = urlsplit(urljoin(f"{url.rstrip('/')}{_SUFFIX}", location))
        kept = (new.scheme, new.hostname, new.port) == (old.scheme, old.hostname, old.port)
        raised = (old.scheme, new.scheme) == ("http", "https") and new.hostname == old.hostname
        secured = raised and new.port in {None, 443} and old.port in {None, 80}
    except ValueError:
        return None
    if not (kept or secured) or "@" in new.netloc or not new.path.endswith(_SUFFIX):
        return None
    return urlunsplit((new.scheme, new.netloc, new.path.removesuffix(_SUFFIX), "", ""))
