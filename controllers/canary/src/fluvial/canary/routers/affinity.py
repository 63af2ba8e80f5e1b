"""Session affinity: cookies that keep a user on the version that answered first.

While the canary has weight, its answers through the weighted rule set a cookie, and a rule before
that one sends requests with the cookie to the canary. Once the weight is back at zero, one rule
takes the cookie away again. Cookie values are random per release, kept in the status of the Canary
and readable from the route itself: a route that was written just before a crash keeps its cookies.
"""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fluvial.apis.duration import parse_duration
from fluvial.apis.flagger import Canary, SessionAffinity
from fluvial.canary.routers.model import InvalidRoute

__all__ = ["COOKIE", "SET_COOKIE", "Cookies", "next_cookies", "set_cookie", "stickiness"]

COOKIE: Final = "Cookie"
SET_COOKIE: Final = "Set-Cookie"

_LENGTH: Final = 10
_DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a Canary as `name=value`, empty where there is none.

    `canary` and `primary` are of the present release, `previous` is the canary's of the last one.
    """

    canary: str = ""
    primary: str = ""
    previous: str = ""

    @classmethod
    def of(cls, canary: Canary) -> "Cookies":
        """Return those that the status has."""
        status = canary.status
        return cls(
            status.session_affinity_cookie,
            status.primary_session_affinity_cookie,
            status.previous_session_affinity_cookie,
        )

    def write(self, canary: Canary) -> None:
        """Put them into the Canary's status, which the caller writes."""
        canary.status.session_affinity_cookie = self.canary
        canary.status.primary_session_affinity_cookie = self.primary
        canary.status.previous_session_affinity_cookie = self.previous


def _random_value() -> str:
    return "".join(secrets.choice(string.ascii_letters) for _ in range(_LENGTH))


def next_cookies(
    affinity: SessionAffinity,
    cookies: Cookies,
    weight: int,
    value: Callable[[], str] = _random_value,
) -> Cookies:
    """Return the cookies for a canary weight, given those of the step before.

    The primary's cookie is kept across releases, as upstream. Raises InvalidRoute where both
    cookies have one name.
    """
    if affinity.cookie_name == affinity.primary_cookie_name:
        raise InvalidRoute(
            "spec.analysis.sessionAffinity: cookieName and primaryCookieName are the same; "
            "users of one version could not be told from those of the other"
        )
    if not weight:
        return Cookies("", cookies.primary, cookies.canary or cookies.previous)
    primary = cookies.primary
    if affinity.primary_cookie_name and not primary:
        primary = f"{affinity.primary_cookie_name}={value()}"
    return Cookies(cookies.canary or f"{affinity.cookie_name}={value()}", primary, cookies.previous)


def set_cookie(canary: Canary, affinity: SessionAffinity, pair: str, *, primary: bool) -> str:
    """Return the header that hands a cookie out.

    The canary's lives for `maxAge` seconds, the primary's until the next step.
    """
    if primary:
        interval = canary.spec.analysis.interval
        try:
            age = int(parse_duration(interval))
        except ValueError as error:
            raise InvalidRoute(f"spec.analysis.interval: {error}") from error
    else:
        age = affinity.max_age or _DAY
    attributes = [
        pair,
        f"Max-Age={age}",
        *([f"Domain={affinity.domain}"] if affinity.domain else []),
        *(["HttpOnly"] if affinity.http_only else []),
        *(["Partitioned"] if affinity.partitioned else []),
        *([f"Path={affinity.path}"] if affinity.path else []),
        *([f"SameSite={affinity.same_site}"] if affinity.same_site else []),
        *(["Secure"] if affinity.secure else []),
    ]
    return "; ".join(attributes)


def stickiness(pair: str) -> Mapping[str, Any]:
    """Return the condition on a request that carries a cookie; upstream's expression."""
    name, _, value = pair.partition("=")
    return {"type": "RegularExpression", "name": COOKIE, "value": f".*{name}.*{value}.*"}
