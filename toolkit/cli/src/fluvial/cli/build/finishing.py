"""What happens to a built object on its way out: metadata, owner, and no secrets on the screen."""

import base64
import binascii
from typing import Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import GROUP, Kustomization

__all__ = ["finish"]

_MASK: Final = "**SOPS**"
_DOCKER: Final = ".dockerconfigjson"


def finish(data: Unstructured, obj: Kustomization) -> Unstructured:
    """Label an object as owned by `obj`, add the common metadata, and mask what is encrypted.

    The order is the controller's: common metadata wins over the owner's labels.
    """
    owner = {
        f"{GROUP}/name": obj.metadata.name,
        f"{GROUP}/namespace": obj.metadata.namespace,
    }
    common = obj.spec.common_metadata
    _add(data, "labels", {**owner, **(common.labels if common else {})})
    _add(data, "annotations", common.annotations if common else {})
    if data.get("kind") == "Secret" and data.get("apiVersion") == "v1":
        _mask(data)
    return data


def _add(data: Unstructured, field: str, entries: dict[str, str]) -> None:
    if entries:
        metadata = data["metadata"]
        metadata[field] = {**(metadata.get(field) or {}), **entries}


def _mask(data: Unstructured) -> None:
    """Replace the values of an encrypted Secret, or those that are encrypted files."""
    sops = data.get("sops")
    whole = isinstance(sops, dict) and str(sops.get("mac", "")).startswith("ENC[")
    if whole:
        del data["sops"]
    values = data.get("data") or {}
    for key, value in values.items():
        if whole or _is_encrypted(value):
            text = f'{{"mask":"{_MASK}"}}' if key == _DOCKER else _MASK
            values[key] = base64.b64encode(text.encode()).decode()
    written = data.get("stringData") or {}
    for key in written if whole else ():
        written[key] = _MASK


def _is_encrypted(value: object) -> bool:
    try:
        content = base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b"sops" in content and b"ENC[" in content
