"""Authentication of one HTTP request, and impersonation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from fluvial.cluster.auth.rbac import Attributes, Authorizer
from fluvial.cluster.auth.tokens import TokenAuthority
from fluvial.cluster.endpoints import User
from fluvial.cluster.errors import bad_request, unauthorized

__all__ = ["ANONYMOUS", "authenticate", "impersonated"]

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
AUTHENTICATED = "system:authenticated"
_EXTRA = "impersonate-extra-"


def authenticate(
    headers: CIMultiDictProxy[str],
    certificate: Mapping[str, Any] | None,
    tokens: TokenAuthority,
    digest: str = "",
) -> User:
    """Return who asks: by client certificate, by bearer token, else anonymous; raises 401.

    `digest` is the SHA-256 of the certificate, which names the credential.
    """
    if certificate:
        parts = [pair for group in certificate.get("subject", ()) for pair in group]
        name = next((value for key, value in parts if key == "commonName"), "")
        groups = tuple(value for key, value in parts if key == "organizationName")
        if name:
            extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
            if digest:
                extra = (("authentication.kubernetes.io/credential-id", (f"X509SHA256={digest}",)),)
            return User(name, (*groups, AUTHENTICATED), "", extra)
    header = headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if not header:
        return ANONYMOUS
    if scheme.lower() != "bearer" or not token.strip():
        return ANONYMOUS
    user = tokens.authenticate(token.strip())
    if user is None:
        raise unauthorized()
    groups = user.groups if AUTHENTICATED in user.groups else (*user.groups, AUTHENTICATED)
    return User(user.name, groups, user.uid, user.extra)


def _requests(headers: CIMultiDictProxy[str]) -> tuple[str, list[str], str, dict[str, list[str]]]:
    extra: dict[str, list[str]] = {}
    for key, value in headers.items():
        if key.lower().startswith(_EXTRA):
            extra.setdefault(unquote(key.lower()[len(_EXTRA) :]), []).append(value)
    return (
        headers.get("Impersonate-User", ""),
        headers.getall("Impersonate-Group", []),
        headers.get("Impersonate-Uid", ""),
        extra,
    )


def impersonated(user: User, headers: CIMultiDictProxy[str], authorizer: Authorizer) -> User:
    """Return the user that the request is to act as; raises 403 without the right to it."""
    name, groups, uid, extra = _requests(headers)
    if not name:
        if groups or uid or extra:
            raise bad_request(
                f"requested {_requested(groups, uid, extra)} without impersonating a user name"
            )
        return user
    wanted = []
    account = name.split(":")
    if name.startswith("system:serviceaccount:") and len(account) == 4:
        wanted.append(
            Attributes("impersonate", "", "serviceaccounts", namespace=account[2], name=account[3])
        )
    else:
        wanted.append(Attributes("impersonate", "", "users", name=name))
    wanted += [Attributes("impersonate", "", "groups", name=group) for group in groups]
    if uid:
        wanted.append(Attributes("impersonate", "authentication.k8s.io", "uids", name=uid))
    wanted += [
        Attributes("impersonate", "authentication.k8s.io", "userextras", key, name=value)
        for key, values in sorted(extra.items())
        for value in values
    ]
    for attributes in wanted:
        if not authorizer.authorize(user, attributes).allowed:
            raise authorizer.refusal(user, attributes)
    if not groups and name.startswith("system:serviceaccount:") and len(account) == 4:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[2]}"]
    if name == "system:anonymous":
        groups = groups or ["system:unauthenticated"]
    elif AUTHENTICATED not in groups and "system:unauthenticated" not in groups:
        groups = [*groups, AUTHENTICATED]
    shaped = tuple((key, tuple(values)) for key, values in sorted(extra.items()))
    return User(name, tuple(groups), uid, shaped)


def _requested(groups: list[str], uid: str, extra: dict[str, list[str]]) -> str:
    """Print what was asked for, as Go prints its user."""
    quoted = ", ".join(f'"{group}"' for group in groups)
    shown_groups = f"[]string{{{quoted}}}" if groups else "[]string(nil)"
    shown_extra = "map[string][]string(nil)"
    if extra:
        pairs = ", ".join(
            '"{}":[]string{{{}}}'.format(key, ", ".join(f'"{value}"' for value in values))
            for key, values in sorted(extra.items())
        )
        shown_extra = f"map[string][]string{{{pairs}}}"
    return f'&user.DefaultInfo{{Name:"", UID:"{uid}", Groups:{shown_groups}, Extra:{shown_extra}}}'
