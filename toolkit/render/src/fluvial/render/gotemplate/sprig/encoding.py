"""Base64, base32, checksums, JSON, paths and URLs."""

import base64
import binascii
import hashlib
import posixpath
import secrets
import uuid
import zlib
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate import gojson
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.urls import url_join, url_parse

__all__ = ["FUNCTIONS"]


def b64enc(text: str) -> str:
    """Encode as base64."""
    return base64.b64encode(to_bytes(text)).decode()


def b64dec(text: str) -> str:
    """Decode base64; bad input gives the text of the error."""
    compact = text.replace("\r", "").replace("\n", "")
    try:
        return from_bytes(base64.b64decode(compact, validate=True))
    except (binascii.Error, ValueError):
        return f"illegal base64 data at input byte {_bad_place(text, _STANDARD)}"


_STANDARD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _bad_place(text: str, alphabet: str) -> int:
    """Find the byte Go complains about: the first foreign one, else the start of the last group."""
    for place, char in enumerate(text):
        if char not in alphabet and char not in "\r\n":
            return place
    return len(text) // 4 * 4 if len(text) % 4 else len(text)


def b32enc(text: str) -> str:
    """Encode as base32."""
    return base64.b32encode(to_bytes(text)).decode()


def b32dec(text: str) -> str:
    """Decode base32; bad input gives the text of the error."""
    try:
        return from_bytes(base64.b32decode(text))
    except (binascii.Error, ValueError):
        return "illegal base32 data at input byte 0"


def sha1sum(text: str) -> str:
    """SHA-1 in hex."""
    return hashlib.sha1(to_bytes(text), usedforsecurity=False).hexdigest()


def sha256sum(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(to_bytes(text)).hexdigest()


def sha512sum(text: str) -> str:
    """SHA-512 in hex."""
    return hashlib.sha512(to_bytes(text)).hexdigest()


def adler32sum(text: str) -> str:
    """Adler-32 in decimal."""
    return str(zlib.adler32(to_bytes(text)))


def uuidv4() -> str:
    """Make a random UUID."""
    return str(uuid.uuid4())


def rand_bytes(count: int) -> str:
    """Make random bytes, in base64."""
    if not 0 <= count <= 2**20:
        raise FunctionError(f"{count} random bytes are out of range")
    return base64.b64encode(secrets.token_bytes(count)).decode()


def to_json(value: Any) -> str:
    """Encode, with HTML's characters escaped; nothing when impossible."""
    try:
        return gojson.encode(value)
    except FunctionError:
        return ""


def to_pretty_json(value: Any) -> str:
    """Encode with an indent of two."""
    try:
        return gojson.encode(value, indent=2)
    except FunctionError:
        return ""


def must_to_raw_json(value: Any) -> str:
    """Encode without the escapes of HTML."""
    return gojson.encode(value, html=False)


def from_json(text: str) -> Any:
    """Decode; nil when impossible."""
    try:
        return gojson.decode(text)
    except FunctionError:
        return None


def base(path: str) -> str:
    """Return the last element of a path."""
    if not path:
        return "."
    stripped = path.rstrip("/")
    return stripped.rsplit("/", 1)[-1] if stripped else "/"


def clean(path: str) -> str:
    """Shorten a path, without looking at files."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def folder(path: str) -> str:
    """Return all but the last element."""
    return clean(path[: path.rfind("/") + 1])


def ext(path: str) -> str:
    """Return the extension with its dot."""
    last = path.rsplit("/", 1)[-1]
    return last[last.rfind(".") :] if "." in last else ""


def is_abs(path: str) -> bool:
    """Say whether a path starts at the root."""
    return path.startswith("/")


def no_host(_name: str) -> str:
    """Look up no host: rendering has no network, which is Helm's default too."""
    return ""


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "adler32sum": adler32sum,
    "b32dec": b32dec,
    "b32enc": b32enc,
    "b64dec": b64dec,
    "b64enc": b64enc,
    "base": base,
    "clean": clean,
    "dir": folder,
    "ext": ext,
    "fromJson": from_json,
    "getHostByName": no_host,
    "isAbs": is_abs,
    "mustFromJson": gojson.decode,
    "mustToJson": gojson.encode,
    "mustToPrettyJson": lambda value: gojson.encode(value, indent=2),
    "mustToRawJson": must_to_raw_json,
    "osBase": base,
    "osClean": clean,
    "osDir": folder,
    "osExt": ext,
    "osIsAbs": is_abs,
    "randBytes": rand_bytes,
    "sha1sum": sha1sum,
    "sha256sum": sha256sum,
    "sha512sum": sha512sum,
    "toJson": to_json,
    "toPrettyJson": to_pretty_json,
    "toRawJson": must_to_raw_json,
    "urlJoin": url_join,
    "urlParse": url_parse,
    "uuidv4": uuidv4,
}
