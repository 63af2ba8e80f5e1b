"""Servers of `fluvial.toolkit.testing` beside a test that runs processes: in a thread of theirs."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextlib.contextmanager
def serving(*servers):
    """Run servers while the body runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="servers")
    thread.start()

    def wait(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        with contextlib.ExitStack() as stack:
            for server in servers:
                wait(server.__aenter__())
                stack.callback(lambda server=server: wait(server.__aexit__(None, None, None)))
            yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Authority:
    """An authority of this machine's own: writes ca.crt, server.crt, client.crt and their keys."""

    def __init__(self, folder):
        self._folder = folder
        self._name, self._key = None, None
        self._name, self._key = self._issue("ca", ca=True)
        for name in ("server", "client"):
            self._issue(name)

    def _issue(self, name, *, ca=False):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self._key or key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self._folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
        (self._folder / f"{name}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return subject, key

    def context(self, *, clients=False):
        """Make the context of a server; with `clients` it wants their certificates, too."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._folder / "server.crt", self._folder / "server.key")
        if clients:
            tls.load_verify_locations(self._folder / "ca.crt")
            tls.verify_mode = ssl.CERT_REQUIRED
        return tls
