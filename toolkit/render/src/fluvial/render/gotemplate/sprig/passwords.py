"""Hashed, derived and encrypted secrets."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import Uint32, from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.basecodes import decode64
from fluvial.render.gotemplate.sprig.chance import chance

__all__ = ["FUNCTIONS"]

_COST: Final = 10
_LONGEST_PASSWORD: Final = 72
_BCRYPT_LETTERS: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BLOCK: Final = 16
_KEY: Final = 32

# The algorithm "Master Password" of Maarten Billemont, version 1
_SCOPE: Final = b"com.lyndir.masterpassword"
_TEMPLATES: Final = {
    "maximum": ("anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    "long": (
        "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv",
        "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc",
        "CvcvCvcvnoCvcc", "CvcvCvcvCvccno", "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno",
        "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
        "CvccCvcvCvccno",
    ),
    "medium": ("CvcnoCvc", "CvcCvcno"),
    "short": ("Cvcn",),
    "basic": ("aaanaaan", "aannaaan", "aaannaaa"),
    "pin": ("nnnn",),
}  # fmt: skip
_CHARACTERS: Final = {
    "V": "AEIOU",
    "C": "BCDFGHJKLMNPQRSTVWXYZ",
    "v": "aeiou",
    "c": "bcdfghjklmnpqrstvwxyz",
    "A": "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
    "a": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    "n": "0123456789",
    "o": "@&%?,=[]_:-+*$#!'^~;()/.",
    "x": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
}


def bcrypt(password: str) -> str:
    """Hash a password with bcrypt at cost 10; one that is too long gives the text of the error."""
    data = to_bytes(password)
    if len(data) > _LONGEST_PASSWORD:
        limit = f"bcrypt: password length exceeds {_LONGEST_PASSWORD} bytes"
        return f"failed to encrypt string with bcrypt: {limit}"
    import bcrypt as library  # noqa: PLC0415  (few charts hash passwords)

    salt = base64.b64encode(chance().bytes(16)).decode().rstrip("=")
    letters = salt.translate(str.maketrans(_BASE64_LETTERS, _BCRYPT_LETTERS))
    return library.hashpw(data, f"$2a${_COST}${letters}".encode()).decode()


def htpasswd(user: str, password: str) -> str:
    """Write a line of a password file."""
    if ":" in user:
        return f"invalid username: {user}"
    return f"{user}:{bcrypt(password)}"


def derive_password(counter: Uint32, kind: str, password: str, user: str, site: str) -> str:
    """Derive a site's password from a master password; `kind` is that of its template."""
    templates = _TEMPLATES.get(kind)
    if templates is None:
        return f"cannot find password template {kind}"
    name, place = to_bytes(user), to_bytes(site)
    salt = _SCOPE + len(name).to_bytes(4, "big") + name
    key = hashlib.scrypt(
        to_bytes(password), salt=salt, n=32768, r=8, p=2, dklen=64, maxmem=64 * 2**20
    )
    message = _SCOPE + len(place).to_bytes(4, "big") + place + int(counter).to_bytes(4, "big")
    seed = hmac.new(key, message, hashlib.sha256).digest()
    template = templates[seed[0] % len(templates)]
    chosen = []
    for byte, kind_of_letter in zip(seed[1:], template, strict=False):
        letters = _CHARACTERS[kind_of_letter]
        chosen.append(letters[byte % len(letters)])
    return "".join(chosen)


def _cipher(password: str, start: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415  (few charts encrypt)
        Cipher,
        algorithms,
        modes,
    )

    key = to_bytes(password)[:_KEY].ljust(_KEY, b"\0")
    return Cipher(algorithms.AES(key), modes.CBC(start))


def encrypt_aes(password: str, text: str) -> str:
    """Encrypt with AES-256 in CBC; the password is the key, cut or filled up with zeros."""
    if not text:
        return ""
    data = to_bytes(text)
    pad = _BLOCK - len(data) % _BLOCK
    start = chance().bytes(_BLOCK)
    encryptor = _cipher(password, start).encryptor()
    sealed = encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()
    return base64.b64encode(start + sealed).decode()


def decrypt_aes(password: str, sealed: str) -> str:
    """Decrypt what `encryptAES` made. Raises FunctionError."""
    if not sealed:
        return ""
    data = decode64(sealed)
    if len(data) < _BLOCK:
        # Go's decoder allots three bytes for every four letters, and its panic says so
        room = len(sealed) // 4 * 3
        raise FunctionError(
            f"runtime error: slice bounds out of range [:{_BLOCK}] with capacity {room}"
        )
    body = data[_BLOCK:]
    if len(body) % _BLOCK:
        raise FunctionError("crypto/cipher: input not full blocks")
    if not body:
        raise FunctionError("runtime error: index out of range [-1]")
    decryptor = _cipher(password, data[:_BLOCK]).decryptor()
    opened = decryptor.update(body) + decryptor.finalize()
    kept = len(opened) - opened[-1]
    if kept < 0:
        raise FunctionError(f"runtime error: slice bounds out of range [:{kept}]")
    return from_bytes(opened[:kept])


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "bcrypt": bcrypt,
    "decryptAES": decrypt_aes,
    "derivePassword": derive_password,
    "encryptAES": encrypt_aes,
    "htpasswd": htpasswd,
}
