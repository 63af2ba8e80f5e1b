"""ConfigMap, Secret and ServiceAccount."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import base64
import binascii

import msgspec

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.fields import json_complaint
from fluvial.cluster.names import config_key_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

DATA_LIMIT = 1024 * 1024
_DOCKER_KEYS = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""The keys that a Secret of a type must hold."""


def _key_errors(field: str, key: str) -> list[Cause]:
    return [fielderrors.invalid(f"{field}[{key}]", key, t) for t in config_key_errors(key)]


def _docker_errors(encoded: str, field: str) -> list[Cause]:
    """Check that a value is JSON; what it holds is not shown."""
    try:
        msgspec.json.decode(base64.b64decode(encoded))
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        complaint = json_complaint(base64.b64decode(encoded)) or "unexpected end of JSON input"
        return [fielderrors.invalid(field, "<secret contents redacted>", complaint)]
    return []


def _immutable_errors(obj: Object, old: Object, keys: tuple[str, ...]) -> list[Cause]:
    if not old.get("immutable"):
        return []
    errors: list[Cause] = []
    if not obj.get("immutable"):
        errors.append(
            fielderrors.forbidden("immutable", "field is immutable when `immutable` is set")
        )
    text = "field is immutable when `immutable` is set"
    return errors + [
        fielderrors.forbidden(key, text)
        for key in keys
        if (obj.get(key) or {}) != (old.get(key) or {})
    ]


class ConfigMapStrategy(Strategy):
    """Rules of ConfigMap."""

    generation = False

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check keys and the size."""
        errors: list[Cause] = []
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        size = 0
        for key in sorted(data):
            errors += _key_errors("data", key)
            if key in binary:
                text = "duplicate of key present in binaryData"
                errors.append(fielderrors.invalid(f"data[{key}]", key, text))
            size += len(data[key].encode())
        for key in sorted(binary):
            errors += _key_errors("binaryData", key)
            size += len(binary[key]) * 3 // 4
        if size > DATA_LIMIT:
            errors.append(fielderrors.too_long("[]", DATA_LIMIT))
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Keep an immutable one as it is."""
        return _immutable_errors(obj, old, ("data", "binaryData"))


class SecretStrategy(Strategy):
    """Rules of Secret."""

    generation = False
    field_labels = ("type",)

    def default(self, obj: Object) -> None:
        """Merge stringData into data; default the type."""
        plain = obj.pop("stringData", None)
        if plain:
            data = obj.setdefault("data", {})
            for key, value in plain.items():
                data[key] = base64.b64encode(value.encode()).decode()
        obj.setdefault("type", "Opaque")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check keys, the size, and what the type demands."""
        errors: list[Cause] = []
        data, size = obj.get("data") or {}, 0
        for key in sorted(data):
            errors += _key_errors("data", key)
            size += len(data[key]) * 3 // 4
        if size > DATA_LIMIT:
            errors.append(fielderrors.too_long("data", DATA_LIMIT))
        errors += self._type_errors(obj, data)
        return errors

    @staticmethod
    def _type_errors(obj: Object, data: dict[str, str]) -> list[Cause]:
        kind = obj.get("type")
        needed = _NEEDED_KEYS.get(kind or "", ())
        missing = [fielderrors.required(f"data[{key}]") for key in needed if key not in data]
        if kind in _DOCKER_KEYS and not missing:
            return _docker_errors(data[needed[0]], f"data[{needed[0]}]")
        if missing:
            return missing
        basic = ("username", "password")
        if kind == "kubernetes.io/basic-auth" and not any(key in data for key in basic):
            return [fielderrors.required(f"data[{key}]") for key in basic]
        if kind == "kubernetes.io/service-account-token":
            notes = obj["metadata"].get("annotations") or {}
            if not notes.get("kubernetes.io/service-account.name"):
                field = "metadata.annotations[kubernetes.io/service-account.name]"
                return [fielderrors.required(field)]
        return []

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Keep the type, and an immutable one as it is."""
        errors: list[Cause] = []
        if obj.get("type") != old.get("type"):
            errors.append(fielderrors.immutable("type", obj.get("type")))
        return errors + _immutable_errors(obj, old, ("data",))


class PlainStrategy(Strategy):
    """Rules of kinds that only keep what they are given."""

    generation = False


class AccountStrategy(PlainStrategy):
    """Rules of ServiceAccount."""

    returns_deleted = True


STRATEGIES: dict[str, Strategy] = {
    "/configmaps": ConfigMapStrategy(),
    "/secrets": SecretStrategy(),
    "/serviceaccounts": AccountStrategy(),
}
