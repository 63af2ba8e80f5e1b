"""Names for versions of a pod template: hashes, labels, comparison."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fluvial.cluster.objects import Object, metadata

__all__ = ["POD_TEMPLATE_HASH", "REVISION_HASH", "same", "stamped", "template_hash"]

POD_TEMPLATE_HASH = "pod-template-hash"
"""Label of Deployments' ReplicaSets and pods."""
REVISION_HASH = "controller-revision-hash"
"""Label of StatefulSets' and DaemonSets' pods."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Object, collisions: int = 0) -> str:
    """Return a short name for a template: FNV-1a over its JSON, spelled without vowels.

    Upstream hashes Go's print of its structs, so the letters differ; form and meaning do not.
    """
    text = msgspec.json.encode(template, order="sorted")
    if collisions:
        text += str(collisions).encode()
    value = 0x811C9DC5
    for byte in text:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(value))


def stamped(template: Object, label: Mapping[str, str]) -> Object:
    """Return a copy of a template with further labels."""
    meta = metadata(template)
    labels = {**(meta.get("labels") or {}), **label}
    return {**template, "metadata": {**meta, "labels": labels}}


def same(one: Object, other: Object) -> bool:
    """Tell whether two templates are equal but for the hash label."""
    return _bare(one) == _bare(other)


def _bare(template: Object) -> Object:
    meta = {key: value for key, value in metadata(template).items() if value is not None}
    labels = dict(meta.get("labels") or {})
    labels.pop(POD_TEMPLATE_HASH, None)
    return {**template, "metadata": {**meta, "labels": labels}}
