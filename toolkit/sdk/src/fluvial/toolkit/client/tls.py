"""TLS to an API server, for authorities and certificates that are files or texts."""

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Pair", "client_context"]


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A client certificate and its key, PEM; never printed."""

    certificate: bytes
    """The certificate, PEM."""
    key: bytes
    """Its private key, PEM."""


def client_context(
    *,
    ca_file: str | None = None,
    ca: str | None = None,
    pair: Pair | None = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """Make the context of a client; without an authority the system's are trusted.

    The standard library reads a client's key from a file only: it lies in a private folder for
    that moment. Blocks. Raises ssl.SSLError, OSError or ValueError for what is no PEM.
    """
    tls = ssl.create_default_context(cafile=ca_file, cadata=ca)
    # Authorities made by cluster tools often lack a subject key identifier (Go does not ask).
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if pair is not None:
        with tempfile.TemporaryDirectory(prefix="fluvial-tls-") as folder:
            certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
            certificate.write_bytes(pair.certificate)
            key.touch(0o600)
            key.write_bytes(pair.key)
            tls.load_cert_chain(certificate, key)
    if not verify:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls
