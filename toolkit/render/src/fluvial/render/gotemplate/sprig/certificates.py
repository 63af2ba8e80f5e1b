"""Certificates made while rendering: new ones at every render, as in Sprig, or from a seed."""

import base64
import binascii
import datetime as dt
import hashlib
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate.sprig.chance import chance
from fluvial.render.gotemplate.sprig.keys import (
    gen_private_key,
    new_rsa_key,
    pem_block,
    pem_text,
    read_key,
)

if TYPE_CHECKING:
    from cryptography import x509

    from fluvial.render.gotemplate.sprig.keys import SignKey

__all__ = ["FUNCTIONS", "Certificate"]

_LONGEST: Final = 365 * 1000


class Certificate:
    """A certificate and its key in PEM: `.Cert` and `.Key`."""

    go_type: Final = "sprig.certificate"

    def __init__(self, cert: str, key: str) -> None:
        self.go_fields: Final = {"Cert": cert, "Key": key}

    def __str__(self) -> str:
        return f"{{{self.go_fields['Cert']} {self.go_fields['Key']}}}"


class _Issuer(NamedTuple):
    """Who signs a certificate."""

    name: "x509.Name"
    key: "SignKey"
    key_id: bytes | None


def _names(ips: list[Any], alternatives: list[Any]) -> "list[x509.GeneralName]":
    from cryptography import x509  # noqa: PLC0415  (heavy)

    addresses = [x509.IPAddress(_address(text)) for text in ips]
    hosts = []
    for text in alternatives:
        if not isinstance(text, str):
            shown = text_of(text)
            raise FunctionError(f"error processing alternate dns name: {shown} is not a string")
        if not text.isascii():
            reason = f"x509: {text!r} cannot be encoded as an IA5String"
            raise FunctionError(f"error creating certificate: {reason}")
        hosts.append(x509.DNSName(text))
    return [*hosts, *addresses]


def _address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if not isinstance(text, str):
        raise FunctionError(f"error parsing ip: {text_of(text)} is not a string")
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise FunctionError(f"error parsing ip: {text}") from None


def _certificate(
    name: str,
    days: int,
    key: "SignKey",
    *,
    names: "list[x509.GeneralName]",
    authority: bool = False,
    issuer: "_Issuer | None" = None,
) -> Certificate:
    from cryptography import x509  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  (heavy)
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415  (heavy)

    if abs(days) > _LONGEST:
        raise FunctionError(f"a certificate cannot be valid for {days} days")
    source = chance()
    start = dt.datetime.fromtimestamp(source.now_ns() // 10**9, dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=authority,
        content_commitment=False, data_encipherment=False, key_agreement=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    try:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
        issued_by, signer, signer_id = issuer or _Issuer(subject, key, None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issued_by)
            .public_key(key.public_key())
            .serial_number(1 + source.below(2**127 - 1))
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=days))
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if authority:
            builder = builder.add_extension(x509.SubjectKeyIdentifier(_key_id(key)), critical=False)
        if signer_id and issued_by != subject:
            known_by = x509.AuthorityKeyIdentifier(signer_id, None, None)
            builder = builder.add_extension(known_by, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        hashed = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        steady = source.seeded and isinstance(signer, ec.EllipticCurvePrivateKey)
        made = builder.sign(signer, hashed, ecdsa_deterministic=True if steady else None)
    except (ValueError, OverflowError) as error:
        raise FunctionError(f"error creating certificate: {error}") from None
    return Certificate(made.public_bytes(Encoding.PEM).decode(), pem_text(key))


def _key_id(key: "SignKey") -> bytes:
    """Identify a key by the first 160 bits of a SHA-256 of its public half: RFC 7093, method 1."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  (heavy)
        Encoding,
        PublicFormat,
    )

    encoding, form = Encoding.Raw, PublicFormat.Raw
    if isinstance(key, rsa.RSAPrivateKey):
        encoding, form = Encoding.DER, PublicFormat.PKCS1
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        encoding, form = Encoding.X962, PublicFormat.UncompressedPoint
    return hashlib.sha256(key.public_key().public_bytes(encoding, form)).digest()[:20]


def _given(key: str) -> "SignKey":
    """Read the key of an argument."""
    try:
        return read_key(key)
    except FunctionError as error:
        raise FunctionError(f"parsing private key: {error}") from None


def gen_ca(name: str, days: int) -> Certificate:
    """Make an authority."""
    return _certificate(name, days, new_rsa_key(), names=[], authority=True)


def gen_ca_with_key(name: str, days: int, key: str) -> Certificate:
    """Make an authority with a key at hand."""
    return _certificate(name, days, _given(key), names=[], authority=True)


def gen_self_signed(name: str, ips: list[Any], alternatives: list[Any], days: int) -> Certificate:
    """Make a certificate that signs itself."""
    names = _names(ips, alternatives)
    return _certificate(name, days, new_rsa_key(), names=names)


def gen_self_signed_with_key(
    name: str, ips: list[Any], alternatives: list[Any], days: int, key: str
) -> Certificate:
    """Make a certificate that signs itself, with a key at hand."""
    signer = _given(key)
    return _certificate(name, days, signer, names=_names(ips, alternatives))


def _issuer(authority: Certificate) -> _Issuer:
    """Read who signs: the name, the key, and the id that its certificate gives the key."""
    from cryptography import x509  # noqa: PLC0415  (heavy)

    block = pem_block(authority.go_fields["Cert"])
    if block is None:
        raise FunctionError("unable to decode certificate")
    try:
        read = x509.load_der_x509_certificate(block[1])
        extension = read.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        known_as: bytes | None = extension.value.digest
    except x509.ExtensionNotFound:
        known_as = None
    except ValueError as error:
        reason = f"error parsing certificate: decodedCert.Bytes: {error}"
        raise FunctionError(reason) from None
    return _Issuer(read.subject, _parsed_key(authority.go_fields["Key"]), known_as)


def _parsed_key(text: str) -> "SignKey":
    try:
        return read_key(text)
    except FunctionError as error:
        raise FunctionError(f"error parsing private key: {error}") from None


def gen_signed(
    name: str, ips: list[Any], alternatives: list[Any], days: int, authority: Certificate
) -> Certificate:
    """Make a certificate signed by an authority."""
    issuer = _issuer(authority)
    names = _names(ips, alternatives)
    return _certificate(name, days, new_rsa_key(), names=names, issuer=issuer)


def gen_signed_with_key(  # noqa: PLR0917  (a template's arguments are positional)
    name: str, ips: list[Any], alternatives: list[Any], days: int, authority: Certificate, key: str
) -> Certificate:
    """Make a certificate signed by an authority, with a key at hand."""
    signee = _given(key)
    issuer = _issuer(authority)
    return _certificate(name, days, signee, names=_names(ips, alternatives), issuer=issuer)


def build_custom(cert: str, key: str) -> Certificate:
    """Take a certificate and a key, both in base64 of PEM, for an authority."""
    parts = []
    for what, text in (("certificate", cert), ("private key", key)):
        try:
            parts.append(base64.b64decode(text, validate=True).decode())
        except (binascii.Error, ValueError):
            raise FunctionError(f"unable to decode base64 {what}") from None
    made = Certificate(*parts)
    _issuer(made)
    return made


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "buildCustomCert": build_custom,
    "genCA": gen_ca,
    "genCAWithKey": gen_ca_with_key,
    "genPrivateKey": gen_private_key,
    "genSelfSignedCert": gen_self_signed,
    "genSelfSignedCertWithKey": gen_self_signed_with_key,
    "genSignedCert": gen_signed,
    "genSignedCertWithKey": gen_signed_with_key,
}
