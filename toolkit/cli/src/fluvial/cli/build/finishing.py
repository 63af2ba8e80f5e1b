"""What happens to a built object on its way out: metadata, owner, and no secrets on the screen."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import GROUP, Kustomization
from fluvial.render.yaml import dump

__all__ = ["MaskingError", "add_entries", "finish", "mask"]

_MASK: Final = "**SOPS**"
_DOCKER_MASK: Final = f'{{"mask":"{_MASK}"}}'
_DOCKER: Final = "kubernetes.io/dockerconfigjson"


class MaskingError(Exception):
    """A Secret of which it cannot be told what is encrypted in it."""


def finish(data: Unstructured, obj: Kustomization) -> Unstructured:
    """Label an object as owned by `obj`, add the common metadata, and mask what is encrypted.

    The order is the controller's: common metadata wins over the owner's labels. Raises
    MaskingError.
    """
    owner = {
        f"{GROUP}/name": obj.metadata.name,
        f"{GROUP}/namespace": obj.metadata.namespace,
    }
    common = obj.spec.common_metadata
    add_entries(data, "labels", {**owner, **(common.labels if common else {})})
    add_entries(data, "annotations", common.annotations if common else {})
    if data.get("kind") == "Secret":
        mask(data)
    return data


def add_entries(data: Unstructured, field: str, entries: dict[str, str]) -> None:
    """Add entries to the `labels` or `annotations` of an object; they win."""
    if entries:
        metadata = data["metadata"]
        metadata[field] = {**(metadata.get(field) or {}), **entries}


def mask(data: Unstructured) -> None:
    """Replace the values of an encrypted Secret, or those that are encrypted files.

    As in Flux's command line a Secret is encrypted when its text says so anywhere, and what is
    encrypted among the texts of another one is replaced by the mask in base64, too. Raises
    MaskingError.
    """
    text = dump(data)
    if "sops:" in text and "mac: ENC[" in text:
        data.pop("sops", None)
        shown = _DOCKER_MASK if data.get("type") == _DOCKER else _MASK
        _replace(data, "data", lambda _key, _value: _encoded(shown))
        _replace(data, "stringData", lambda _key, _value: shown)
        return
    name = (data.get("metadata") or {}).get("name")
    _replace(data, "data", lambda key, value: _masked(_decoded(value, name, key), value))
    _replace(data, "stringData", lambda _key, value: _masked(value.encode(), value))


def _replace(data: Unstructured, field: str, masked: Callable[[str, str], str]) -> None:
    values: dict[str, Any] | None = data.get(field)
    if values:
        data[field] = {key: masked(key, str(value)) for key, value in values.items()}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(value: str, name: object, key: str) -> bytes:
    try:
        return base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise MaskingError(
            f"Secret {name!r}: data of the key {key!r} is no base64: encode it, or put it into "
            "stringData"
        ) from None


def _masked(content: bytes, value: str) -> str:
    return _encoded(_MASK) if b"sops" in content and b"ENC[" in content else value
