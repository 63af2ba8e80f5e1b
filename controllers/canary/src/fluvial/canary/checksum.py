"""Hashes that statuses and webhooks carry, equal to those of Flagger where that is possible.

A string's hash is FNV-1a over Go's dump of it, written in an alphabet without vowels; with it the
checksum that webhooks get is reproducible. The hash of a pod template is not, outside Go: it
follows the struct fields of the Kubernetes library. Ours is `v2:` and the SHA-256 of canonical
JSON, the form that upstream has proposed, and it never depends on a library's version.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

__all__ = [
    "SPEC_PREFIX",
    "config_checksum",
    "fnv_hash",
    "is_ours",
    "run_checksum",
    "secret_checksum",
    "spec_hash",
    "string_hash",
]

SPEC_PREFIX: Final = "v2:"

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
_ESCAPES: Final = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_FIELDS: Final = "struct { TrackedConfigs *map[string]string; LastAppliedSpec string }"


def fnv_hash(dump: str) -> str:
    """Return FNV-1a (32 bits) of a dump, its decimal digits in Kubernetes' safe alphabet."""
    total = _OFFSET
    for byte in dump.encode():
        total = (total ^ byte) * _PRIME & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(total))


def string_hash(text: str) -> str:
    """Return the hash of a string, e.g. of a Knative revision's name."""
    return fnv_hash(f"(string){text}")


def run_checksum(tracked: Mapping[str, str] | None, applied: str) -> str:
    """Return what webhooks get as `checksum`: the same for one revision and its configuration.

    `tracked` is status.trackedConfigs (None where absent), `applied` status.lastAppliedSpec.
    """
    configs = "<nil>"
    if tracked is not None:
        pairs = " ".join(f"{key}:{tracked[key]}" for key in sorted(tracked))
        configs = f"map[{pairs}]"
    return fnv_hash(
        f"({_FIELDS}){{TrackedConfigs:(*map[string]string){configs}"
        f" LastAppliedSpec:(string){applied}}}"
    )


def config_checksum(data: Mapping[str, str] | None) -> str:
    """Return the checksum of a ConfigMap's data: 16 hexadecimal digits of SHA-256 over Go's JSON.

    A Secret's data goes in as the API has it, in base64; no data is `null`.
    """
    text = msgspec.json.encode(data or None, order="deterministic").decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def secret_checksum(data: Mapping[str, bytes]) -> str:
    """Return the checksum of a Secret whose values are decoded."""
    return config_checksum({key: b64encode(value).decode() for key, value in data.items()})


def spec_hash(value: Any) -> str:
    """Return `v2:` and the SHA-256 of canonical JSON: keys sorted, nulls left out."""
    content = msgspec.json.encode(_without_nulls(value), order="deterministic")
    return SPEC_PREFIX + hashlib.sha256(content).hexdigest()


def is_ours(hash: str) -> bool:
    """Whether a hash was made by `spec_hash`; any other form says nothing about a change."""
    return hash.startswith(SPEC_PREFIX)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
