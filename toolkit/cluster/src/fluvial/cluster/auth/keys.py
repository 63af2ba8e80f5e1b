"""The keys of a control plane: new ones, or those that its store has kept."""

from __future__ import annotations

import secrets

from fluvial.cluster.auth.pki import Authority, KeyPair
from fluvial.cluster.auth.tokens import TokenAuthority
from fluvial.cluster.database import DatabaseStore
from fluvial.cluster.endpoints import Endpoints
from fluvial.cluster.storage import MemoryStore

__all__ = ["Keys"]


class Keys:
    """Makes the authorities; where the store has a disk, a restart has the same ones."""

    def __init__(self, store: MemoryStore) -> None:
        self._kept = store if isinstance(store, DatabaseStore) else None

    def authority(self) -> Authority:
        """Return the authority that signs certificates."""
        certificate, key = self._get("ca.crt"), self._get("ca.key")
        made = Authority(KeyPair(certificate, key) if certificate and key else None)
        self._keep("ca.crt", made.pair.certificate)
        self._keep("ca.key", made.pair.key)
        return made

    def tokens(self, endpoints: Endpoints) -> TokenAuthority:
        """Return the authority that signs tokens of service accounts."""
        made = TokenAuthority(endpoints, self._get("tokens.key"))
        self._keep("tokens.key", made.key)
        return made

    def admin_token(self) -> str:
        """Return the bearer token of the administrator."""
        token = self._get("admin.token") or secrets.token_urlsafe(32).encode()
        self._keep("admin.token", token)
        return token.decode()

    def _get(self, name: str) -> bytes | None:
        return self._kept.secret(name) if self._kept is not None else None

    def _keep(self, name: str, value: bytes) -> None:
        if self._kept is not None:
            self._kept.keep_secret(name, value)
