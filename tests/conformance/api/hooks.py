"""A webhook server for cases: answers as a case says, and remembers what it was asked."""

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Hooks", "hooks"]

NAMES = ("localhost", "*.default.svc")


class Hooks:
    """The server: `url` and `bundle` (base64 of PEM) are what configurations name.

    Paths begin with the namespace of a case, so that cases do not see each other's reviews.
    """

    def __init__(self, bundle: str) -> None:
        self.bundle = bundle
        self.port = 0
        self._answers: dict[str, dict[str, Any]] = {}
        self._reviews: dict[str, list[Any]] = {}

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"https://127.0.0.1:{self.port}"

    def script(self, path: str, step: dict[str, Any]) -> None:
        """Say what is answered at a path.

        `response` is that of an AdmissionReview, its `patch` a list of operations and its uid the
        right one unless given; or `body` is sent as it stands, with the code `status`. `delay`
        seconds pass before.

        A ConversionReview is answered by `moves`: for each version the member of `spec` that is
        called otherwise elsewhere, as `[elsewhere, here]`; `result` replaces that of the answer.
        """
        self._answers[path] = step

    def reviews(self, path: str) -> list[Any]:
        """Return the requests that came to a path since the last call."""
        return self._reviews.pop(path, [])

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one review."""
        review = json.loads(await request.read())
        self._reviews.setdefault(request.path, []).append(review["request"])
        script = self._answers.get(request.path, {"response": {"allowed": True}})
        if script.get("delay"):
            await asyncio.sleep(script["delay"])
        status = script.get("status", 200)
        if "body" in script:
            return web.Response(text=script["body"], status=status)
        if review["kind"] == "ConversionReview":
            return web.json_response(_converted(review, script))
        response = {"uid": review["request"]["uid"], **script["response"]}
        if isinstance(response.get("patch"), list):
            operations = json.dumps(response["patch"]).encode()
            response = {"patchType": "JSONPatch", **response}
            response["patch"] = base64.b64encode(operations).decode()
        answer = {"apiVersion": review["apiVersion"], "kind": review["kind"]}
        answer |= script.get("review", {})
        return web.json_response({**answer, "response": response}, status=status)


@contextlib.asynccontextmanager
async def hooks() -> AsyncIterator[Hooks]:
    """Start the server, with a certificate that only its own bundle makes good."""
    certificate, key = _certificate()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder, "c"), Path(folder, "k")
        pair[0].write_bytes(certificate)
        pair[1].write_bytes(key)
        context.load_cert_chain(*pair)
    found = Hooks(base64.b64encode(certificate).decode())
    runner = web.ServerRunner(web.Server(found.handle, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        found.port = runner.addresses[0][1]
        yield found
    finally:
        await runner.cleanup()


def _converted(review: dict[str, Any], script: dict[str, Any]) -> dict[str, Any]:
    """Answer a conversion as a script says."""
    request = review.pop("request")
    wanted = request["desiredAPIVersion"]
    old, new = script["moves"][wanted.rpartition("/")[2]]
    for obj in request["objects"]:
        obj["apiVersion"] = wanted
        if old in obj.get("spec", {}):
            obj["spec"][new] = obj["spec"].pop(old)
    response = {"uid": request["uid"], "convertedObjects": request["objects"]}
    response["result"] = script.get("result", {"status": "Success"})
    return {**review, "response": response}


def _certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in NAMES]
    alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
