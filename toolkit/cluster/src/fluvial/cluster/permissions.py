"""`authorizer` in CEL: what the one who asks may do, as RBAC has it.

Builders are maps under one key of their own; `check` looks the decision up in the permissions of
the request that is being evaluated.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped] # (ships no py.typed)

from fluvial.cluster.objects import Object

__all__ = ["Allows", "Permissions", "functions", "of"]

Allows = Callable[[Object, Object], bool]
"""Tells whether a `UserInfo` may do what `verb`, `group`, `resource`, … or `path` say."""

_CURRENT: contextvars.ContextVar[Permissions] = contextvars.ContextVar("permissions")
_OWN = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_TEXT = cel.Type.STRING


@dataclasses.dataclass(frozen=True, slots=True)
class Permissions:
    """Of the author of one request; `asked` are the parts of the request's own resource."""

    user: Object
    asked: Object
    allows: Allows

    def value(self) -> Object:
        """Return what `authorizer` stands for."""
        return {"authorizer": {}, "requestResource": {"authorizer": dict(self.asked)}}


@contextlib.contextmanager
def of(permissions: Permissions) -> Iterator[None]:
    """Let `check` ask these permissions for as long as one evaluation takes."""
    token = _CURRENT.set(permissions)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def _with(name: str) -> Callable[[Object, str], Object]:
    def add(builder: Object, value: str) -> Object:
        return {"authorizer": {**builder["authorizer"], name: value}}

    return add


def _account(builder: Object, namespace: str, name: str) -> Object:
    return {"authorizer": {**builder["authorizer"], "account": f"{namespace}:{name}"}}


def _check(builder: Object, verb: str) -> Object:
    permissions, parts = _CURRENT.get(), dict(builder["authorizer"])
    user, account = permissions.user, parts.pop("account", None)
    if account is not None:
        namespace = account.partition(":")[0]
        groups = [
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        ]
        user = {"username": f"system:serviceaccount:{account}", "groups": groups}
    return {"decision": permissions.allows(user, {**parts, "verb": verb})}


def _row(name: str, extra: list[Any], result: Any, call: Callable[..., Any]) -> Any:
    overload = cel.Overload(
        f"k8s_authorizer_{name}",
        return_type=result,
        parameters=[_OWN, *extra],
        is_member=True,
        impl=call,
    )
    return cel.FunctionDecl(name, [overload])


@cache
def functions() -> list[Any]:
    """Return the declarations of the functions of `authorizer`."""
    rows = [
        _row(name, [_TEXT], _OWN, _with(name))
        for name in ("group", "resource", "subresource", "namespace", "name", "path")
    ]
    return [
        *rows,
        _row("serviceAccount", [_TEXT, _TEXT], _OWN, _account),
        _row("check", [_TEXT], _OWN, _check),
        _row("allowed", [], cel.Type.BOOL, lambda decision: bool(decision["decision"])),
        _row("errored", [], cel.Type.BOOL, lambda _: False),
        _row("reason", [], _TEXT, lambda _: ""),
    ]
