"""Service account tokens: JWTs signed with a key of this control plane (ES256)."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from fluvial.cluster.auth.pki import key_pem, load_key
from fluvial.cluster.endpoints import Endpoints, User
from fluvial.cluster.objects import Object

__all__ = ["ISSUER", "TokenAuthority"]

ISSUER = "https://kubernetes.default.svc"
_SIZE = 32


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TokenAuthority:
    """Issues and checks tokens. A token dies with its account, its bound object, or by time."""

    def __init__(self, endpoints: Endpoints, key: bytes | None = None) -> None:
        self._endpoints = endpoints
        self._key = load_key(key) if key else ec.generate_private_key(ec.SECP256R1())
        self._static: dict[str, User] = {}

    @property
    def key(self) -> bytes:
        """Return what must be kept for the tokens to stay good (PEM); nobody else may have it."""
        return key_pem(self._key)

    def add_static(self, user: User, token: str = "") -> str:
        """Let a bearer token stand for a fixed user; a new one unless given. Returns it."""
        token = token or secrets.token_urlsafe(32)
        self._static[token] = user
        return token

    def issue(
        self, account: Object, audiences: list[str], seconds: int, bound: Object | None
    ) -> str:
        """Return a token for a service account."""
        now, meta = int(self._endpoints.clock().timestamp()), account["metadata"]
        claims: dict[str, Any] = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        if bound is not None:
            plural = f"/{bound['kind'].lower()}s"
            entry = self._endpoints.store.get(plural, (meta["namespace"], bound["name"]))
            uid = entry.object["metadata"]["uid"] if entry else ""
            claims[bound["kind"].lower()] = {"name": bound["name"], "uid": uid}
        payload = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "nbf": now,
            "iss": ISSUER,
            "jti": secrets.token_hex(16),
            "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
            "kubernetes.io": claims,
        }
        header = _encode(msgspec.json.encode({"alg": "ES256", "kid": "fluvial-cluster"}))
        signed = f"{header}.{_encode(msgspec.json.encode(payload))}"
        der = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return f"{signed}.{_encode(r.to_bytes(_SIZE) + s.to_bytes(_SIZE))}"

    def authenticate(self, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> User | None:
        """Return the user of a token, or None when it is not good for any of the audiences."""
        static = self._static.get(token)
        if static is not None:
            return static
        claims = self._claims(token)
        if claims is None or not set(claims.get("aud") or []) & set(audiences):
            return None
        now = self._endpoints.clock().timestamp()
        if not claims["nbf"] - 10 <= now < claims["exp"]:
            return None
        return self._account(claims)

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        try:
            raw = _decode(signature)
            r, s = int.from_bytes(raw[:_SIZE]), int.from_bytes(raw[_SIZE:])
            der = utils.encode_dss_signature(r, s)
            self._key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims = msgspec.json.decode(_decode(signed.partition(".")[2]))
        except (ValueError, InvalidSignature, msgspec.DecodeError):
            return None
        return claims if isinstance(claims, dict) else None

    def _account(self, claims: dict[str, Any]) -> User | None:
        inner = claims["kubernetes.io"]
        namespace, account = inner["namespace"], inner["serviceaccount"]
        entry = self._endpoints.store.get("/serviceaccounts", (namespace, account["name"]))
        if entry is None or entry.object["metadata"]["uid"] != account["uid"]:
            return None
        extra = [("authentication.kubernetes.io/credential-id", (f"JTI={claims['jti']}",))]
        for kind in ("pod", "secret"):
            bound = inner.get(kind)
            if bound is None:
                continue
            found = self._endpoints.store.get(f"/{kind}s", (namespace, bound["name"]))
            if found is None or found.object["metadata"]["uid"] != bound["uid"]:
                return None
            if kind == "pod":
                extra.append(("authentication.kubernetes.io/pod-name", (bound["name"],)))
                extra.append(("authentication.kubernetes.io/pod-uid", (bound["uid"],)))
        groups = (
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        )
        name = f"system:serviceaccount:{namespace}:{account['name']}"
        return User(name, groups, account["uid"], tuple(extra))
