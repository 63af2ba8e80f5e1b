"""Token Secrets of ServiceAccounts: filled in, and removed with the account."""

from __future__ import annotations

import base64

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import annotations_of, is_deleting, uid_of
from fluvial.cluster.standins.resources import SECRETS, SERVICE_ACCOUNTS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["AccountTokens"]

_TYPE = "kubernetes.io/service-account-token"
_NAME = "kubernetes.io/service-account.name"
_UID = "kubernetes.io/service-account.uid"
_LIFETIME = 10 * 365 * 24 * 3600
"""Seconds. Upstream's tokens of this kind have no end; ten years come near it."""


class AccountTokens:
    """Gives each such Secret a token of its account, the CA in PEM and the namespace."""

    def __init__(self, view: View, timer: Timer, certificate: str) -> None:
        self._view = view
        self._certificate = certificate
        self.controller = Controller("tokens", self._reconcile, timer)
        view.follow(SECRETS, self._secret_changed)
        view.follow(SERVICE_ACCOUNTS, self._account_changed)

    def _secret_changed(self, secret: Object) -> None:
        if secret.get("type") == _TYPE:
            self.controller.add_object(secret)

    def _account_changed(self, account: Object) -> None:
        for secret in self._view.all(SECRETS, namespace_of(account)):
            if annotations_of(secret).get(_NAME) == name_of(account):
                self._secret_changed(secret)

    async def _reconcile(self, key: Key) -> float | None:
        secret = self._view.get(SECRETS, *key)
        if secret is None or is_deleting(secret):
            return None
        notes = annotations_of(secret)
        account = await self._account(key[0], notes.get(_NAME, ""))
        replaced = account is not None and notes.get(_UID) not in {None, uid_of(account)}
        if account is None or replaced:
            await self._view.delete(SECRETS, secret)
            return None
        data = secret.get("data") or {}
        wanted = {
            "ca.crt": base64.b64encode(self._certificate.encode()).decode(),
            "namespace": base64.b64encode(key[0].encode()).decode(),
        }
        if not data.get("token"):
            token = await self._token(account, secret)
            wanted["token"] = base64.b64encode(token.encode()).decode()
        patch: Object = {"data": {k: v for k, v in wanted.items() if data.get(k) != v}}
        if notes.get(_UID) != uid_of(account):
            patch["metadata"] = {"annotations": {_UID: uid_of(account)}}
        if patch["data"] or "metadata" in patch:
            await self._patch(secret, patch)
        return None

    async def _account(self, namespace: str, name: str) -> Object | None:
        """Return an account; one that the copy lacks may be too new for it."""
        found = self._view.get(SERVICE_ACCOUNTS, namespace, name)
        if found is not None or not name:
            return found
        try:
            return await self._view.api.get(SERVICE_ACCOUNTS, namespace, name)
        except StatusError as error:
            if error.code != 404:
                raise
            return None

    async def _token(self, account: Object, secret: Object) -> str:
        bound = {"apiVersion": "v1", "kind": "Secret", "name": name_of(secret)}
        request = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name_of(account), "namespace": namespace_of(account)},
            "spec": {
                "expirationSeconds": _LIFETIME,
                "boundObjectRef": {**bound, "uid": uid_of(secret)},
            },
        }
        answer = await self._view.api.create(request, "token")
        return str(answer["status"]["token"])

    async def _patch(self, secret: Object, patch: Object) -> None:
        try:
            await self._view.patch(SECRETS, secret, patch)
        except StatusError as error:
            if error.code != 404:
                raise
