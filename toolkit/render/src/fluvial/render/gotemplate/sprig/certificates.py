"""Private keys and certificates made while rendering: new ones at every render, as in Sprig."""

import base64
import binascii
import datetime as dt
import ipaddress
from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fluvial.render.gotemplate._errors import FunctionError

__all__ = ["FUNCTIONS", "Certificate"]

_SignKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_PUBLIC_EXPONENT: Final = 65537
_LONGEST: Final = 365 * 1000


class Certificate:
    """A certificate and its key in PEM: `.Cert` and `.Key`."""

    go_type: Final = "sprig.certificate"

    def __init__(self, cert: str, key: str) -> None:
        self.go_fields: Final = {"Cert": cert, "Key": key}

    def __str__(self) -> str:
        return f"{{{self.go_fields['Cert']} {self.go_fields['Key']}}}"


def _pem(key: Any, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        form = PrivateFormat.PKCS8
    text: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return text.decode()


def gen_private_key(kind: str) -> str:
    """Make a private key: rsa, dsa, ecdsa or ed25519."""
    match kind:
        case "" | "rsa":
            return _pem(rsa.generate_private_key(_PUBLIC_EXPONENT, 4096))
        case "dsa":
            return _pem(dsa.generate_private_key(2048))
        case "ecdsa":
            return _pem(ec.generate_private_key(ec.SECP256R1()))
        case "ed25519":
            return _pem(ed25519.Ed25519PrivateKey.generate())
    return f"Unknown type {kind}"


def _new_key() -> _SignKey:
    return rsa.generate_private_key(_PUBLIC_EXPONENT, 2048)


def _read_key(pem: str) -> _SignKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FunctionError(f"error parsing private key: {error}") from None
    if not isinstance(key, _SignKey):
        raise FunctionError("error parsing private key: no RSA, ECDSA or Ed25519 key")
    return key


def _names(ips: Any, alternatives: Any) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for what, given in (("IPs", ips), ("alternate DNS names", alternatives)):
        if given is not None and not isinstance(given, list):
            raise FunctionError(f"error parsing {what}: a list is wanted")
    for text in alternatives or []:
        if not isinstance(text, str):
            raise FunctionError(f"error processing alternate dns name: {text} is no string")
        names.append(x509.DNSName(text))
    for text in ips or []:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            raise FunctionError(f"error parsing ip: {text}") from None
    return names


def _certificate(
    name: str,
    days: int,
    key: _SignKey,
    *,
    names: list[x509.GeneralName],
    authority: bool = False,
    issuer: tuple[x509.Name, CertificateIssuerPrivateKeyTypes] | None = None,
) -> Certificate:
    if abs(days) > _LONGEST:
        raise FunctionError(f"a certificate cannot be valid for {days} days")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    start = dt.datetime.now(dt.UTC)
    issued_by, signer = issuer or (subject, key)
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=authority,
        content_commitment=False, data_encipherment=False, key_agreement=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    try:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issued_by)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=days))
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        hashed = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        made = builder.sign(signer, hashed)
    except ValueError as error:
        raise FunctionError(f"error creating certificate: {error}") from None
    return Certificate(made.public_bytes(Encoding.PEM).decode(), _pem(key))


def gen_ca(name: str, days: int) -> Certificate:
    """Make an authority."""
    return _certificate(name, days, _new_key(), names=[], authority=True)


def gen_ca_with_key(name: str, days: int, key: str) -> Certificate:
    """Make an authority with a key at hand."""
    return _certificate(name, days, _read_key(key), names=[], authority=True)


def gen_self_signed(name: str, ips: Any, alternatives: Any, days: int) -> Certificate:
    """Make a certificate that signs itself."""
    return _certificate(name, days, _new_key(), names=_names(ips, alternatives))


def gen_self_signed_with_key(
    name: str, ips: Any, alternatives: Any, days: int, key: str
) -> Certificate:
    """Make a certificate that signs itself, with a key at hand."""
    return _certificate(name, days, _read_key(key), names=_names(ips, alternatives))


def _issuer(authority: Any) -> tuple[x509.Name, CertificateIssuerPrivateKeyTypes]:
    if not isinstance(authority, Certificate):
        raise FunctionError("wrong type for value; expected sprig.certificate")
    try:
        parsed = x509.load_pem_x509_certificate(authority.go_fields["Cert"].encode())
    except ValueError as error:
        raise FunctionError(f"unable to parse certificate: {error}") from None
    return parsed.subject, _read_key(authority.go_fields["Key"])


def gen_signed(name: str, ips: Any, alternatives: Any, days: int, authority: Any) -> Certificate:
    """Make a certificate signed by an authority."""
    names = _names(ips, alternatives)
    return _certificate(name, days, _new_key(), names=names, issuer=_issuer(authority))


def gen_signed_with_key(  # noqa: PLR0917  (a template's arguments are positional)
    name: str, ips: Any, alternatives: Any, days: int, authority: Any, key: str
) -> Certificate:
    """Make a certificate signed by an authority, with a key at hand."""
    names = _names(ips, alternatives)
    return _certificate(name, days, _read_key(key), names=names, issuer=_issuer(authority))


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
