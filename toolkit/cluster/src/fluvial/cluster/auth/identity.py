"""Authentication of one HTTP request, and impersonation."""

from __future__ import annotations

import dataclasses
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


def impersonated(
    user: User, headers: CIMultiDictProxy[str], authorizer: Authorizer, asked: Attributes
) -> User:
    """Return the user that the request is to act as; raises 403 without the right to it.

    `asked` is the request itself: rights to impersonate may be bound to what is done then
    (`impersonate-on:<mode>:<verb>` on the resource, with `impersonate:<mode>` on the user).
    """
    name, groups, uid, extra = _requests(headers)
    if not name:
        if groups or uid or extra:
            raise bad_request(
                f"requested {_requested(groups, uid, extra)} without impersonating a user name"
            )
        return user
    account = name.split(":")
    wanted = _wanted(name, groups, uid, extra)
    if not all(authorizer.authorize(user, one).allowed for one in wanted):
        _check_constrained(user, name, wanted, authorizer, asked)
    if not groups and _is_account(name):
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[2]}"]
    if name == "system:anonymous":
        groups = groups or ["system:unauthenticated"]
    elif AUTHENTICATED not in groups and "system:unauthenticated" not in groups:
        groups = [*groups, AUTHENTICATED]
    shaped = tuple((key, tuple(values)) for key, values in sorted(extra.items()))
    return User(name, tuple(groups), uid, shaped)


def _wanted(
    name: str, groups: list[str], uid: str, extra: dict[str, list[str]]
) -> list[Attributes]:
    """Return what one must be allowed to impersonate for all of it."""
    account, group = name.split(":"), "authentication.k8s.io"
    wanted = [Attributes("impersonate", "", "users", name=name)]
    if _is_account(name):
        wanted = [
            Attributes("impersonate", "", "serviceaccounts", namespace=account[2], name=account[3])
        ]
    wanted += [Attributes("impersonate", "", "groups", name=one) for one in groups]
    if uid:
        wanted.append(Attributes("impersonate", group, "uids", name=uid))
    return wanted + [
        Attributes("impersonate", group, "userextras", key, name=value)
        for key, values in sorted(extra.items())
        for value in values
    ]


def _is_account(name: str) -> bool:
    return name.startswith("system:serviceaccount:") and len(name.split(":")) == 4


def _check_constrained(
    user: User, name: str, wanted: list[Attributes], authorizer: Authorizer, asked: Attributes
) -> None:
    """Demand the rights to impersonate for this one request; raises 403."""
    mode = "user-info"
    if _is_account(name):
        mode = "serviceaccount"
    elif name.startswith("system:node:"):
        mode = "arbitrary-node"
    needed = [dataclasses.replace(asked, verb=f"impersonate-on:{mode}:{asked.verb}")]
    needed += [
        dataclasses.replace(one, verb=f"impersonate:{mode}", group="authentication.k8s.io")
        for one in wanted
    ]
    for attributes in needed:
        if not authorizer.authorize(user, attributes).allowed:
            raise authorizer.refusal(user, attributes)


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
