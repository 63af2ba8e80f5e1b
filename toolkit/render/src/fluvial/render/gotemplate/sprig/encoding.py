"""Checksums, JSON, and random bytes."""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate import gojson
from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import to_bytes
from fluvial.render.gotemplate.jsonread import decode
from fluvial.render.gotemplate.sprig.chance import chance

__all__ = ["FUNCTIONS"]

_MOST: Final = 2**24


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
    return str(uuid.UUID(bytes=chance().bytes(16), version=4))


def rand_bytes(count: int) -> str:
    """Make random bytes, in base64."""
    if count < 0:
        raise FunctionError("runtime error: makeslice: len out of range")
    if count > _MOST:
        raise FunctionError(f"{count} random bytes are too many: at most {_MOST}")
    return base64.b64encode(chance().bytes(count)).decode()


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


def must_to_pretty_json(value: Any) -> str:
    """Encode with an indent of two. Raises FunctionError when impossible."""
    return gojson.encode(value, indent=2)


def must_to_raw_json(value: Any) -> str:
    """Encode without the escapes of HTML. Raises FunctionError when impossible."""
    return gojson.encode(value, html=False)


def from_json(text: str) -> Any:
    """Decode; nil when impossible."""
    try:
        return decode(text)
    except FunctionError:
        return None


def no_host(_name: str) -> str:
    """Look up no host: rendering has no network, which is Helm's default too."""
    return ""


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "adler32sum": adler32sum,
    "fromJson": from_json,
    "getHostByName": no_host,
    "mustFromJson": decode,
    "mustToJson": gojson.encode,
    "mustToPrettyJson": must_to_pretty_json,
    "mustToRawJson": must_to_raw_json,
    "randBytes": rand_bytes,
    "sha1sum": sha1sum,
    "sha256sum": sha256sum,
    "sha512sum": sha512sum,
    "toJson": to_json,
    "toPrettyJson": to_pretty_json,
    "toRawJson": must_to_raw_json,
    "uuidv4": uuidv4,
}
