"""ConfigMap, Secret, ServiceAccount, Endpoints, ResourceQuota, LimitRange."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import base64
import binascii

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import config_key_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

DATA_LIMIT = 1024 * 1024


def _key_errors(field: str, key: str) -> list[Cause]:
    return [fielderrors.invalid(f"{field}[{key}]", key, t) for t in config_key_errors(key)]


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
        if kind == "kubernetes.io/tls":
            wanted = [key for key in ("tls.crt", "tls.key") if key not in data]
            return [fielderrors.required(f"data[{key}]") for key in wanted]
        if kind == "kubernetes.io/dockerconfigjson":
            key = ".dockerconfigjson"
            if key not in data:
                return [fielderrors.required(f"data[{key}]")]
            try:
                base64.b64decode(data[key], validate=True)
            except binascii.Error:
                return [fielderrors.invalid(f"data[{key}]", "<secret contents redacted>", "bad")]
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


class EndpointsStrategy(PlainStrategy):
    """Rules of Endpoints."""

    create_on_update = True

    def default(self, obj: Object) -> None:
        """Default the protocol of ports."""
        for subset in obj.get("subsets") or []:
            for port in subset.get("ports") or []:
                port.setdefault("protocol", "TCP")


class QuotaStrategy(Strategy):
    """Rules of ResourceQuota."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}


class LimitRangeStrategy(PlainStrategy):
    """Rules of LimitRange."""

    create_on_update = True


STRATEGIES: dict[str, Strategy] = {
    "/configmaps": ConfigMapStrategy(),
    "/secrets": SecretStrategy(),
    "/serviceaccounts": AccountStrategy(),
    "/endpoints": EndpointsStrategy(),
    "/resourcequotas": QuotaStrategy(),
    "/limitranges": LimitRangeStrategy(),
}
