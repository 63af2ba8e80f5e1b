"""Provenance files: what proves who packaged a chart, and that nobody changed it since.

A `.prov` is text that is signed in the clear with OpenPGP: the chart's metadata, a line of three
dots, and the SHA-256 of the package under its file name.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fluvial.render.helm.repository._errors import SignatureInvalid
from fluvial.render.yaml import YamlError, load

if TYPE_CHECKING:
    from pysequoia import Cert

__all__ = ["LARGEST_PROVENANCE", "Verification", "verify_package"]

LARGEST_PROVENANCE: Final = 1 << 20
"""Bytes of a provenance file that is read at all."""

_UNKNOWN: Final = "signature made by unknown entity"
_REVOKED: Final = "signature made by revoked key"
_SIGNED = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----", re.MULTILINE)


class Verification(NamedTuple):
    """Who signed what."""

    signed_by: list[str]
    """The user IDs of the key, name and address."""
    fingerprint: str
    """The fingerprint of the key, in upper case."""
    digest: str
    """The digest of the package: `sha256:` and hexadecimal digits."""


def verify_package(package: bytes, provenance: bytes, name: str, keyring: bytes) -> Verification:
    """Hold a package against its provenance file and the public keys of a keyring.

    `name` is the package's file name, for which the signature is good. The keyring is what
    `gpg --export` writes, with or without `--armor`. Like Sequoia's standard policy, and stricter
    than helm, this takes no signature over SHA-1; keys that expired or were revoked prove nothing,
    not even for the time before. Raises SignatureInvalid.
    """
    if len(provenance) > LARGEST_PROVENANCE:
        raise SignatureInvalid(f"the provenance file is larger than {LARGEST_PROVENANCE} bytes")
    block = _SIGNED.search(provenance)
    if block is None:
        raise SignatureInvalid("signature block not found")
    text, cert = _signed(provenance[block.start() :], _keys(keyring))
    digest = f"sha256:{hashlib.sha256(package).hexdigest()}"
    stated = _sums(text).get(name)
    if stated is None:
        raise SignatureInvalid(f'provenance does not contain a SHA for a file named "{name}"')
    if stated != digest:
        raise SignatureInvalid(f'sha256 sum does not match for {name}: "{stated}" != "{digest}"')
    return Verification([str(uid) for uid in cert.user_ids], cert.fingerprint.upper(), digest)


def _keys(keyring: bytes) -> "dict[str, Cert]":
    """Return the keys by their fingerprint. Raises SignatureInvalid."""
    from pysequoia import Cert  # noqa: PLC0415  (10 MB that only verification needs)

    try:
        return {cert.fingerprint: cert for cert in Cert.split_bytes(keyring)}
    except Exception as error:  # noqa: BLE001  (the library raises bare RuntimeError and anyhow's kin)
        raise SignatureInvalid(f"failed to load keyring: {_first_line(error)}") from None


def _signed(message: bytes, keys: "dict[str, Cert]") -> "tuple[bytes, Cert]":
    """Return the text that a key of the keyring signed, and the key. Raises SignatureInvalid."""
    from pysequoia import verify  # noqa: PLC0415  (see above)

    asked: list[str] = []

    def find(ids: list[str]) -> "list[Cert]":
        asked.extend(ids)
        return list(keys.values())

    try:
        found = verify(bytes=message, store=find)
    except Exception as error:  # noqa: BLE001  (see above)
        known = _issuers(asked, keys)
        problem = f"invalid signature: {_first_line(error)}"
        if asked and not known:
            problem = _UNKNOWN
        elif any(cert.is_revoked for cert in known):
            problem = _REVOKED
        raise SignatureInvalid(f"openpgp: {problem}") from None
    problem = _UNKNOWN
    for signature in found.valid_sigs:
        cert = keys[signature.certificate]
        if cert.is_revoked:
            problem = _REVOKED  # what was signed before that is good to the library
        elif cert.expiration is not None and cert.expiration < datetime.now(UTC):
            problem = "key expired"
        else:
            return found.bytes or b"", cert
    raise SignatureInvalid(f"openpgp: {problem}")


def _issuers(asked: list[str], keys: "dict[str, Cert]") -> "list[Cert]":
    """Return whose keys or subkeys these are, by fingerprints or their ends."""
    from pysequoia.packet import PacketPile  # noqa: PLC0415  (see above)

    return [
        cert
        for cert in keys.values()
        for packet in PacketPile.from_bytes(bytes(cert))
        if any((packet.fingerprint or "").endswith(issuer) for issuer in asked)
    ]


def _sums(text: bytes) -> dict[str, Any]:
    """Return the digests by file name. Raises SignatureInvalid."""
    parts = text.replace(b"\r\n", b"\n").split(b"\n...\n")
    if len(parts) < 2:
        raise SignatureInvalid("message block must have at least two parts")
    try:
        sums = load(parts[1], file="provenance")
    except YamlError as error:
        raise SignatureInvalid(f"the sums of the provenance file are no YAML: {error}") from None
    files = sums.get("files") if isinstance(sums, dict) else None
    return files if isinstance(files, dict) else {}


def _first_line(error: Exception) -> str:
    """Leave out the stack that the library puts into its messages."""
    return str(error).partition("\n")[0]
